"""Specks: small faint islands of a matte, far from any subject, that a network half saw.

They are taken out, so that a crop is as tight as the subject. Pure numpy, on arrays.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.matting.grid import Floats

CELLS = 256
"""Islands are looked for on a grid of so many cells along the longer side; a gap of two cells does not part them."""
FIRM = 0.75
"""An island that reaches this alpha anywhere is a subject, or a part of one."""
LARGE = 0.01
"""Islands from this share of all firm cells on are left alone, however faint: glass, smoke, a veil."""


def without_specks(alpha: Floats) -> Floats:
    """Alpha float32 [h, w] in 0..1 with its specks set to 0; unchanged where nothing is firm.

    Memory is linear in the pixels, and so is time but for the islands: at most CELLS * CELLS cells, once for each turn
    of the most winding one.
    """
    side = -(-max(alpha.shape) // CELLS)
    peaks = _peaks(alpha, side)
    firm = peaks >= FIRM
    islands = _islands(_widened(peaks > 0))
    count = int(islands.max()) + 1
    cells = np.bincount(islands[peaks > 0], minlength=count)
    subjects = np.bincount(islands[firm], minlength=count)
    specks = (subjects == 0) & (cells < LARGE * firm.sum())
    specks[0] = False
    if not specks.any():
        return alpha
    height, width = alpha.shape
    clear = specks[islands].repeat(side, axis=0)[:height].repeat(side, axis=1)[:, :width]
    return np.where(clear, np.float32(0), alpha)


def _peaks(alpha: Floats, side: int) -> Floats:
    """The highest alpha in each cell of ``side`` x ``side`` pixels, those at the end maybe smaller."""
    height, width = (-(-length // side) * side for length in alpha.shape)
    whole = np.zeros((height, width), np.float32)
    whole[: alpha.shape[0], : alpha.shape[1]] = alpha
    rows: Floats = np.maximum.reduce([whole[first::side] for first in range(side)])
    cells: Floats = np.maximum.reduce([rows[:, first::side] for first in range(side)])
    return cells


def _widened(seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``seen`` and its eight neighbours."""
    padded = np.pad(seen, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    wide: NDArray[np.bool_] = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return wide


def _islands(seen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """One number above 0 for all cells that hang together by their sides, 0 elsewhere.

    The highest number of every run is spread along rows and columns in turn until nothing changes.
    """
    numbers = np.arange(1, seen.size + 1).reshape(seen.shape) * seen
    while True:
        before = numbers
        numbers = _along_rows(_along_rows(numbers, seen).T, seen.T).T
        if np.array_equal(numbers, before):
            return numbers


def _along_rows(numbers: NDArray[np.intp], seen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Every run of seen cells in a row takes the highest of its numbers."""
    spread = np.zeros_like(numbers)
    begins = seen & ~np.pad(seen, ((0, 0), (1, 0)))[:, :-1]
    first = np.flatnonzero(begins[seen])
    if first.size:
        lengths = np.diff(first, append=np.count_nonzero(seen))
        spread[seen] = np.maximum.reduceat(numbers[seen], first).repeat(lengths)
    return spread
