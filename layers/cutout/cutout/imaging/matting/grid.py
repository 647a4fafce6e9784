"""The coarse grid of local statistics: shrink a picture onto it, spread known colours over it, read it per pixel.

Whatever is smooth (local means, regression coefficients) is computed on the grid and only read at full size, so the
cost of refinement hardly grows with the picture. Grids are planar, float32 [C, h, w]. Pure functions on arrays.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

STEP = 16
"""Sides of a grid are multiples of this, so that halving four times stays exact."""
_LEAST_WEIGHT = 1e-6
_TRUST = 8
"""A cell whose known share is above 1 / _TRUST speaks for itself, the others ask the next coarser level too."""


def grid_shape(height: int, width: int, longest: int) -> tuple[int, int]:
    """Rows and columns of the grid for a picture: aspect about kept, multiples of STEP, at most ``longest``."""
    scale = min(1.0, longest / max(height, width))
    rows, columns = (max(1, round(side * scale / STEP)) * STEP for side in (height, width))
    return rows, columns


def shrink(picture: NDArray[np.uint8], shape: tuple[int, int]) -> Floats:
    """Uint8 [H, W] or [H, W, 3] averaged onto the grid: float32 [1 or 3, h, w] in 0..1."""
    small = Image.fromarray(picture).resize((shape[1], shape[0]), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float32).reshape(*shape, -1).transpose(2, 0, 1)
    return np.ascontiguousarray(values) / np.float32(255)


def halve(values: Floats) -> Floats:
    """Means of 2 x 2 cells: [C, h, w] -> [C, h / 2, w / 2]."""
    rows = values[:, 0::2] + values[:, 1::2]
    columns: Floats = rows[..., 0::2] + rows[..., 1::2]
    columns *= np.float32(0.25)
    return columns


def double(values: Floats) -> Floats:
    """Bilinear enlargement by two: [C, h, w] -> [C, 2h, 2w], edges repeated."""
    planes, rows, columns = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")
    padded *= np.float32(0.25)
    tall = np.empty((planes, 2 * rows, columns + 2), np.float32)
    near = padded[:, 1:-1] * np.float32(3)
    np.add(near, padded[:, :-2], out=tall[:, 0::2])
    np.add(near, padded[:, 2:], out=tall[:, 1::2])
    tall *= np.float32(0.25)
    wide = np.empty((planes, 2 * rows, 2 * columns), np.float32)
    near = tall[..., 1:-1] * np.float32(3)
    np.add(near, tall[..., :-2], out=wide[..., 0::2])
    np.add(near, tall[..., 2:], out=wide[..., 1::2])
    return wide


def spread(colours: Floats, weight: Floats) -> Floats:
    """Weighted local mean of ``colours`` everywhere, from as near as there is weight (pull-push pyramid).

    colours: [3, h, w]; weight: [1, h, w] in 0..1. Linear time. Where the whole grid has no weight: the plain mean.
    """
    levels = [np.concatenate([colours * weight, weight])]
    while levels[-1].shape[1] % 2 == 0 and levels[-1].shape[2] % 2 == 0:
        levels.append(halve(levels[-1]))
    total = levels[-1].mean(axis=(1, 2), keepdims=True)
    anything = float(total[3, 0, 0]) > _LEAST_WEIGHT
    everywhere = total[:3] / total[3:] if anything else colours.mean(axis=(1, 2), keepdims=True)
    known = np.broadcast_to(everywhere, (3, *levels[-1].shape[1:]))
    for level in reversed(levels):
        if level.shape[1] != known.shape[1]:
            known = double(known)
        near = level[3:]
        trust = np.minimum(near * _TRUST, 1)
        known = known + trust * (level[:3] / np.maximum(near, _LEAST_WEIGHT) - known)
    return known


def read(values: Floats, pixels: NDArray[np.intp], top: int, size: tuple[int, int]) -> Floats:
    """Bilinear values of the grid [C, h, w] at some pixels of a picture of ``size`` (H, W): [C, n].

    pixels: ascending flat indices, counted from the start of row ``top``.
    """
    height, width = size
    down, across = np.divmod(pixels.astype(np.int32), np.int32(width))
    first, last = (int(down[0]), int(down[-1])) if pixels.size else (0, 0)
    y, y_share = _taps(values.shape[1], height, top + first, top + last + 1)
    x, x_share = _taps(values.shape[2], width, 0, width)
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


def _taps(cells: int, pixels: int, start: int, stop: int) -> tuple[NDArray[np.int32], Floats]:
    """For the pixels start..stop along one axis: the grid cell before each and the share of the cell after it."""
    centre = np.clip((np.arange(start, stop, dtype=np.float32) + 0.5) * (cells / pixels) - 0.5, 0, cells - 1)
    low = centre.astype(np.int32)
    return low, (centre - low).astype(np.float32)
