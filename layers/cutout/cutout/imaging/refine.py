"""The model's small alpha to a sharp alpha at full size. Knows no model, no colours of the answer, no files.

Edge-aware upsampling with the fast guided filter (He, Sun: Fast Guided Filter, arXiv:1505.00996) with a colour
guide: on a coarse grid, alpha is explained by colour in every small window (ridge regression), and the smooth
coefficients are applied to the full-size colours. Only the uncertain band is touched, row band by row band, so the
cost is linear and the memory small.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.grid import Floats, cells, grid_shape, read, shrink

LOW, HIGH = 0.04, 0.96
"""Alpha at or below LOW is background, at or above HIGH foreground; in between it is stretched to 0..1.

Fixed numbers, never taken from the picture: a network's sigmoid hardly reaches 0 and 1.
"""
CELL = 4
"""Cell of the regression, grid pixels; a window is 3 x 3 cells."""
RIDGE = 2e-4
"""Regularisation in squared colour (0..1): the variance below which colour says nothing."""
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
ROWS = 256
"""Rows of a full-size band."""


def refine_alpha(image: NDArray[np.uint8], coarse: Floats) -> NDArray[np.uint8]:
    """Alpha uint8 [H, W] for image uint8 [H, W, 3] from coarse float32 [h, w] in 0..1 (any size, squashed).

    Certain pixels keep their value (0 or 255); a band about two coarse pixels wide follows the picture's edges.
    """
    height, width = image.shape[:2]
    certain = np.clip((coarse - LOW) / (HIGH - LOW), 0, 1).astype(np.float32)
    band = _uncertain(certain)
    alpha = np.empty((height, width), np.uint8)
    model = _coefficients(image, certain) if band.any() else None
    for top in range(0, height, ROWS):
        bottom = min(top + ROWS, height)
        plain = _enlarged(certain, height, width, top, bottom)
        if model is not None:
            inside = np.flatnonzero(_enlarged(band, height, width, top, bottom) > 0)
            _follow_edges(plain.reshape(-1), inside, image, model, top)
        alpha[top:bottom] = (plain * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return alpha


def _uncertain(alpha: Floats) -> Floats:
    """1 where alpha is neither 0 nor 1, grown by one coarse pixel; else 0."""
    soft = Image.fromarray(((alpha > 0) & (alpha < 1)).astype(np.uint8) * 255)
    edge = np.asarray(Image.fromarray((alpha * 255).astype(np.uint8)))
    padded = np.pad(edge, 1, mode="edge").astype(np.int16)
    steps = np.maximum(abs(padded[1:-1, 2:] - padded[1:-1, :-2]), abs(padded[2:, 1:-1] - padded[:-2, 1:-1]))
    grown = np.pad((np.asarray(soft) > 0) | (steps > 0), 1)
    near = np.zeros_like(alpha)
    for dy in range(3):
        for dx in range(3):
            near = np.maximum(near, grown[dy : dy + alpha.shape[0], dx : dx + alpha.shape[1]])
    return near.astype(np.float32)


def _enlarged(plane: Floats, height: int, width: int, top: int, bottom: int) -> Floats:
    """Rows top..bottom of ``plane`` enlarged to height x width, bilinear; the same numbers as enlarging all of it."""
    scale = plane.shape[0] / height
    box = (0.0, top * scale, float(plane.shape[1]), bottom * scale)
    rows = Image.fromarray(plane).resize((width, bottom - top), Image.Resampling.BILINEAR, box=box)
    return np.clip(np.asarray(rows), 0, 1)


def _coefficients(image: NDArray[np.uint8], coarse: Floats) -> Floats:
    """Regression of alpha on colour per cell: [rows, columns, 4], three slopes and the offset."""
    shape = grid_shape(*image.shape[:2])
    colour = shrink(image, shape)
    alpha = _enlarged(coarse, shape[0], shape[1], 0, shape[0])[..., None]
    products = [colour[..., i : i + 1] * colour[..., j : j + 1] for i, j in _PAIRS]
    mean = _window(cells(np.concatenate([colour, alpha, colour * alpha, *products], axis=-1), CELL))
    colours, alphas, mixed, squares = mean[..., :3], mean[..., 3:4], mean[..., 4:7], mean[..., 7:]
    covariance = mixed - colours * alphas
    spread = np.empty((*mean.shape[:2], 3, 3), np.float32)
    for index, (i, j) in enumerate(_PAIRS):
        spread[..., i, j] = spread[..., j, i] = squares[..., index] - colours[..., i] * colours[..., j]
    spread += np.eye(3, dtype=np.float32) * np.float32(RIDGE)
    slopes = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offset = alphas - (slopes * colours).sum(axis=-1, keepdims=True)
    return np.concatenate([slopes, offset], axis=-1).astype(np.float32)


def _window(values: Floats) -> Floats:
    """Mean over 3 x 3 cells, edges repeated."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)


def _follow_edges(plain: Floats, inside: NDArray[np.intp], image: NDArray[np.uint8], model: Floats, top: int) -> None:
    """Replace ``plain`` (one row band, flat) at ``inside`` by the alpha that the local colours explain."""
    if not inside.size:
        return
    height, width = image.shape[:2]
    rows, columns = np.divmod(inside, width)
    rows += top
    fit = read(model, rows, columns, (height, width))
    colour = image[rows, columns].astype(np.float32) / np.float32(255)
    plain[inside] = np.clip((fit[:, :3] * colour).sum(axis=-1) + fit[:, 3], 0, 1)
