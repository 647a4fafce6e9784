"""The measures of a mask, as `../shared/tools/score.py` defines them, and two of its edges.

Masks are float32 [H, W] in 0..1. For the measures of shape the truth is binarised at 0.5; those of edges want an
exact soft truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BETA2 = 0.3  # weight of precision against recall, as usual for salient objects
BAND = 0.02  # width of the boundary band, of the diagonal
EDGE_PX = 12  # around everything soft or stepping in the truth, at 1024 px


@dataclass(frozen=True)
class Score:
    """One picture's measures; ``curve`` is the F-measure at the thresholds 1/255 .. 255/255."""

    mae: float
    curve: np.ndarray
    iou: float
    boundary_iou: float


def score(alpha: np.ndarray, truth: np.ndarray) -> Score:
    """All measures of one picture."""
    given, wanted = alpha >= 0.5, truth >= 0.5
    radius = max(1, round(BAND * float(np.hypot(*truth.shape))))
    rims = (given & ~erode(given, radius), wanted & ~erode(wanted, radius))
    return Score(float(np.abs(alpha - truth).mean()), f_curve(alpha, wanted), iou(given, wanted), iou(*rims))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of boolean masks; two empty ones agree fully."""
    union = int(np.logical_or(a, b).sum())
    return float(np.logical_and(a, b).sum() / union) if union else 1.0


def erode(mask: np.ndarray, radius: int) -> np.ndarray:
    """Erosion by a square of 2 radius + 1 pixels by sums over squares; outside counts as background."""
    side = 2 * radius + 1
    sums = (
        np.pad(mask, ((radius + 1, radius), (radius + 1, radius))).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)
    )
    inside = sums[side:, side:] - sums[side:, :-side] - sums[:-side, side:] + sums[:-side, :-side]
    return inside == side**2


def f_curve(alpha: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """F-measure at the 255 thresholds, float64 [255]."""
    levels = np.round(alpha * 255).astype(np.int64)
    hits = np.bincount(levels[wanted], minlength=256)[::-1].cumsum()[::-1][1:]
    false = np.bincount(levels[~wanted], minlength=256)[::-1].cumsum()[::-1][1:]
    precision = hits / np.maximum(hits + false, 1)
    recall = hits / max(int(wanted.sum()), 1)
    below = BETA2 * precision + recall
    return np.where(below > 0, (1 + BETA2) * precision * recall / np.maximum(below, 1e-12), 0.0)


@dataclass(frozen=True)
class EdgeScore:
    """Means over the band along the true edges, both 0 for a perfect alpha."""

    error: float  # of the alpha's absolute difference
    gradient: float  # of the absolute difference of the gradients' lengths


def edges(alpha: np.ndarray, truth: np.ndarray) -> EdgeScore:
    """Measures of the edges; a truth without any scores 0."""
    steps = np.maximum(*(np.abs(part) for part in np.gradient(truth))) > 0.02
    radius = max(2, round(EDGE_PX * max(truth.shape) / 1024))
    band = ~erode(np.pad(~steps, radius, constant_values=True), radius)[radius:-radius, radius:-radius]
    if not band.any():
        return EdgeScore(0.0, 0.0)
    slopes = [np.hypot(*np.gradient(plane)) for plane in (alpha, truth)]
    return EdgeScore(float(np.abs(alpha - truth)[band].mean()), float(np.abs(slopes[0] - slopes[1])[band].mean()))
