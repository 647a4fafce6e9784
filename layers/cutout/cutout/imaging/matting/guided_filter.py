"""The fast guided filter's regression of alpha on colour, on a coarse grid (He, Sun, arXiv:1505.00996).

The guide is blurred a little, because the model's alpha is: a sharper one would explain the blur instead of the edge.
"""

import numpy as np

from cutout.imaging.arrays import Bools, Bytes, Floats
from cutout.imaging.matting.grid import average, dilate, grid_shape
from cutout.imaging.matting.patches import Indices
from cutout.imaging.pixels import packed

RIDGE = 5e-5
"""Regularisation, in squared colour of 0..1: the variance below which colour says nothing (noise)."""
_PAIRS = [(one, other) for one in range(3) for other in range(one, 4)]
"""Products of red, green, blue and alpha that the regression needs."""
_CELL = 4
"""A cell of the regression is 4 x 4 grid pixels, a window 3 x 3 cells."""


def fit_guided_filter(image: Bytes, alpha: Bytes, longest: int, band: Bools) -> Floats:
    """Regress alpha on colour in every window of a grid over the image that touches the band.

    Args:
        image: The guide, uint8 [H, W, 3].
        alpha: uint8 [h, w], of any size.
        longest: Cells along the grid's longer side, at most.
        band: Where coefficients are wanted, bool [h, w].

    Returns:
        Three slopes (alpha in 0..255 by colour in 0..255) and the offset per cell, float32 [4, rows, columns]; 0 far
        from the band.
    """
    rows, columns = grid_shape(image.shape[0], image.shape[1], longest)
    cells = rows // _CELL, columns // _CELL
    wanted = dilate(average(band.view(np.uint8) * np.uint8(255), cells, 1.0) > 0)
    read = np.flatnonzero(dilate(wanted))
    shape = (cells[0] * _CELL, cells[1] * _CELL)
    guide, aim = _blur(average(image, shape)), average(alpha, shape)
    values = np.concatenate([_cell_pixels(guide, read), _cell_pixels(aim, read)])
    moments = np.zeros((len(_PAIRS) + 4, cells[0] * cells[1]), np.float32)
    moments[:, read] = [*((values[one] * values[other]).sum(axis=0) for one, other in _PAIRS), *values.sum(axis=1)]
    windows = _window_sums(moments.reshape(-1, *cells))[:, wanted] * np.float32(1 / (9 * _CELL**2))
    fit = np.zeros((4, *cells), np.float32)
    fit[:, wanted] = _regress(windows[:-4], windows[-4:])
    return fit


def _regress(products: Floats, means: Floats) -> Floats:
    """Solve the regression of every window by Cramer's rule: slopes and offset, float32 [4, n].

    Args:
        products: Means of the products that ``_PAIRS`` lists, float32 [9, n].
        means: Of red, green, blue and alpha, in 0..1, float32 [4, n].
    """
    products, means = products.astype(np.float64), means.astype(np.float64)  # in grey, all but the ridge cancels
    each = zip(_PAIRS, products, strict=True)
    covariance = {(one, other): product - means[one] * means[other] for (one, other), product in each}
    rr, gg, bb = (covariance[channel, channel] + RIDGE for channel in range(3))
    rg, rb, gb = covariance[0, 1], covariance[0, 2], covariance[1, 2]
    adjugate = (
        (gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg),
        (rb * gb - rg * bb, rr * bb - rb * rb, rb * rg - rr * gb),
        (rg * gb - rb * gg, rb * rg - rr * gb, rr * gg - rg * rg),
    )
    determinant = rr * adjugate[0][0] + rg * adjugate[0][1] + rb * adjugate[0][2]
    towards = [covariance[channel, 3] for channel in range(3)]
    slopes = [sum(part * way for part, way in zip(row, towards, strict=True)) / determinant for row in adjugate]
    offset = means[3] - sum(slope * mean for slope, mean in zip(slopes, means, strict=False))
    fit: Floats = np.array([*slopes, offset * 255], np.float32)
    return fit


def _blur(colours: Bytes) -> Bytes:
    """Weigh each pixel with its neighbours, 1 4 1 along both axes and edges repeated: uint8 [h, w, 3]."""
    padded = np.pad(packed(colours), 1, mode="edge")
    values = padded.view(np.uint8).reshape(*padded.shape, -1).astype(np.uint16)
    rows = values[:-2] + 4 * values[1:-1] + values[2:]
    sums = rows[:, :-2] + 4 * rows[:, 1:-1] + rows[:, 2:]
    sums += 18
    sums //= 36
    blurred: Bytes = sums.astype(np.uint8)[..., :3]
    return blurred


def _cell_pixels(grid: Bytes, read: Indices) -> Floats:
    """Take the pixels of some cells, flat indices [n], from uint8 [h, w] or [h, w, 3]: float32 [C, 16, n] in 0..1.

    Four pixels in a row are taken at once: 4 bytes, or 16.
    """
    lines = grid.view(np.uint32) if grid.ndim == 2 else packed(grid).view(np.complex128)  # noqa: PLR2004
    across = grid.shape[1] // _CELL
    rows, columns = np.divmod(read, across)
    taken = np.take(lines, (rows * _CELL + np.arange(_CELL)[:, None]) * across + columns).view(np.uint8)
    pixels = taken.reshape(_CELL, read.size, _CELL, -1).transpose(3, 0, 2, 1)[:3]
    values: Floats = pixels.astype(np.float32, order="C").reshape(-1, _CELL**2, read.size)
    values *= np.float32(1 / 255)
    return values


def _window_sums(moments: Floats) -> Floats:
    """Sum the 3 x 3 cells around each one, edges repeated: [C, h, w]."""
    padded = np.pad(moments, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    sums: Floats = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    return sums
