"""Full-size work where it is needed: the pixels of a soft edge, and no others.

Strip by strip, these pixels are taken out of the picture into dense arrays, so that every step is one vectorised pass
over contiguous memory that fits the processor's cache; what lies between the edges costs nothing.

Colours stay as Pillow keeps them, four values a pixel, of which the fourth means nothing: in one long line of floats
all colours are computed at once, and nothing has to be sorted into channels.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes, Floats, row_bands
from cutout.imaging.matting.grid import neighbours

LANES = 4
"""Values a pixel."""
STRIP_PX = 1 << 18
"""Pixels of a strip, those between the edges included: more leave the cache, fewer cost more calls."""
_FOUR_FLOATS = np.dtype((np.void, 16))
"""A cell, or a pixel, of LANES values, which numpy moves at once."""
_UNCHECKED: Literal["clip"] = "clip"
"""Mode of ``np.take`` that spares the pass which looks for bad places; one beyond the end is the last."""
_TO_FOUR_BYTES = np.uint32(0x01010101)


class Pixels:
    """Some pixels of a strip of rows."""

    def __init__(self, rows: slice, columns: NDArray[np.intp], mask: Bools, width: int) -> None:
        """Choose them.

        Args:
            rows: Start and stop are given.
            columns: Ascending indices [k].
            mask: Which pixels of these rows and columns, bool [rows, k].
            width: Columns of the picture.
        """
        self.rows, self.columns = rows, columns
        self.down, self.across = np.divmod(np.flatnonzero(mask), columns.size)
        """Index of each one's row and column among these, [n]."""
        self._places = (self.down + rows.start) * width + np.take(columns, self.across, mode=_UNCHECKED)

    def take(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Copy the pixels.

        Args:
            plane: [H, W] of any type, contiguous.

        Returns:
            [n] of the same type.
        """
        taken: NDArray[Any] = np.take(plane.reshape(-1), self._places, mode=_UNCHECKED)
        return taken

    def put(self, values: NDArray[Any], plane: NDArray[Any]) -> None:
        """Put pixels back.

        Args:
            values: [n].
            plane: [H, W] of the same type, contiguous; written to.
        """
        plane.reshape(-1)[self._places] = values


class Sampler:
    """Interpolates grids that cover the picture, bilinear, at some of its pixels."""

    def __init__(self, grids: Sequence[Bytes | Floats], size: tuple[int, int]) -> None:
        """Prepare the interpolation.

        Args:
            grids: All uint8 [h, w], or all float32 [h, w, 4].
            size: Rows and columns of the picture, (H, W).
        """
        self._lanes = 1 if grids[0].ndim == 2 else LANES  # noqa: PLR2004
        self._grids: list[NDArray[Any]] = [
            grid if self._lanes == 1 else grid.view(_FOUR_FLOATS)[..., 0] for grid in grids
        ]
        self._is_whole = self._grids[0].shape == size
        self._y, self._down = neighbours(grids[0].shape[0], size[0], np.arange(size[0]))
        self._x, self._across = neighbours(grids[0].shape[1], size[1], np.arange(size[1]))

    def __call__(self, pixels: Pixels) -> list[Floats]:
        """Interpolate: across on the few rows of the grid, then down.

        Args:
            pixels: Where.

        Returns:
            For each grid, float32 [n], or [4 n] if it has four values a cell.
        """
        if self._is_whole:
            return [_floats(pixels.take(grid)) for grid in self._grids]
        y, x = self._y[pixels.rows], np.take(self._x, pixels.columns)
        first, last = y[0], min(y[-1] + 1, len(self._grids[0]) - 1)
        across = np.repeat(np.take(self._across, pixels.columns), self._lanes)
        upper, lower = (
            np.take((line - first) * np.intp(x.size), pixels.down, mode=_UNCHECKED) + pixels.across
            for line in (y, np.minimum(y + 1, last))
        )
        down = np.repeat(np.take(self._down[pixels.rows], pixels.down, mode=_UNCHECKED), self._lanes)
        sampled = []
        for grid in self._grids:
            lines = _take(grid[first : last + 1], x, axis=1)
            lines += _scaled(_take(grid[first : last + 1], x + 1, axis=1), lines, across)
            cells = lines if self._lanes == 1 else lines.view(_FOUR_FLOATS)
            values = _take(cells.reshape(-1), upper)
            values += _scaled(_take(cells.reshape(-1), lower), values, down)
            sampled.append(values)
        return sampled


def _take(cells: NDArray[Any], places: NDArray[Any], axis: int = 0) -> Floats:
    return _floats(np.take(cells, places, axis=axis, mode=_UNCHECKED))


def _floats(cells: NDArray[Any]) -> Floats:
    return cells.view(np.float32) if cells.dtype == _FOUR_FLOATS else cells.astype(np.float32, copy=False)


def _scaled(values: Floats, less: Floats, factors: Floats) -> Floats:
    """Compute (values - less) * factors in the first one's memory."""
    values -= less
    values *= factors
    return values


def spread(values: NDArray[Any]) -> NDArray[Any]:
    """Repeat the value of every pixel for its four.

    Args:
        values: [n] of any type.

    Returns:
        [4 n] of the same type.
    """
    if values.dtype == np.uint8:
        return (values * _TO_FOUR_BYTES).view(np.uint8)
    return np.repeat(values, LANES)


def soft_pixels(alpha: Bytes) -> Iterator[Pixels]:
    """Find the pixels whose alpha is neither 0 nor 255.

    Args:
        alpha: uint8 [H, W].

    Yields:
        Those of some rows, from top to bottom; at least one.
    """
    for rows in _strips(*alpha.shape):
        soft = alpha[rows] - np.uint8(1) < 254  # 0 wraps around to 255  # noqa: PLR2004
        columns = np.flatnonzero(soft.any(axis=0))
        if columns.size:
            yield Pixels(rows, columns, np.take(soft, columns, axis=1, mode=_UNCHECKED), alpha.shape[1])


def pixels_around(band: Bools, size: tuple[int, int]) -> Iterator[Pixels]:
    """Find the pixels that have a neighbour, in the sense of bilinear interpolation, within a band.

    Args:
        band: bool [h, w].
        size: Rows and columns of the picture, (H, W).

    Yields:
        Those of some rows, from top to bottom; at least one.
    """
    y, _ = neighbours(band.shape[0], size[0], np.arange(size[0]))
    x, _ = neighbours(band.shape[1], size[1], np.arange(size[1]))
    wide = band.copy()
    wide[:, :-1] |= band[:, 1:]
    wide[:-1] |= wide[1:]
    for rows in _strips(*size):
        across = wide[y[rows.start] : y[rows.stop - 1] + 1]
        columns = np.flatnonzero(np.take(across.any(axis=0), x))
        if columns.size:
            mask = np.take(across, x[columns], axis=1, mode=_UNCHECKED)[y[rows] - y[rows.start]]
            yield Pixels(rows, columns, mask, size[1])


def _strips(height: int, width: int) -> Iterator[slice]:
    return row_bands(height, max(1, STRIP_PX // width))
