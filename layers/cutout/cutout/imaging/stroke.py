"""The outline of a silhouette: grown by a disc, its outer edge smoothed. Knows no colours and no layout."""

import math

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.blur import soften
from cutout.imaging.spec import Stroke

_LOW, _HIGH = 64, 160
"""Alpha up to LOW gets no outline, from HIGH on all of it: hair does not carry the outline away, edges stay smooth."""
_LEAST_SOFTNESS_PX = 0.7
"""A disc of pixels has steps; this much blur hides them."""
_BAND = 256
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

    alpha: the silhouette, uint8 [H, W]; side_px: the subject's longer side.
    """
    ramp = (np.arange(256) - _LOW) / (_HIGH - _LOW)
    solid = (np.clip(ramp, 0, 1) * 255 + 0.5).astype(np.uint8)[alpha]
    soft = soften(grown(solid, width_px(stroke, side_px)), max(_LEAST_SOFTNESS_PX, stroke.softness.px(side_px)))
    for top in range(0, len(alpha), _ROWS):
        rows = slice(top, min(top + _ROWS, len(alpha)))
        solid[rows] = np.clip(soft.rows(rows), 0, 1) * np.float32(255) + np.float32(0.5)
    return solid


def grown(plane: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Gray dilation by a disc: the highest value within ``radius`` pixels; uint8 [H, W], nothing beyond the edges."""
    height, width = plane.shape
    result = np.empty_like(plane)
    step = max(_BAND, 2 * radius)
    for top in range(0, height, step):
        rows = min(step, height - top)
        band = np.zeros((rows + 2 * radius, width + 2 * radius), np.uint8)
        first, last = max(0, top - radius), min(height, top + rows + radius)
        band[first - top + radius : last - top + radius, radius : radius + width] = plane[first:last]
        result[top : top + rows] = _grown_band(band, radius)
    return result


def _grown_band(band: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """The disc as a pile of horizontal lines, the short ones first: each line is the one before it, made longer."""
    height, width = (side - 2 * radius for side in band.shape)
    wide = band[:, radius : radius + width].copy()
    result = np.zeros((height, width), np.uint8)
    half = 0
    for down in range(radius, -1, -1):
        while (half + 1) ** 2 + down**2 <= radius**2:
            half += 1
            np.maximum(wide, band[:, radius - half : radius - half + width], out=wide)
            np.maximum(wide, band[:, radius + half : radius + half + width], out=wide)
        np.maximum(result, wide[radius - down : radius - down + height], out=result)
        np.maximum(result, wide[radius + down : radius + down + height], out=result)
    return result
