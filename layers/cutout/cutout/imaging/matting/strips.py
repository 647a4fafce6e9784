"""Full-size work on the soft pixels, and no others: how they are found, and how smooth values are read at them.

They are taken out of the picture, many at a time, into dense arrays, so that every step is one vectorised pass; what
lies between the edges costs nothing. Colours stay as Pillow keeps them, four values a pixel, of which the fourth means
nothing: in one long line of floats all colours are computed at once, and nothing has to be sorted into channels.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes, Floats, row_bands
from cutout.imaging.resampling import neighbours

LANES = 4
"""Values a pixel."""
PIXELS = 1 << 16
"""Soft pixels that are worked on at once: more leave the cache, fewer cost more calls."""
_SEARCHED = 1 << 18
"""Pixels that are looked through at once."""
Indices = NDArray[np.integer]
FOUR_FLOATS = np.dtype((np.void, 16))
"""A cell, or a pixel, of LANES values, which numpy moves at once."""
_TO_FOUR_BYTES = np.uint32(0x01010101)


def soft_pixels(alpha: Bytes) -> Indices:
    """Find the pixels whose alpha is neither 0 nor 255.

    Args:
        alpha: uint8 [H, W], contiguous.

    Returns:
        Flat indices, ascending, int32 [n].
    """
    flat = alpha.reshape(-1)
    found = [
        (np.flatnonzero(flat[part] - np.uint8(1) < 254) + part.start).astype(np.int32)  # 0 wraps around to 255  # noqa: PLR2004
        for part in row_bands(flat.size, _SEARCHED)
    ]
    return np.concatenate(found)


def spread(values: Bytes) -> Bytes:
    """Repeat the value of every pixel, uint8 [n], for its four bytes, [4 n]."""
    return (values * _TO_FOUR_BYTES).view(np.uint8)


@dataclass(frozen=True, slots=True)
class Runs:
    """Some pixels as runs in a row between the same cells of a grid, so that most is computed once a run.

    Attributes:
        corners: Flat indices of the four cells around each run: above on the left and right, below the same, [4, r].
        counts: Pixels of each run, [r].
    """

    corners: Indices
    counts: Indices
    _down: Floats
    _across: Floats

    def interpolate(self, values: Floats) -> Floats:
        """Interpolate, bilinear.

        Args:
            values: Of the cells, float32 [m, 4]; ``corners`` are indices into them.

        Returns:
            float32 [4 n].
        """
        cells = values.view(FOUR_FLOATS)[:, 0]
        left, right = self._interpolate_down(cells, 0), self._interpolate_down(cells, 1)
        right -= left
        interpolated = np.repeat(right.view(FOUR_FLOATS), self.counts).view(np.float32)
        interpolated *= self._across
        interpolated += np.repeat(left.view(FOUR_FLOATS), self.counts).view(np.float32)
        return interpolated

    def _interpolate_down(self, cells: NDArray[np.void], column: int) -> Floats:
        upper, lower = (np.take(cells, self.corners[row + column]).view(np.float32) for row in (0, 2))
        lower -= upper
        lower *= self._down
        lower += upper
        line: Floats = lower
        return line

    def where(self, chosen: Bools) -> tuple[Indices, Self]:
        """Choose runs, bool [r]: the indices of their pixels among all, and the runs."""
        pixels = np.flatnonzero(np.repeat(chosen, self.counts))
        down, across = self._down.view(FOUR_FLOATS)[chosen], np.take(self._across.view(FOUR_FLOATS), pixels)
        runs = type(self)(self.corners[:, chosen], self.counts[chosen], down.view(np.float32), across.view(np.float32))
        return pixels, runs


class GridLines:
    """Where the pixels of a picture lie between the cells of a grid."""

    def __init__(self, shape: tuple[int, int], size: tuple[int, int]) -> None:
        """Prepare it.

        Args:
            shape: Rows and columns of the grid, (h, w).
            size: Rows and columns of the picture, (H, W).
        """
        self._shape, self._width = shape, size[1]
        self._y, down = neighbours(shape[0], size[0], np.arange(size[0]))
        self._x, across = neighbours(shape[1], size[1], np.arange(size[1]))
        self._down, self._across = (np.repeat(share, LANES).view(FOUR_FLOATS) for share in (down, across))

    def cells_around(self, places: Indices) -> Bools:
        """Mark the cells from which some pixels, flat indices [n], are interpolated: bool [h, w]."""
        marked = np.zeros(self._shape, np.bool_)
        for part in row_bands(places.size, PIXELS):
            rows, columns = self._rows_and_columns(places[part])
            marked.reshape(-1)[np.take(self._y, rows) * self._shape[1] + np.take(self._x, columns)] = True
        marked[1:] |= marked[:-1].copy()
        marked[:, 1:] |= marked[:, :-1].copy()
        return marked

    def runs(self, places: Indices, slots: Indices) -> Runs:
        """Sort pixels into runs.

        Args:
            places: Flat indices, ascending [n].
            slots: Where the values of each cell are, [h, w]; indices of ``Runs.corners`` are these.

        Returns:
            The runs.
        """
        rows, columns = self._rows_and_columns(places)
        before = np.take(self._x, columns)
        line = rows * self._shape[1] + before
        first = np.concatenate([[0], np.flatnonzero(line[1:] != line[:-1]) + 1])
        rows = rows[first]
        cells = np.take(self._y, rows) * self._shape[1] + before[first]
        corners = cells + np.array([[0], [1], [self._shape[1]], [self._shape[1] + 1]])
        counts = np.diff(first, append=places.size)
        down, across = np.take(self._down, rows), np.take(self._across, columns)
        corners = np.take(slots, corners, mode="clip")  # one beyond the end counts nothing
        return Runs(corners, counts, down.view(np.float32), across.view(np.float32))

    def _rows_and_columns(self, places: Indices) -> tuple[Indices, Indices]:
        rows = places // self._width
        return rows, places - rows * self._width
