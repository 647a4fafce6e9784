"""Depthwise convolutions whose backward pass is quick in bfloat16 on a processor with AMX.

oneDNN's gradient of depthwise weights in bfloat16 takes most of a training step, though those weights are 3 % of the
net. It is computed here in float32 from a part of the batch, another one at each step: an unbiased estimate. The
gradient of the input is a convolution with the kernel turned around, which is as quick as the forward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

PART = 4  # a fourth of the images


class Depthwise(nn.Conv2d):
    """A depthwise convolution; under autocast its backward pass is the one of this module."""

    def __init__(self, channels: int, kernel: int, stride: int = 1, dilation: int = 1, *, bias: bool = True) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and torch.is_autocast_enabled("cpu") and x.device.type == "cpu"):
            return super().forward(x)
        y: Tensor = _Convolve.apply(x, self.weight, self.stride[0], self.padding[0], self.dilation[0])  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias.to(y.dtype)[:, None, None]


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
        x = x.to(torch.bfloat16)
        ctx.save_for_backward(x, weight)
        ctx.shape = stride, padding, dilation
        return functional.conv2d(x, weight.to(x.dtype), None, stride, padding, dilation, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        gradient = gradient.to(x.dtype)
        of_x = _of_input(x, weight, gradient, *ctx.shape) if ctx.needs_input_grad[0] else None
        of_weight = _of_weight(x, weight, gradient, *ctx.shape) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, None, None, None


def _of_input(x: Tensor, weight: Tensor, gradient: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
    if stride == 1:
        turned = weight.to(x.dtype).flip(2, 3)
        return functional.conv2d(gradient, turned, None, 1, padding, dilation, len(weight))
    of_x, _, _ = _both(x.float(), weight, gradient.float(), stride, padding, dilation, (True, False))
    return of_x.to(x.dtype)


def _of_weight(x: Tensor, weight: Tensor, gradient: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
    n = len(x)
    part = max(1, n // PART)
    begin = int(torch.randint(0, n - part + 1, ()))
    some = slice(begin, begin + part)
    inputs, gradients = x[some].float(), gradient[some].float()
    _, of_weight, _ = _both(inputs, weight, gradients, stride, padding, dilation, (False, True))
    return of_weight * (n / part)


def _both(
    x: Tensor, weight: Tensor, gradient: Tensor, stride: int, padding: int, dilation: int, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """The library's own gradients, of the input or of the weight."""
    two = [stride, stride], [padding, padding], [dilation, dilation]
    answer: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, x, weight.float(), [len(weight)], *two, False, [0, 0], len(weight), [*wanted, False]
    )
    return answer
