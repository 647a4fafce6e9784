"""Full-size work around the cells of a smaller plane: the pixels between four neighbouring cells are a patch.

Bilinear interpolation needs the four values once a patch instead of once a pixel. Patches, many at a time, are dense
arrays, in which every step is one vectorised pass that stays in the processor's cache.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Floats, row_bands

Indices = NDArray[np.intp]
CellValues = Callable[[Indices, Indices], Floats]
"""Maps rows and columns of cells, [n] each, to k values of each, float32 [k, n]."""
_PIXELS = 1 << 15
"""Pixels of the patches that are worked on at once."""


class Axis:
    """Where pixels lie between the cells of one axis, and so between which cells a patch lies.

    Where there are as many cells as pixels, each cell is a patch by itself. Else there is one patch before each cell
    and one after the last; those at both ends lie beyond the outermost cells, of which they have the value.
    """

    def __init__(self, cells: int, pixels: int) -> None:
        """Divide the axis.

        Args:
            cells: Cells along the axis.
            pixels: Pixels along the same, at least as many.
        """
        self.is_whole = cells == pixels
        centres = np.zeros(cells) if self.is_whole else (np.arange(pixels) + 0.5) * (cells / pixels) + 0.5
        patches = np.arange(cells if self.is_whole else cells + 1)
        first = patches if self.is_whole else np.searchsorted(centres, patches)
        counts = np.diff(first, append=pixels)
        self.pixels: Indices = first + np.minimum(np.arange(counts.max())[:, None], counts - 1)
        """Index of each patch's pixels, as many for all patches: the last one may come twice, [k, patches]."""
        self.shares: Floats = (centres[self.pixels] - patches).astype(np.float32)
        """Share of the cell after them, in 0..1 [k, patches]."""
        self.before: Indices = patches if self.is_whole else np.maximum(patches - 1, 0)
        self.after: Indices = np.minimum(patches, cells - 1)
        """The cells before and after each patch, [patches]."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Some patches: n of them, each ``a`` rows by ``b`` columns of pixels.

    Attributes:
        places: Flat index of the pixels in the picture, [a, b, n].
    """

    places: Indices
    _down: Axis
    _across: Axis
    _rows: Indices
    _columns: Indices

    @classmethod
    def at(cls, chosen: Indices, axes: tuple[Axis, Axis]) -> Self:
        """Collect patches.

        Args:
            chosen: Flat indices of patches [n], see :func:`parts`.
            axes: Down and across.

        Returns:
            The patches.
        """
        down, across = axes
        rows, columns = np.divmod(chosen, across.before.size)
        width = int(across.pixels[-1, -1]) + 1
        places = np.take(down.pixels * width, rows, axis=1)[:, None] + np.take(across.pixels, columns, axis=1)
        return cls(places, down, across, rows, columns)

    def interpolate(self, values: CellValues) -> Floats:
        """Interpolate, bilinear: down between the cells' rows, then across.

        Args:
            values: Of the cells.

        Returns:
            float32 [k, a, b, n].
        """
        left = self._interpolate_down(values, self._across.before[self._columns])
        if self._across.is_whole:
            return left
        right = self._interpolate_down(values, self._across.after[self._columns])
        right -= left
        interpolated: Floats = right * np.take(self._across.shares, self._columns, axis=1)
        interpolated += left
        return interpolated

    def _interpolate_down(self, values: CellValues, columns: Indices) -> Floats:
        """Give float32 [k, a, 1, n]."""
        upper = values(self._down.before[self._rows], columns)[:, None, None]
        if self._down.is_whole:
            return upper
        lower = values(self._down.after[self._rows], columns)[:, None, None]
        lower -= upper
        lines: Floats = lower * np.take(self._down.shares, self._rows, axis=1)[:, None]
        lines += upper
        return lines


def reached(cells: Bools, axes: tuple[Axis, Axis]) -> Bools:
    """Mark the patches that are interpolated from any of some cells.

    Args:
        cells: Which, bool [h, w].
        axes: Down and across.

    Returns:
        bool, as many rows and columns as the axes have patches.
    """
    marked = np.zeros((axes[0].before.size, axes[1].before.size), np.bool_)
    height, width = cells.shape
    marked[:height, :width] = cells
    if not axes[1].is_whole:
        marked[:height, 1:] |= cells
    if not axes[0].is_whole:
        marked[1:] |= marked[:height].copy()
    return marked


def parts(marked: Bools, axes: tuple[Axis, Axis]) -> list[Indices]:
    """List patches, in parts that fit the processor's cache.

    Args:
        marked: Which, see :func:`reached`.
        axes: Down and across.

    Returns:
        Flat indices of patches.
    """
    chosen = np.flatnonzero(marked)
    step = max(1, _PIXELS // (len(axes[0].pixels) * len(axes[1].pixels)))
    return [chosen[part] for part in row_bands(chosen.size, step)]
