"""The second stage: sees the picture at 1280 px and moves the coarse answer to its edges.

The refiner works on blocks of 4 x 4 pixels (a patch convolution in, a sub-pixel step out; Shi et al. 2016),
with a detour at half of that for a wider view, in inverted residuals with 5x5 depthwise convolutions
(Sandler et al. 2018). It answers with a residual on the coarse net's logits:

- its last layer starts at zero: an untrained refiner gives exactly the coarse answer, enlarged;
- the residual is multiplied by a gate, which is 0 wherever the coarse net is sure for some way around: what is
  far from any doubt stays as it was, and an empty picture stays empty.

Images are float32 [N, 3, H, W], ``(rgb - 128) / 128``, with H and W multiples of 8; logits [N, 1, H, W].
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.model import CutoutNet

FULL = 1280  # side of the picture that the refiner sees
BLOCK = 4  # pixels across that one position of the refiner's maps stands for
SURE = 8.0  # coarse logits are cut to -SURE..SURE, so that a residual can still turn them
GATE_PX = 12  # coarse pixels around a doubt in which the refiner may act


class Guess(NamedTuple):
    """The coarse answer as the refiner takes it."""

    logits: Tensor  # [N, 1, H, W], enlarged to the picture
    gate: Tensor  # [N, 1, H / 4, W / 4] in 0..1, how far the answer may be changed


class Mix(nn.Module):
    """Expand 1x1 to ``wide`` channels, depthwise 5x5, project 1x1; added to the input."""

    def __init__(self, channels: int, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, wide, 5, padding=2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Refiner(nn.Module):
    """Picture and coarse answer in, better logits out, all at the picture's size.

    Channels are multiples of 16, which the kernels of onnxruntime would fill up to anyway.
    """

    def __init__(self, width: int = 32, inner: int = 48) -> None:
        super().__init__()
        self.see_picture = nn.Conv2d(3, width, BLOCK, BLOCK)
        self.see_guess = nn.Conv2d(1, width, BLOCK, BLOCK)
        self.fine = Mix(width, width + 16)
        self.down = nn.Conv2d(width, inner, 2, 2)
        self.wide = nn.Sequential(*(Mix(inner, inner + 16) for _ in range(3)))
        self.up = nn.Conv2d(inner, width, 1)
        self.join = Mix(width, width + 16)
        self.residual = nn.Conv2d(width, BLOCK**2, 1)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor, guess: Guess) -> Tensor:
        x = self.fine(functional.relu(self.see_picture(picture) + self.see_guess(guess.logits / SURE)))
        y = self.up(self.wide(functional.relu(self.down(x))))
        x = self.join(x + functional.interpolate(y, scale_factor=2.0, mode="nearest"))
        return guess.logits + functional.pixel_shuffle(self.residual(x) * guess.gate, BLOCK)


class TwoStageNet(nn.Module):
    """What is shipped: [N, 3, F, F] in, alpha [N, 1, F, F] out, F = ``full``.

    The coarse net sees the picture at each of ``sizes`` px, in ascending order, and its logits are averaged: a small
    one shows it all of a large subject, a large one shows it small subjects and thin parts.
    """

    def __init__(self, coarse: CutoutNet, refiner: Refiner, sizes: Sequence[int] = (320,), full: int = FULL) -> None:
        super().__init__()
        self.coarse, self.refiner = coarse, refiner
        self.shrinks = nn.ModuleList(Shrink(full, size) for size in sizes)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits at full size."""
        return self.refiner(picture, self.guess(picture))

    def guess(self, picture: Tensor) -> Guess:
        """The mean of the coarse net's answers at each size, enlarged to the picture."""
        *others, largest = (self.coarse(shrink(picture)).full.clamp(-SURE, SURE) for shrink in self.shrinks)
        for logits in others:
            largest = largest + functional.interpolate(logits, largest.shape[-2:], mode="bilinear", align_corners=False)
        return enlarge(largest / len(self.shrinks), picture.shape[-1])

    def alpha(self, picture: Tensor) -> Tensor:
        """Float32 [N, 1, F, F] in 0..1, as the exported graph answers."""
        return torch.sigmoid(self(picture))


class Shrink(nn.Module):
    """Exact area average from ``large`` to ``small`` px, also where their ratio is no whole number.

    Their sides share a divisor: each block of ``large / divisor`` pixels becomes a block of ``small / divisor``
    pixels by fixed weights, which is one strided convolution and a sub-pixel step.
    """

    def __init__(self, large: int, small: int) -> None:
        super().__init__()
        shared = gcd(large, small)
        self.block, self.cells = large // shared, small // shared
        rows = overlaps(self.block, self.cells)
        weights = torch.einsum("ay,bx->abyx", rows, rows).reshape(-1, 1, self.block, self.block)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, picture: Tensor) -> Tensor:
        if self.block == self.cells:
            return picture
        planes = picture.flatten(0, 1)[:, None]
        blocks = functional.conv2d(planes, self.weights, stride=self.block)  # type: ignore[arg-type]
        small = functional.pixel_shuffle(blocks, self.cells)
        return small.reshape(-1, 3, *small.shape[-2:])


def overlaps(pixels: int, cells: int) -> Tensor:
    """Share of each of ``pixels`` in each of ``cells`` that divide the same length evenly: [cells, pixels]."""
    edges = torch.arange(pixels, dtype=torch.float64)
    starts = torch.arange(cells, dtype=torch.float64)[:, None] * pixels / cells
    common = torch.minimum(edges + 1, starts + pixels / cells) - torch.maximum(edges, starts)
    return (common.clamp(min=0) * cells / pixels).float()


def enlarge(logits: Tensor, side: int) -> Guess:
    """The coarse net's logits [N, 1, s, s] brought to ``side`` px, and the gate that goes with them."""
    logits = logits.clamp(-SURE, SURE)
    p = torch.sigmoid(logits)
    doubt = 4 * p * (1 - p)
    across = functional.max_pool2d(doubt, (1, 2 * GATE_PX + 1), 1, (0, GATE_PX))
    around = functional.max_pool2d(across, (2 * GATE_PX + 1, 1), 1, (GATE_PX, 0))
    large, blocks = (side, side), (side // BLOCK, side // BLOCK)
    return Guess(
        functional.interpolate(logits, size=large, mode="bilinear", align_corners=False),
        functional.interpolate(around, size=blocks, mode="bilinear", align_corners=False),
    )
