"""A small mask and the full photo to clean colours and a sharp alpha at full size. Pixels only.

The mask is sharpened by the photo itself (fast guided filter with a colour guide: He and Sun, arXiv:1505.00996), and
colours at soft edges are freed of the old background (Forte, "Approximate Fast Foreground Colour Estimation", ICIP
2021). Both are solved on a small grid and applied at full size to the soft pixels, band of rows by band of rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_ROWS = 256
"""Rows that are worked on at once at full size."""
_GRID_PX = 512
"""Longest side of the grid for fits and colours."""
_WINDOW, _RIDGE = 2, 1e-4
"""Radius of the filter's windows in grid pixels; the variance below which colour says nothing."""
_REACH = (45, 4)
"""Radii of the two guesses of local colours, in grid pixels."""
_EDGE = 0.1
"""Range of alpha within one pixel of the small mask from which on it is an edge."""


def cut_out(photo: Pixels, small: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """Return clean colours [H, W, 3] and alpha [H, W] of a photo from the mask of its small copy.

    Args:
        photo: uint8 [H, W, 3].
        small: The same, scaled down: uint8 [h, w, 3].
        mask: uint8 [h, w].
    """
    size = photo.shape[0], photo.shape[1]
    low, high = _extremes(_shares(mask))
    grid = _grid(small, mask)
    fitted = None if photo.shape == small.shape else _explain(*grid)
    around = _local_colours(*grid)
    colours, alpha = photo.copy(), np.empty(size, np.uint8)
    for top in range(0, size[0], _ROWS):
        rows = slice(top, min(top + _ROWS, size[0]))
        cover = _enlarged(_shares(mask), size, rows)
        places = np.flatnonzero(_enlarged(high - low, size, rows))
        observed = _shares(photo[rows].reshape(-1, 3)[places].T)
        share = cover.reshape(-1)[places]
        if fitted is not None:
            bounds = _sampled(np.stack([low, high]), places, top, size)
            share = _guided(share, observed, _sampled(fitted, places, top, size), bounds)
            cover.reshape(-1)[places] = share
        soft = (share > 0) & (share < 1)
        guess = _sampled(around, places[soft], top, size)
        clean = _unmixed(observed[:, soft], share[soft], guess[:3], guess[3:])
        colours[rows].reshape(-1, 3)[places[soft]] = (clean.T * 255 + 0.5).astype(np.uint8)
        alpha[rows] = (cover * 255 + 0.5).astype(np.uint8)
    return colours, alpha


def _guided(share: Floats, observed: Floats, fitted: Floats, bounds: Floats) -> Floats:
    """Alpha [n] as colour explains it where the small mask has an edge; elsewhere colour must tear no holes."""
    explained = np.clip((fitted[:3] * observed).sum(axis=0) + fitted[3], bounds[0], bounds[1])
    return np.where(bounds[1] - bounds[0] > _EDGE, explained, share)


def _unmixed(observed: Floats, share: Floats, front: Floats, back: Floats) -> Floats:
    """Foreground colours [3, n] by the compositing equation, from guesses of both colours (Forte, equation 5)."""
    clean: Floats = np.clip(front + share * (observed - share * front - (1 - share) * back), 0, 1)
    return clean


def _grid(small: Pixels, mask: Pixels) -> tuple[Floats, Floats]:
    """The small photo [3, h, w] and its mask [h, w] on the grid on which both are solved."""
    height, width = mask.shape
    scale = min(1.0, _GRID_PX / max(height, width))
    target = max(1, round(width * scale)), max(1, round(height * scale))
    guide, coarse = (Image.fromarray(each).resize(target, Image.Resampling.BOX) for each in (small, mask))
    return _shares(np.asarray(guide).transpose(2, 0, 1)), _shares(np.asarray(coarse))


def _shares(values: Pixels) -> Floats:
    """0..255 as 0..1."""
    return values.astype(np.float32) * np.float32(1 / 255)


def _explain(colour: Floats, alpha: Floats) -> Floats:
    """Alpha as three slopes and an offset of colour in every window: [4, h, w]."""
    means, share = _box(colour, _WINDOW), _box(alpha[None], _WINDOW)
    mixed = _box(colour * alpha, _WINDOW) - means * share
    scatter = np.empty((*alpha.shape, 3, 3), np.float32)
    for i in range(3):
        products = _box(colour[i : i + 1] * colour, _WINDOW) - means[i] * means
        scatter[..., i, :] = products.transpose(1, 2, 0)
        scatter[..., i, i] += np.float32(_RIDGE)
    slopes = np.zeros_like(colour)
    edge = (share[0] > 0) & (share[0] < 1)
    if edge.any():
        slopes[:, edge] = np.linalg.solve(scatter[edge], mixed[:, edge].T[..., None])[..., 0].T
    offset = share - (slopes * means).sum(axis=0, keepdims=True)
    return _box(np.concatenate([slopes, offset]), 1)


def _local_colours(colour: Floats, alpha: Floats) -> Floats:
    """Foreground and background colours around every pixel: [6, h, w]; a wide guess, then a narrow one."""
    front = back = near_front = near_back = colour
    for radius in _REACH:
        weight, rest = _box(alpha[None], radius), _box(1 - alpha[None], radius)
        near_front = _box(front * alpha, radius) / (weight + np.float32(1e-5))
        near_back = _box(back * (1 - alpha), radius) / (rest + np.float32(1e-5))
        front, back = _unmixed(colour, alpha, near_front, near_back), near_back
    return np.concatenate([near_front, near_back])


def _box(planes: Floats, radius: int) -> Floats:
    """Means over windows of 2 * radius + 1, smaller at the borders; planes: [n, h, w]."""
    for axis in (1, 2):
        length = planes.shape[axis]
        sums = np.cumsum(planes, axis=axis, dtype=np.float64)
        sums = np.concatenate([np.zeros_like(np.take(sums, [0], axis)), sums], axis)
        first = np.maximum(np.arange(length) - radius, 0)
        last = np.minimum(np.arange(length) + radius + 1, length)
        counts = (last - first).reshape((-1, 1) if axis == 1 else (1, -1))
        planes = ((np.take(sums, last, axis) - np.take(sums, first, axis)) / counts).astype(np.float32)
    return planes


def _extremes(plane: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest value within one pixel."""
    padded = np.pad(plane, 1, mode="edge")
    height, width = plane.shape
    around = np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])
    return around.min(axis=0), around.max(axis=0)


def _enlarged(plane: Floats, size: tuple[int, int], rows: slice) -> Floats:
    """Rows of a plane [h, w] that is resized to ``size`` (H, W), bilinear."""
    height, width = plane.shape
    scale = height / size[0]
    box = (0.0, rows.start * scale, float(width), rows.stop * scale)
    target = (size[1], rows.stop - rows.start)
    return np.array(Image.fromarray(plane).resize(target, Image.Resampling.BILINEAR, box=box))


def _sampled(planes: Floats, places: NDArray[np.intp], top: int, size: tuple[int, int]) -> Floats:
    """Values [n, k] of planes [n, h, w], resized to ``size`` (H, W), bilinear, at k places.

    Args:
        planes: The planes.
        places: Indices into the rows from ``top`` on, flattened.
        top: First row.
        size: Height and width of the resized planes.
    """
    _, height, width = planes.shape
    y = np.clip((places // size[1] + top + 0.5) * (height / size[0]) - 0.5, 0, height - 1)
    x = np.clip((places % size[1] + 0.5) * (width / size[1]) - 0.5, 0, width - 1)
    above, left = y.astype(np.intp), x.astype(np.intp)
    below, right = np.minimum(above + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (y - above).astype(np.float32), (x - left).astype(np.float32)
    upper = planes[:, above, left] * (1 - across) + planes[:, above, right] * across
    lower = planes[:, below, left] * (1 - across) + planes[:, below, right] * across
    values: Floats = upper * (1 - down) + lower * down
    return values
