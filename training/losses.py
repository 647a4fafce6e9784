"""What makes an alpha good: right pixels, right shape, right edges, and no grey where there is none.

Logits, alphas and weights of pixels are float32 [N, 1, H, W], the latter two in 0..1; ``trust`` is float32 [N, 1] in
0..1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.model import Prediction

EDGE_PX = 7  # width of the band around an outline
EDGE_WEIGHT = (0.4, 3.0)  # of a pixel in the band, at trust 0 and at trust 1


def edge_band(alpha: Tensor) -> Tensor:
    """1 where the alpha changes within ``EDGE_PX`` or is itself soft, 0 elsewhere."""
    high = _highest(alpha)
    low = -_highest(-alpha)
    return (high - low > 0.1).float()


def soft_iou(p: Tensor, alpha: Tensor, weight: Tensor) -> Tensor:
    """1 - IoU of soft masks, for each image alone, so that an empty mask counts like any other.

    Minimum and maximum instead of products: right half-transparent answers cost nothing.
    """
    common = (torch.minimum(p, alpha) * weight).sum((1, 2, 3))
    union = (torch.maximum(p, alpha) * weight).sum((1, 2, 3))
    return ((1 - (common + 1) / (union + 1)) * weight.amax((1, 2, 3))).mean()


def gradient(p: Tensor, alpha: Tensor, trust: Tensor) -> Tensor:
    """L1 between the differences of neighbouring pixels, weighed by the trust."""
    difference, weight = p - alpha, trust[:, :, None, None]
    across = (difference[..., 1:] - difference[..., :-1]).abs() * weight
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight
    return across.mean() + down.mean()


def indecision(p: Tensor, alpha: Tensor, band: Tensor) -> Tensor:
    """Mean of 4 p (1 - p) away from edges and from what shines through: 1 if all is grey, 0 if all is decided."""
    away = (1 - band).clamp(min=0) * ((alpha < 0.05) | (alpha > 0.95))
    return (4 * p * (1 - p) * away).sum() / away.sum().clamp(min=1)


def total(answer: Prediction, alpha: Tensor, weight: Tensor, trust: Tensor, decide: float) -> Tensor:
    """The sum that is trained on; ``decide`` in 0..1 brings the indecision term in."""
    p, band = torch.sigmoid(answer.full), edge_band(alpha)
    low, high = EDGE_WEIGHT
    focus = weight * (1 + band * (low + (high - low) * trust[:, :, None, None] - 1))
    pixels = functional.binary_cross_entropy_with_logits(answer.full, alpha, focus)
    level = ((p - alpha).abs() * focus).mean()
    shape = soft_iou(p, alpha, weight)
    coarse = 0.3 * _at_size(answer.eighth, alpha, weight) + 0.15 * _at_size(answer.sixteenth, alpha, weight)
    decided = indecision(p, alpha, band + 1 - weight)
    return pixels + level + shape + 2 * gradient(p, alpha, trust) + coarse + 0.1 * decide * decided


def _highest(x: Tensor) -> Tensor:
    """Maximum over squares of ``EDGE_PX``, by rows and then by columns."""
    rows = functional.max_pool2d(x, (1, EDGE_PX), 1, (0, EDGE_PX // 2))
    return functional.max_pool2d(rows, (EDGE_PX, 1), 1, (EDGE_PX // 2, 0))


def _at_size(logits: Tensor, alpha: Tensor, weight: Tensor) -> Tensor:
    small, lighter = (functional.interpolate(plane, logits.shape[-2:], mode="area") for plane in (alpha, weight))
    return functional.binary_cross_entropy_with_logits(logits, small, lighter)
