"""Removal of small faint islands of alpha, far from any subject, that a network half detected.

Without them a crop is as tight as the subject. The idea is scikit-image's ``remove_small_objects``, with faintness
as a second condition.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes

CELLS = 256
"""Islands are looked for on a grid of so many cells along the longer side; a gap of two cells does not part them."""
FIRM = 191
"""An island that reaches this alpha anywhere, of 255, is a subject, or a part of one."""
LARGE = 0.01
"""Islands from this share of all firm cells on stay, however faint: glass, smoke, a veil."""


def remove_small_islands(alpha: Bytes) -> Bytes:
    """Clear islands that are both faint and small.

    Memory is linear in the pixels. So is time, but for the islands: at most CELLS * CELLS cells, once for each turn of
    the most winding one.

    Args:
        alpha: uint8 [h, w].

    Returns:
        uint8 [h, w]; the input itself where nothing is firm or nothing is cleared.
    """
    side = -(-max(alpha.shape) // CELLS)
    peaks = _block_maxima(alpha, side)
    firm = peaks >= FIRM
    labels = _label(_dilate(peaks > 0))
    count = int(labels.max()) + 1
    cells = np.bincount(labels[peaks > 0], minlength=count)
    firm_cells = np.bincount(labels[firm], minlength=count)
    removed = (firm_cells == 0) & (cells < LARGE * firm.sum())
    removed[0] = False
    if not removed.any():
        return alpha
    height, width = alpha.shape
    cleared = removed[labels].repeat(side, axis=0)[:height].repeat(side, axis=1)[:, :width]
    return np.where(cleared, np.uint8(0), alpha)


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


def _dilate(mask: Bools) -> Bools:
    """Set the eight neighbours of every cell that is set."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    wide: Bools = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return wide


def _label(mask: Bools) -> NDArray[np.int32]:
    """Label connected components (by sides) with numbers above 0; 0 where the mask is not set.

    The highest number of every run spreads along rows and columns in turn until nothing changes.
    """
    labels = np.arange(1, mask.size + 1, dtype=np.int32).reshape(mask.shape) * mask
    while True:
        before = labels
        labels = _spread_along_rows(_spread_along_rows(labels, mask).T, mask.T).T
        if np.array_equal(labels, before):
            return labels


def _spread_along_rows(labels: NDArray[np.int32], mask: Bools) -> NDArray[np.int32]:
    """Give every run of set cells in a row the highest of its labels."""
    result = np.zeros_like(labels)
    begins = mask & ~np.pad(mask, ((0, 0), (1, 0)))[:, :-1]
    first = np.flatnonzero(begins[mask])
    if first.size:
        lengths = np.diff(first, append=np.count_nonzero(mask))
        result[mask] = np.maximum.reduceat(labels[mask], first).repeat(lengths)
    return result
