"""A coarse grid of local statistics: shrink an image onto it, fill it from known cells, sample it at pixels.

Whatever is smooth (local means, regression coefficients) is computed on the grid and only sampled at full size, so
the cost of matting hardly grows with the image. Grids are planar: float32 [C, h, w].
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats
from cutout.imaging.pixels import as_picture, as_pixels

STEP = 16
"""Sides of a grid are multiples of this, so that halving four times stays exact."""
OVERVIEW_PX = 1024
"""The side of the largest models' input."""
GUIDE_PX = OVERVIEW_PX // 2
"""The side of the finest grid."""
_LEAST_WEIGHT = 1e-6
_TRUST = 8
"""A cell whose known share is above 1 / _TRUST keeps its own value; others take part from the next coarser level."""


def overview(image: Bytes) -> Bytes:
    """Squash a photo to a square, once for the model and for every grid.

    Args:
        image: uint8 [H, W, 3].

    Returns:
        uint8 [OVERVIEW_PX, OVERVIEW_PX, 3]; the image itself where it has less than half as many pixels.
    """
    height, width = image.shape[:2]
    side = (OVERVIEW_PX, OVERVIEW_PX)
    if height * width < OVERVIEW_PX**2 // 2 or (height, width) == side:
        return image
    picture = as_picture(image).reduce(max(1, min(height, width) // OVERVIEW_PX))
    return as_pixels(picture.resize(side, Image.Resampling.BILINEAR))


def guide_of(small: Bytes) -> Bytes:
    """Halve an overview: all that the grids of alpha and of colours need.

    Args:
        small: What :func:`overview` gave.

    Returns:
        uint8 [GUIDE_PX, GUIDE_PX, 3]; what is smaller than an overview, itself.
    """
    return as_pixels(as_picture(small).reduce(2)) if small.shape[:2] == (OVERVIEW_PX, OVERVIEW_PX) else small


def grid_shape(height: int, width: int, longest: int) -> tuple[int, int]:
    """Choose the size of the grid for an image: about its aspect, sides in multiples of STEP.

    Args:
        height: Rows of the image.
        width: Columns of the image.
        longest: Cells of the grid's longer side, at most.

    Returns:
        Rows and columns of the grid.
    """
    scale = min(1.0, longest / max(height, width))
    rows, columns = (max(1, round(side * scale / STEP)) * STEP for side in (height, width))
    return rows, columns


def shrink(image: Bytes, shape: tuple[int, int]) -> Floats:
    """Average an image onto the grid.

    Args:
        image: uint8 [H, W] or [H, W, 3].
        shape: Rows and columns of the grid, (h, w).

    Returns:
        float32 [1 or 3, h, w] in 0..1.
    """
    small = average(image, shape, 1.3).reshape(*shape, -1).transpose(2, 0, 1)
    return np.ascontiguousarray(small) * np.float32(1 / 255)


def average(image: Bytes, shape: tuple[int, int], gap: float | None = None) -> Bytes:
    """Average an image onto the grid, in bytes; at once where a cell is a whole number of pixels.

    Args:
        image: uint8 [H, W] or [H, W, 3].
        shape: Rows and columns of the grid, (h, w).
        gap: An image more than so many times larger than the grid is first reduced to it, roughly and fast; None:
            never.

    Returns:
        uint8 [h, w], or [h, w, 3] in four bytes a pixel; the image itself where it has that size.
    """
    if image.shape[:2] == shape:
        return image
    is_whole = image.shape[0] % shape[0] == 0 and image.shape[1] % shape[1] == 0
    picture = as_picture(image)
    small = picture.resize((shape[1], shape[0]), Image.Resampling.BOX, reducing_gap=1.0 if is_whole else gap)
    return np.asarray(small) if image.ndim == 2 else as_pixels(small)  # noqa: PLR2004


def halve(values: Floats) -> Floats:
    """Average blocks of 2 x 2 cells.

    Args:
        values: float32 [C, h, w], h and w even.

    Returns:
        float32 [C, h / 2, w / 2].
    """
    rows = values[:, 0::2] + values[:, 1::2]
    columns: Floats = rows[..., 0::2] + rows[..., 1::2]
    columns *= np.float32(0.25)
    return columns


def double(values: Floats) -> Floats:
    """Enlarge by two, bilinear, with edges repeated.

    Args:
        values: float32 [C, h, w].

    Returns:
        float32 [C, 2h, 2w].
    """
    planes, rows, columns = values.shape
    wide = np.empty((planes, rows, 2 * columns), np.float32)  # columns first: only they are written with gaps
    quarter = values * np.float32(1 / 16)
    near = quarter * np.float32(3)
    np.add(near[..., 1:], quarter[..., :-1], out=wide[..., 2::2])
    np.add(near[..., :-1], quarter[..., 1:], out=wide[..., 1:-1:2])
    np.add(near[..., 0], quarter[..., 0], out=wide[..., 0])
    np.add(near[..., -1], quarter[..., -1], out=wide[..., -1])
    tall = np.empty((planes, 2 * rows, 2 * columns), np.float32)
    near = wide * np.float32(3)
    np.add(near[:, 1:], wide[:, :-1], out=tall[:, 2::2])
    np.add(near[:, :-1], wide[:, 1:], out=tall[:, 1:-1:2])
    np.add(near[:, 0], wide[:, 0], out=tall[:, 0])
    np.add(near[:, -1], wide[:, -1], out=tall[:, -1])
    return tall


def pull_push(colours: Floats, weight: Floats) -> Floats:
    """Fill the grid with the weighted mean colour of the nearest cells that have weight.

    Args:
        colours: float32 [3, h, w].
        weight: float32 [1, h, w] in 0..1. Where no cell has any weight, the result is the plain mean.

    Returns:
        float32 [3, h, w].
    """
    return fill(np.concatenate([colours * weight, weight]), colours)


def fill(weighted: Floats, colours: Floats) -> Floats:
    """Fill the grid as :func:`pull_push` does, from colours that are weighted already.

    The pull-push pyramid of Gortler et al., The Lumigraph (SIGGRAPH 1996); linear in the number of cells.

    Args:
        weighted: Weighted colours, and the weight: float32 [4, h, w]; overwritten.
        colours: The colours themselves, float32 [3, h, w]; their mean is taken where no cell has any weight.

    Returns:
        float32 [3, h, w].
    """
    levels = [weighted]
    while levels[-1].shape[1] % 2 == 0 and levels[-1].shape[2] % 2 == 0:
        levels.append(halve(levels[-1]))
    total = levels[-1].mean(axis=(1, 2), keepdims=True)
    has_weight = float(total[3, 0, 0]) > _LEAST_WEIGHT
    mean = total[:3] / total[3:] if has_weight else colours.mean(axis=(1, 2), keepdims=True)
    filled: Floats = np.ones((3, *levels[-1].shape[1:]), np.float32) * mean
    for level in reversed(levels):
        if level.shape[1] != filled.shape[1]:
            filled = double(filled)
        blend(filled, level[:3], level[3])
    return filled


def blend(filled: Floats, weighted: Floats, weight: Floats) -> None:
    """Let cells that are known to a sufficient share keep their own colour.

    Args:
        filled: What they have from the next coarser level, float32 [3, ...]; written to.
        weighted: Their own colour times weight, of the same shape; overwritten.
        weight: float32 [...] in 0..1.
    """
    trust = np.minimum(weight * _TRUST, 1)
    filled *= 1 - trust
    trust /= np.maximum(weight, _LEAST_WEIGHT)
    weighted *= trust
    filled += weighted


def sample_bilinear(values: Floats, pixels: NDArray[np.intp], top: int, size: tuple[int, int]) -> Floats:
    """Interpolate the grid at some pixels of the image that it covers.

    Args:
        values: The grid, float32 [C, h, w].
        pixels: Flat indices [n], ascending, counted from the start of row ``top``.
        top: First row of the band that ``pixels`` index.
        size: Rows and columns of the whole image, (H, W).

    Returns:
        float32 [C, n].
    """
    height, width = size
    down, across = np.divmod(pixels.astype(np.int32), np.int32(width))
    first, last = (int(down[0]), int(down[-1])) if pixels.size else (0, 0)
    y, y_share = neighbours(values.shape[1], height, np.arange(top + first, top + last + 1))
    x, x_share = neighbours(values.shape[2], width, np.arange(width))
    lines = np.pad(values, ((0, 0), (0, 1), (0, 1)), mode="edge")
    lines = lines[:, y] + y_share[:, None] * (lines[:, y + 1] - lines[:, y])
    at = (down - first) * np.int32(lines.shape[2]) + x[across]
    share = x_share[across]
    result = np.empty((len(values), pixels.size), np.float32)
    for channel, line in enumerate(lines.reshape(len(values), -1)):
        left = np.take(line, at, mode="clip")  # "clip" spares a second pass that looks for bad indices
        right = np.take(line, at + 1, mode="clip")
        right -= left
        right *= share
        np.add(left, right, out=result[channel])
    return result


class GridSampler:
    """Interpolates a grid at the cells of a finer one over the same picture, bilinear."""

    def __init__(self, values: Floats, shape: tuple[int, int]) -> None:
        """Prepare the interpolation.

        Args:
            values: The grid, float32 [C, h, w].
            shape: Rows and columns of the finer grid.
        """
        self._values, self._columns = values.reshape(len(values), -1), values.shape[2]
        self._y, self._down = neighbours(values.shape[1], shape[0], np.arange(shape[0]))
        self._x, self._across = neighbours(values.shape[2], shape[1], np.arange(shape[1]))

    def __call__(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        """Interpolate.

        Args:
            rows: Of the finer grid's cells, [n].
            columns: The same.

        Returns:
            float32 [C, n].
        """
        at, across = self._y[rows] * self._columns + self._x[columns], self._across[columns]
        upper, lower = self._line(at, across), self._line(at + self._columns, across)
        lower -= upper
        lower *= self._down[rows]
        lower += upper
        return lower

    def _line(self, at: NDArray[np.intp], across: Floats) -> Floats:
        left: Floats = np.take(self._values, at, axis=1, mode="clip")  # one beyond the end counts nothing
        right = np.take(self._values, at + 1, axis=1, mode="clip")
        right -= left
        right *= across
        left += right
        return left


def upsample_rows(plane: Floats, size: tuple[int, int], rows: slice) -> Floats:
    """Resize a plane, bilinear, and return some rows: the same numbers as resizing all of it.

    Args:
        plane: float32 [h, w] in 0..1.
        size: Rows and columns of the full size, (H, W).
        rows: The rows to return; start and stop given.

    Returns:
        float32 [rows, W] in 0..1.
    """
    scale = plane.shape[0] / size[0]
    reach = 2 + int(scale)  # the filter's, which needs no other rows
    first, last = max(0, int(rows.start * scale) - reach), int(rows.stop * scale) + reach
    box = (0.0, rows.start * scale - first, float(plane.shape[1]), rows.stop * scale - first)
    part = Image.fromarray(plane[first:last]).resize(
        (size[1], rows.stop - rows.start), Image.Resampling.BILINEAR, box=box
    )
    values: Floats = np.clip(np.asarray(part), 0, 1)
    return values


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
