"""The stroke around a silhouette: a gray dilation by a disc, with a smooth outer edge."""

import math

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, row_bands, to_bytes
from cutout.imaging.compositing.blur import gaussian_blur
from cutout.imaging.spec import Stroke

_LOW, _HIGH = 64, 160
"""Alpha up to LOW gets no outline, from HIGH on all of it: hair does not carry the outline away, edges stay smooth."""
_LEAST_SOFTNESS_PX = 0.7
"""A disc of pixels has steps; this much blur hides them."""
_MOST_RADIUS = 16
"""Cells by which a silhouette is grown at most."""
_ROWS = 64
_DILATED_ROWS = 256
"""Rows that are dilated at once, or two radii if that is more."""


def width_px(stroke: Stroke | None, side_px: float) -> int:
    """Compute the width of the stroke in whole pixels.

    Args:
        stroke: None for no stroke.
        side_px: The subject's longer side on the canvas.

    Returns:
        Pixels, at least 1; 0 without a stroke.
    """
    return 0 if stroke is None else max(1, round(stroke.width.px(side_px)))


def reach_px(stroke: Stroke | None, side_px: float) -> int:
    """Compute how far beyond the subject the stroke is visible.

    Args:
        stroke: None for no stroke.
        side_px: The subject's longer side on the canvas.

    Returns:
        Whole pixels, its soft edge included; 0 without a stroke.
    """
    if stroke is None:
        return 0
    softness = max(_LEAST_SOFTNESS_PX, stroke.softness.px(side_px))
    return width_px(stroke, side_px) + math.ceil(1.5 * softness)


def outline(alpha: Bytes, stroke: Stroke, side_px: float) -> Bytes:
    """Draw a stroke around a silhouette.

    A wide stroke is drawn on a coarser grid and its edge made steep again, so that its cost does not grow with its
    width.

    Args:
        alpha: The silhouette, uint8 [H, W].
        stroke: Its opacity and colour are not applied here.
        side_px: The subject's longer side on the canvas.

    Returns:
        Cover of the stroke, uint8 [H, W]; the subject's own pixels are covered too.
    """
    width = width_px(stroke, side_px)
    softness = max(_LEAST_SOFTNESS_PX, stroke.softness.px(side_px))
    radius = min(width, _MOST_RADIUS)
    reduction = width / radius
    blur = max(_LEAST_SOFTNESS_PX, softness / reduction)  # on the grid
    dilated = dilate_disc(_reduce(alpha, reduction), radius)
    edge = gaussian_blur(dilated, blur).enlarged((alpha.shape[0], alpha.shape[1]))
    steepness = np.float32(blur * reduction / softness)
    result = np.empty_like(alpha)
    for rows in row_bands(len(alpha), _ROWS):
        cover = (edge.rows(rows) - np.float32(0.5)) * steepness + np.float32(0.5)
        result[rows] = to_bytes(np.clip(cover, 0, 1))
    return result


def _reduce(alpha: Bytes, reduction: float) -> Bytes:
    """Average the firm part of ``alpha`` onto a grid of cells ``reduction`` pixels wide."""
    ramp = (np.arange(256) - _LOW) / (_HIGH - _LOW)
    firm = (np.clip(ramp, 0, 1) * 255 + 0.5).astype(np.uint8)[alpha]
    if reduction == 1:
        return firm
    shape = max(1, round(alpha.shape[1] / reduction)), max(1, round(alpha.shape[0] / reduction))
    return np.asarray(Image.fromarray(firm).resize(shape, Image.Resampling.BOX))


def dilate_disc(plane: Bytes, radius: int) -> Bytes:
    """Dilate by a disc: every pixel takes the highest value within ``radius`` pixels.

    Args:
        plane: uint8 [H, W].
        radius: Pixels.

    Returns:
        uint8 [H, W]; beyond the edges counts as 0.
    """
    height, width = plane.shape
    result = np.empty_like(plane)
    for rows in row_bands(height, max(_DILATED_ROWS, 2 * radius)):
        band = np.zeros((rows.stop - rows.start + 2 * radius, width + 2 * radius), np.uint8)
        first, last = max(0, rows.start - radius), min(height, rows.stop + radius)
        above = rows.start - radius
        band[first - above : last - above, radius : radius + width] = plane[first:last]
        result[rows] = _dilate_band(band, radius)
    return result


def _dilate_band(band: Bytes, radius: int) -> Bytes:
    """Dilate a band that is padded by ``radius`` on all sides.

    The disc is a pile of horizontal lines, the short ones first: each line is the one before it, made longer.

    A line's end between two pixels blends the two lengths, or the disc would have corners.
    """
    height, width = (side - 2 * radius for side in band.shape)
    wide, half = band[:, radius : radius + width], 0
    wider = _lengthen(wide, band, radius, 1)
    result = np.zeros((height, width), np.uint8)
    for down in range(radius, -1, -1):
        exact = math.sqrt(radius**2 - down**2)
        while half + 1 <= exact:
            half += 1
            wide, wider = wider, wider if half == radius else _lengthen(wider, band, radius, half + 1)
        line = wide
        if rest := np.uint16((exact - half) * 256):
            line = ((wide * (np.uint16(256) - rest) + wider * rest) >> 8).astype(np.uint8)
        np.maximum(result, line[radius - down : radius - down + height], out=result)
        np.maximum(result, line[radius + down : radius + down + height], out=result)
    return result


def _lengthen(line: Bytes, band: Bytes, radius: int, half: int) -> Bytes:
    """Find the highest value within ``half`` columns, given that within one column less."""
    width = line.shape[1]
    longer = np.maximum(line, band[:, radius - half : radius - half + width])
    np.maximum(longer, band[:, radius + half : radius + half + width], out=longer)
    return longer
