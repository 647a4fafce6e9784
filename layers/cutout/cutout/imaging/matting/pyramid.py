"""Halve and double grids, and fill them from the cells that are known."""

import numpy as np

from cutout.imaging.arrays import Floats

_LEAST_WEIGHT = 1e-6
_TRUST = 8
"""A cell whose known share is above 1 / _TRUST keeps its own value; others take part from the next coarser level."""


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
