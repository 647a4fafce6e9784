"""Removal of small faint islands of alpha, far from any subject, that a network half detected.

Without them a crop is as tight as the subject. The idea is scikit-image's ``remove_small_objects``, with faintness
as a second condition.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes
from cutout.imaging.matting.grid import dilate

CELLS = 256
"""Islands are looked for on a grid of so many cells along the longer side; a gap of two cells does not part them."""
FIRM = 191
"""An island that reaches this alpha anywhere, of 255, is a subject, or a part of one."""
LARGE = 0.01
"""Islands from this share of all firm cells on stay, however faint: glass, smoke, a veil."""


def remove_small_islands(alpha: Bytes) -> Bytes:
    """Clear islands that are both faint and small.

    Time and memory are linear in the pixels, but for the islands, at most CELLS * CELLS cells.

    Args:
        alpha: uint8 [h, w].

    Returns:
        uint8 [h, w]; the input itself where nothing is firm or nothing is cleared.
    """
    side = -(-max(alpha.shape) // CELLS)
    peaks = _block_maxima(alpha, side)
    found = peaks > 0
    places = np.flatnonzero(found)
    labels = np.take(_label(dilate(found)), places)
    firm = np.take(peaks, places) >= FIRM
    cells = np.bincount(labels)
    firm_cells = np.bincount(labels[firm], minlength=cells.size)
    removed = (firm_cells == 0) & (cells < LARGE * firm_cells.sum())
    removed[:1] = False
    if not removed.any():
        return alpha
    cleared = alpha.copy()
    for top, left in np.transpose(np.divmod(places[removed[labels]], peaks.shape[1])) * side:
        cleared[top : top + side, left : left + side] = 0
    return cleared


def _block_maxima(alpha: Bytes, side: int) -> Bytes:
    """Find the highest alpha in each cell of ``side`` x ``side`` pixels; cells at the end may be smaller."""
    height, width = (-(-length // side) * side for length in alpha.shape)
    whole = np.zeros((height, width), np.uint8)
    whole[: alpha.shape[0], : alpha.shape[1]] = alpha
    rows = whole.reshape(-1, side, width).max(axis=1)
    cells: Bytes = rows[:, ::side].copy()
    for first in range(1, side):
        np.maximum(cells, rows[:, first::side], out=cells)
    return cells


def _label(mask: Bools) -> NDArray[np.int32]:
    """Label connected components (by sides) with numbers above 0; 0 where the mask is not set.

    Runs of set cells in a row are joined with those that they touch in the next row: each run takes the lowest number
    of those that it is joined with, and then that one's, until nothing changes.
    """
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).view(np.int8), axis=1).reshape(-1)
    first, last = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    row = mask.shape[1] + 1
    below, end = np.searchsorted(last, first + row, "right"), np.searchsorted(first, last + row, "left")
    touching = np.maximum(end - below, 0)
    upper = np.arange(first.size).repeat(touching)
    lower = np.arange(upper.size) + (below - np.cumsum(touching) + touching).repeat(touching)
    numbers = np.arange(1, first.size + 1, dtype=np.int32)
    while True:
        lowest = np.minimum(numbers[upper], numbers[lower])
        if np.array_equal(numbers[upper], numbers[lower]):
            break
        for side in (upper, lower):
            np.minimum.at(numbers, numbers[side] - 1, lowest)
        numbers = numbers[numbers - 1]
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = numbers.repeat(last - first)
    return labels
