"""The outline of a silhouette: grown, its outer edge smoothed. Knows no colours and no layout."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.compositing.blur import soften
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


_BAND = 256
"""Rows that are worked on at once, or two radii if that is more."""


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
    """The disc as a pile of horizontal lines, the short ones first: each line is the one before it, made longer.

    A line's end between two pixels blends the two lengths, or the disc would have corners.
    """
    height, width = (side - 2 * radius for side in band.shape)
    wide, half = band[:, radius : radius + width], 0
    wider = _longer(wide, band, radius, 1)
    result = np.zeros((height, width), np.uint8)
    for down in range(radius, -1, -1):
        exact = math.sqrt(radius**2 - down**2)
        while half + 1 <= exact:
            half += 1
            wide, wider = wider, wider if half == radius else _longer(wider, band, radius, half + 1)
        line = wide
        if rest := np.uint16((exact - half) * 256):
            line = ((wide * (np.uint16(256) - rest) + wider * rest) >> 8).astype(np.uint8)
        np.maximum(result, line[radius - down : radius - down + height], out=result)
        np.maximum(result, line[radius + down : radius + down + height], out=result)
    return result


def _longer(line: NDArray[np.uint8], band: NDArray[np.uint8], radius: int, half: int) -> NDArray[np.uint8]:
    """The highest value within ``half`` columns, from that within one less."""
    width = line.shape[1]
    longer = np.maximum(line, band[:, radius - half : radius - half + width])
    np.maximum(longer, band[:, radius + half : radius + half + width], out=longer)
    return longer
