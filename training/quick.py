"""Depthwise convolutions and batch norms whose backward passes are quick on a CPU.

The library's gradient of depthwise weights takes a sixth of a training step in float32, and most of it in bfloat16 with
AMX, though those weights are 3 % of the net. It is computed here in float32 from a part of the batch, another one at
each step: an unbiased estimate. The gradient of the input is a convolution with the kernel turned around, which is as
quick as the forward pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

PART = 4  # a fourth of the images


class Depthwise(nn.Conv2d):
    """A depthwise convolution; in training on a CPU its backward pass is the one of this module."""

    def __init__(self, channels: int, kernel: int, stride: int = 1, dilation: int = 1, *, bias: bool = True) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        shape = Shape(self.stride[0], int(self.padding[0]), self.dilation[0])
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.bfloat16)
        y: Tensor = _Convolve.apply(x, self.weight, shape)  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias.to(y.dtype)[:, None, None]


class StillNorm(nn.BatchNorm2d):
    """A batch norm of which only the bias learns: what it does is one product and one sum, forward and backward."""

    def forward(self, x: Tensor) -> Tensor:
        scale = (self.running_var + self.eps).rsqrt() * self.weight.detach()  # type: ignore[operator]
        shift = self.bias - self.running_mean * scale  # type: ignore[operator]
        return x * scale[:, None, None] + shift[:, None, None]


def hold_still(net: nn.Module) -> None:
    """Keep the statistics and the scales of all batch norms, in place."""
    for norm in (part for part in net.modules() if isinstance(part, nn.BatchNorm2d)):
        norm.__class__ = StillNorm
        norm.weight.requires_grad_(requires_grad=False)


class Shape(NamedTuple):
    """How a kernel moves."""

    stride: int
    padding: int
    dilation: int


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shape: Shape) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.shape = shape
        return functional.conv2d(x, weight.to(x.dtype), None, *shape, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].to(x.dtype)
        of_x = _of_input(x, weight, gradient, ctx.shape) if ctx.needs_input_grad[0] else None
        of_weight = _of_weight(x, weight, gradient, ctx.shape) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, None


def _of_input(x: Tensor, weight: Tensor, gradient: Tensor, shape: Shape) -> Tensor:
    if shape.stride == 1:
        turned = weight.to(x.dtype).flip(2, 3)
        return functional.conv2d(gradient, turned, None, *shape, len(weight))
    return _library(x.float(), weight, gradient.float(), shape, wanted=0).to(x.dtype)


def _of_weight(x: Tensor, weight: Tensor, gradient: Tensor, shape: Shape) -> Tensor:
    n = len(x)
    part = max(1, n // PART)
    begin = int(torch.randint(0, n - part + 1, ()))
    some = slice(begin, begin + part)
    return _library(x[some].float(), weight, gradient[some].float(), shape, wanted=1) * (n / part)


def _library(x: Tensor, weight: Tensor, gradient: Tensor, shape: Shape, *, wanted: int) -> Tensor:
    """The library's own gradient in float32: of the input (0) or of the weight (1)."""
    channels, mask = len(weight), [wanted == 0, wanted == 1, False]
    moves = ([side, side] for side in shape)
    backward = torch.ops.aten.convolution_backward
    answers: tuple[Tensor, ...] = backward(
        gradient, x, weight.float(), [channels], *moves, transposed=False, output_padding=[0, 0], groups=channels,
        output_mask=mask,
    )  # fmt: skip
    return answers[wanted]
