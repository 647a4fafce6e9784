"""Pictures at the size of the model, and where pixels lie between the cells of a coarser grid."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats, row_bands
from cutout.imaging.pixels import as_picture, as_pixels, new_pixels, packed

_REACH = {Image.Resampling.BILINEAR: 1, Image.Resampling.LANCZOS: 3}
"""Pixels of the result that a filter's kernel reaches to either side; averaged is to so many for each."""
_ROWS = 64
"""Rows that are worked on at once: they stay in the processor's cache."""


def squash(colours: Bytes, side: int, how: Image.Resampling = Image.Resampling.BILINEAR) -> Bytes:
    """Resize a picture to a square, whatever its aspect; a large one is first averaged by a whole number.

    Args:
        colours: uint8 [H, W, 3].
        side: Pixels of the square's side.
        how: The filter.

    Returns:
        uint8 [side, side, 3]; the picture itself where it has that size.
    """
    if colours.shape[:2] == (side, side):
        return colours
    if how is Image.Resampling.BILINEAR and max(colours.shape[:2]) <= side:
        return _enlarge(colours, side)
    factor = max(1, min(colours.shape[:2]) // (side * _REACH[how]))
    box = (0, 0, colours.shape[1] / factor, colours.shape[0] / factor)  # without what the last blocks lack
    return as_pixels(as_picture(colours).reduce(factor).resize((side, side), how, box))


def neighbours(cells: int, pixels: int, at: NDArray[np.intp]) -> tuple[NDArray[np.int32], Floats]:
    """Find between which cells of one axis pixels lie.

    Args:
        cells: Cells along the axis.
        pixels: Pixels along the same.
        at: Indices of pixels [n].

    Returns:
        The cell before each, int32 [n], and the share of the cell after it, float32 [n] in 0..1.
    """
    centre = np.clip((at.astype(np.float32) + 0.5) * np.float32(cells / pixels) - np.float32(0.5), 0, cells - 1)
    low = centre.astype(np.int32)
    return low, (centre - low).astype(np.float32)


def _enlarge(colours: Bytes, side: int) -> Bytes:
    """Enlarge a picture to a square, bilinear: as Pillow does but for roundings, in half the time."""
    lines, square = packed(colours), new_pixels(side, side)
    height, width = lines.shape
    left, share = _shares(width, side)
    right, share = np.minimum(left + 1, width - 1), np.repeat(share, 4)
    wide = np.empty((height, 4 * side), np.uint8)
    for rows in row_bands(height, _ROWS):
        one, other = (np.take(lines[rows], columns, axis=1).view(np.uint8) for columns in (left, right))
        wide[rows] = _mix(one, other, share)
    above, share = _shares(height, side)
    below, whole = np.minimum(above + 1, height - 1), packed(square).view(np.uint8)
    for rows in row_bands(side, _ROWS):
        whole[rows] = _mix(wide[above[rows]], wide[below[rows]], share[rows, None])
    return square


def _shares(cells: int, pixels: int) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """Give :func:`neighbours` of all pixels, shares in 0..256."""
    before, share = neighbours(cells, pixels, np.arange(pixels))
    return before, np.round(share * 256).astype(np.uint16)


def _mix(one: Bytes, other: Bytes, share: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Mix bytes: the share of the other is in 0..256."""
    mixed = one.astype(np.uint16)
    mixed *= 256 - share
    more = other.astype(np.uint16)
    more *= share
    mixed += more
    mixed += 128
    mixed >>= 8
    return mixed
