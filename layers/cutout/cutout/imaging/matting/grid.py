"""A coarse grid of local statistics: shrink an image onto it, sample it at pixels.

Whatever is smooth (local means, regression coefficients) is computed on the grid and only sampled at full size, so
the cost of matting hardly grows with the image. Grids are planar: float32 [C, h, w].
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.arrays import Bools, Bytes, Floats
from cutout.imaging.pixels import as_picture, as_pixels
from cutout.imaging.resampling import neighbours, squash

STEP = 16
"""Sides of a grid are multiples of this, so that halving four times stays exact."""
GUIDE_PX = 512
"""Pixels that the side of a large photo's guide has at least; the finest grid has as many cells."""


def guide_of(image: Bytes, seen: Bytes) -> Bytes:
    """Choose the picture from which all grids are averaged: small, but no coarser than any of them.

    Args:
        image: The photo, uint8 [H, W, 3].
        seen: The same as the model sees it, squashed to a square, uint8 [S, S, 3].

    Returns:
        uint8 [h, w, 3]: ``seen``, reduced to GUIDE_PX or a little more, or the photo so where a model sees less than
        twice that; a photo of few pixels itself.
    """
    if image.shape[0] * image.shape[1] < 2 * GUIDE_PX**2:
        return image
    source = seen if min(seen.shape[:2]) >= 2 * GUIDE_PX else squash(image, 2 * GUIDE_PX)
    return as_pixels(as_picture(source).reduce(min(source.shape[:2]) // GUIDE_PX))


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


def neighbourhood_extremes(plane: Bytes) -> tuple[Bytes, Bytes]:
    """Find the lowest and the highest value in the 3 x 3 neighbourhood of every pixel.

    Args:
        plane: uint8 [h, w].

    Returns:
        Two planes, uint8 [h, w].
    """
    return _extremes(plane, np.minimum), _extremes(plane, np.maximum)


def dilate(mask: Bools) -> Bools:
    """Set the eight neighbours of every cell that is set, bool [h, w]."""
    return _extremes(mask.view(np.uint8), np.maximum).view(np.bool_)


def _extremes(plane: Bytes, extreme: np.ufunc) -> Bytes:
    tall = plane.copy()
    extreme(tall[1:], plane[:-1], out=tall[1:])
    extreme(tall[:-1], plane[1:], out=tall[:-1])
    wide = tall.copy()
    extreme(wide[:, 1:], tall[:, :-1], out=wide[:, 1:])
    extreme(wide[:, :-1], tall[:, 1:], out=wide[:, :-1])
    return wide
