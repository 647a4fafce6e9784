"""Growing what is bright in a plane by a disc (gray dilation). Pure numpy, linear in the radius, small in memory."""

import math

import numpy as np
from numpy.typing import NDArray

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
