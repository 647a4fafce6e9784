"""Full-size work where it is needed: strips of rows, and in each the columns that a soft edge touches.

A strip's pixels are packed into dense arrays, so that every step is one vectorised pass over contiguous memory that
fits the processor's cache; what lies between the edges costs nothing.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes, Floats, row_bands
from cutout.imaging.matting.grid import neighbours
from cutout.imaging.pixels import four_bytes

ROWS = 64
"""Rows of a strip: more pack more certain pixels along with the edge, fewer cost more calls."""
_GAP = 16
"""Columns between two edges that are packed along rather than starting another run."""


class Strip:
    """Some rows of an image, and runs of its columns."""

    def __init__(self, rows: slice, columns: NDArray[np.intp]) -> None:
        """Choose the pixels.

        Args:
            rows: Start and stop are given.
            columns: Ascending indices, at least one; those in narrow gaps are added.
        """
        breaks = np.flatnonzero(np.diff(columns) > _GAP)
        firsts = columns[np.concatenate([[0], breaks + 1])].tolist()
        lasts = columns[np.concatenate([breaks, [-1]])].tolist()
        self.rows = rows
        self._runs = [slice(first, last + 1) for first, last in zip(firsts, lasts, strict=True)]

    def pack(self, image: Bytes) -> Bytes:
        """Copy the strip's pixels.

        Args:
            image: uint8 [H, W] or [H, W, C].

        Returns:
            uint8 [rows, k] or [rows, k, C].
        """
        whole = four_bytes(image)
        if whole is None:
            return np.concatenate([image[self.rows, run] for run in self._runs], axis=1)
        words = whole.view(np.uint32)
        return np.concatenate([words[self.rows, run] for run in self._runs], axis=1).view(np.uint8)[..., :3]

    def pack_columns(self, line: NDArray[Any]) -> NDArray[Any]:
        """Copy what belongs to the strip's columns.

        Args:
            line: [W] of any type.

        Returns:
            [k] of the same type.
        """
        return np.concatenate([line[run] for run in self._runs])

    def unpack(self, pixels: Bytes, image: Bytes) -> None:
        """Put the strip's pixels back.

        Args:
            pixels: uint8 [rows, k] or [rows, k, C].
            image: uint8 [H, W] or [H, W, C], written to.
        """
        first = 0
        for run in self._runs:
            last = first + run.stop - run.start
            image[self.rows, run] = pixels[:, first:last]
            first = last


class Sampler:
    """Interpolates a grid that covers the image, bilinear, at the pixels of strips."""

    def __init__(self, grid: Floats | Bytes, size: tuple[int, int]) -> None:
        """Prepare the interpolation.

        Args:
            grid: float32 or uint8 [C, h, w].
            size: Rows and columns of the image, (H, W).
        """
        self._grid: NDArray[Any] = grid
        self._y, self._down = neighbours(grid.shape[1], size[0], np.arange(size[0]))
        self._x, self._across = neighbours(grid.shape[2], size[1], np.arange(size[1]))

    def __call__(self, strip: Strip) -> Floats:
        """Interpolate: across on the few rows of the grid, then down by one product of matrices.

        A grid of the image's own size is only packed.

        Args:
            strip: The pixels.

        Returns:
            float32 [C, rows, k].
        """
        if self._grid.shape[1:] == (self._y.size, self._x.size):
            return np.stack([strip.pack(plane) for plane in self._grid]).astype(np.float32, copy=False)
        y, down = self._y[strip.rows], self._down[strip.rows]
        x, across = strip.pack_columns(self._x), strip.pack_columns(self._across)
        first, last = int(y[0]), min(int(y[-1]) + 1, self._grid.shape[1] - 1)
        lines = self._grid[:, first : last + 1]
        values: Floats = np.take(lines, x, axis=2, mode="clip").astype(np.float32, copy=False)  # "clip" spares a pass
        right: Floats = np.take(lines, x + 1, axis=2, mode="clip") - values
        right *= across
        values += right
        weights = np.zeros((len(y), last - first + 1), np.float32)
        each = np.arange(len(y))
        weights[each, y - first] = 1 - down
        weights[each, np.minimum(y + 1, last) - first] += down
        sampled: Floats = weights @ values
        return sampled


def strips_along(band: Bools, size: tuple[int, int]) -> Iterator[Strip]:
    """Find the pixels that have a neighbour, in the sense of bilinear interpolation, within a band.

    Args:
        band: bool [h, w].
        size: Rows and columns of the image, (H, W).

    Yields:
        Strips from top to bottom; none where the band is not.
    """
    y, _ = neighbours(band.shape[0], size[0], np.arange(size[0]))
    x, _ = neighbours(band.shape[1], size[1], np.arange(size[1]))
    wide = band.copy()
    wide[:, :-1] |= band[:, 1:]
    for rows in row_bands(size[0], ROWS):
        across = wide[int(y[rows.start]) : int(y[rows.stop - 1]) + 2].any(axis=0)
        if across.any():
            yield Strip(rows, np.flatnonzero(np.take(across, x)))
