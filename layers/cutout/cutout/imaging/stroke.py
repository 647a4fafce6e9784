"""The outline of a silhouette: grown, its outer edge smoothed. Knows no colours and no layout."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.blur import soften
from cutout.imaging.growth import grown
from cutout.imaging.spec import Stroke

_LOW, _HIGH = 64, 160
"""Alpha up to LOW gets no outline, from HIGH on all of it: hair does not carry the outline away, edges stay smooth."""
_LEAST_SOFTNESS_PX = 0.7
"""A disc of pixels has steps; this much blur hides them."""
_MOST_RADIUS = 16
"""Cells by which a silhouette is grown at most."""
_ROWS = 64


def width_px(stroke: Stroke | None, side_px: float) -> int:
    """Whole pixels by which the silhouette grows; side_px: the subject's longer side on the canvas."""
    return 0 if stroke is None else max(1, round(stroke.width.px(side_px)))


def reach_px(stroke: Stroke | None, side_px: float) -> int:
    """How far beyond the subject the stroke can be seen."""
    if stroke is None:
        return 0
    softness = max(_LEAST_SOFTNESS_PX, stroke.softness.px(side_px))
    return width_px(stroke, side_px) + math.ceil(1.5 * softness)


def outline(alpha: NDArray[np.uint8], stroke: Stroke, side_px: float) -> NDArray[np.uint8]:
    """How much of the stroke covers each pixel: uint8 [H, W], the subject's own pixels covered too.

    alpha: the silhouette, uint8 [H, W]; side_px: the subject's longer side. A wide stroke is drawn on a coarser grid
    and its edge made steep again, so that its cost does not grow with its width.
    """
    width = width_px(stroke, side_px)
    softness = max(_LEAST_SOFTNESS_PX, stroke.softness.px(side_px))
    radius = min(width, _MOST_RADIUS)
    reduction = width / radius
    blur = max(_LEAST_SOFTNESS_PX, softness / reduction)  # on the grid
    grid = grown(_reduced(alpha, reduction), radius)
    soft = soften(grid, blur).enlarged((alpha.shape[0], alpha.shape[1]))
    steepness = np.float32(blur * reduction / softness)
    result = np.empty_like(alpha)
    for top in range(0, len(alpha), _ROWS):
        rows = slice(top, min(top + _ROWS, len(alpha)))
        cover = (soft.rows(rows) - np.float32(0.5)) * steepness + np.float32(0.5)
        result[rows] = np.clip(cover, 0, 1) * np.float32(255) + np.float32(0.5)
    return result


def _reduced(alpha: NDArray[np.uint8], reduction: float) -> NDArray[np.uint8]:
    """What of ``alpha`` gets an outline, on a grid of cells ``reduction`` pixels wide."""
    ramp = (np.arange(256) - _LOW) / (_HIGH - _LOW)
    firm = (np.clip(ramp, 0, 1) * 255 + 0.5).astype(np.uint8)[alpha]
    if reduction == 1:
        return firm
    shape = max(1, round(alpha.shape[1] / reduction)), max(1, round(alpha.shape[0] / reduction))
    return np.asarray(Image.fromarray(firm).resize(shape, Image.Resampling.BOX))
