"""The coarse grid of local statistics: shrink a picture onto it, spread known colours over it, read it per pixel.

Whatever is smooth (local means, regression coefficients) is computed on the grid and only read at full size, so the
cost of refinement hardly grows with the picture. Pure functions on arrays.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

GRID_PX = 512
"""Longest side of the grid. Feasibility measurements: means at <= 1024 px cost .8/255 in the soft band."""
_LEAST_WEIGHT = 1e-6
STEP = 32
"""Both sides are multiples of this, so that cells of 2**n pixels tile the grid for n up to 5."""


def grid_shape(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the grid for a picture: aspect about kept, multiples of STEP, at most GRID_PX."""
    scale = min(1.0, GRID_PX / max(height, width))
    return tuple(max(1, round(side * scale / STEP)) * STEP for side in (height, width))  # type: ignore[return-value]


def shrink(plane: NDArray[np.uint8], shape: tuple[int, int]) -> Floats:
    """uint8 [H, W] or [H, W, 3] averaged onto the grid: float32 in 0..1."""
    small = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling.BOX)
    values: Floats = np.asarray(small, dtype=np.float32) / np.float32(255)
    return values


def cells(values: Floats, size: int) -> Floats:
    """Means of cells of ``size`` x ``size``: [h, w, C] -> [h / size, w / size, C]."""
    rows, columns, channels = values.shape
    blocks = values.reshape(rows // size, size, columns // size, size, channels)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def double(values: Floats) -> Floats:
    """Bilinear enlargement by two: [h, w, C] -> [2h, 2w, C], edges repeated."""
    for axis in (0, 1):
        ahead = np.concatenate([values[1:], values[-1:]]) if axis == 0 else _right(values, 1)
        behind = np.concatenate([values[:1], values[:-1]]) if axis == 0 else _right(values, -1)
        pair = np.stack([values * 0.75 + behind * 0.25, values * 0.75 + ahead * 0.25], axis=axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pair.reshape(shape).astype(np.float32, copy=False)
    return values


def _right(values: Floats, step: int) -> Floats:
    columns = np.clip(np.arange(values.shape[1]) + step, 0, values.shape[1] - 1)
    return values[:, columns]


def spread(colours: Floats, weight: Floats) -> Floats:
    """Weighted local mean of ``colours`` everywhere, from as near as there is weight (pull-push pyramid).

    colours: [h, w, 3]; weight: [h, w, 1] in 0..1. Linear time. Where the whole grid has no weight: the plain mean.
    """
    levels = [np.concatenate([colours * weight, weight], axis=-1)]
    while min(levels[-1].shape[:2]) % 2 == 0 and min(levels[-1].shape[:2]) > 1:
        levels.append(cells(levels[-1], 2))
    total = levels[-1].mean(axis=(0, 1), keepdims=True)
    anything = float(total[0, 0, 3]) > _LEAST_WEIGHT
    known = total[..., :3] / total[..., 3:] if anything else colours.mean(axis=(0, 1), keepdims=True)
    known = np.broadcast_to(known, (*levels[-1].shape[:2], 3)).astype(np.float32)
    for level in reversed(levels):
        if level.shape[0] != known.shape[0]:
            known = double(known)
        near = level[..., 3:]
        trust = np.minimum(near * 4, 1)
        mean = level[..., :3] / np.maximum(near, 1e-6)
        known = known + trust * (mean - known)
    return known


def read(values: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], size: tuple[int, int]) -> Floats:
    """Bilinear values of the grid [h, w, C] at pixels (rows, columns) of a picture of ``size`` (H, W): [n, C]."""
    y0, y1, fy = _taps(rows, values.shape[0], size[0])
    x0, x1, fx = _taps(columns, values.shape[1], size[1])
    flat = values.reshape(-1, values.shape[2])
    width = values.shape[1]
    upper = flat[y0 * width + x0]
    upper += fx * (flat[y0 * width + x1] - upper)
    lower = flat[y1 * width + x0]
    lower += fx * (flat[y1 * width + x1] - lower)
    upper += fy * (lower - upper)
    return upper


def _taps(at: NDArray[np.intp], cells_along: int, pixels: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """The two neighbours along one axis for every pixel of it, then picked for ``at``."""
    centre = np.clip((np.arange(pixels, dtype=np.float32) + 0.5) * (cells_along / pixels) - 0.5, 0, cells_along - 1)
    low = centre.astype(np.intp)
    share = (centre - low).astype(np.float32)[at]
    return low[at], np.minimum(low + 1, cells_along - 1)[at], share[:, None]
