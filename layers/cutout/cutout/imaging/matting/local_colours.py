"""Local colours of the foreground, the background and the subject's interior, where soft pixels need them.

Means live on a coarse grid and are filled from known cells by a pull-push pyramid (``pyramid``). Most cells
are all foreground or all background, or far from any edge: the finest level is computed only at cells that are mixed
or wanted, all others from half its size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bools, Bytes, Floats
from cutout.imaging.matting.grid import GridSampler, average
from cutout.imaging.matting.pyramid import blend, double, fill, halve
from cutout.imaging.matting.strips import LANES
from cutout.imaging.pixels import packed

CONFIDENT = 0.8
"""Cells covered by the foreground (or the background) to a smaller share are mixed; their colour is that of neither."""
ALIKE = 0.3
"""Root mean square difference of two colours, 0..1, up to which they count as alike."""
_INTERIOR_HALVINGS = 4
"""The subject's own colour is taken from about 2**4 cells inside the edge."""
_SHALLOW = 0.001
"""Weight of the rim in the subject's own colour; thin subjects have nothing else."""


def confident_weight(share: Floats) -> Floats:
    """Weigh a cell's colour by how pure the cell is.

    Args:
        share: Share of the cell that is foreground (or background), float32 of any shape in 0..1.

    Returns:
        float32 of the same shape: 0 up to CONFIDENT, then rising to 1.
    """
    weight: Floats = np.clip((share - np.float32(CONFIDENT)) / np.float32(1 - CONFIDENT), 0, 1)
    return weight


_FOREGROUND = confident_weight((np.arange(256) / 255).astype(np.float32))
_BACKGROUND = _FOREGROUND[::-1].copy()
"""Weights by cover in bytes."""


def interior_weight(cover: Floats) -> Floats:
    """Weigh a cell's colour by how deep inside the subject it lies, out of reach of the background's light.

    Args:
        cover: Share of each cell that is foreground, float32 [1, h, w] in 0..1.

    Returns:
        float32 [1, h, w] in 0..1.
    """
    weight: Floats = confident_weight(cover) * _depth(cover, _INTERIOR_HALVINGS)
    return weight


def _depth(cover: Floats, halvings: int) -> Floats:
    """Tell how far cells are from the background: 1 from about 2**halvings on, and never 0."""
    nearness = 1 - cover
    for _ in range(halvings):
        nearness = halve(nearness)
    for _ in range(halvings):
        nearness = double(nearness)
    depth: Floats = np.maximum(1 - 4 * np.minimum(nearness * 4, 1), np.float32(_SHALLOW))
    return depth


@dataclass(frozen=True, slots=True)
class LocalColours:
    """Local means at n cells of a grid.

    Attributes:
        slots: Which of the n each cell is, int32 [rows, columns]; any where means were not wanted.
        front: The nearest foreground's colour, float32 [n, 4] in 0..255: RGB, and a value without meaning.
        back: The nearest background's colour, the same.
        subject: The colour of the subject's interior, the same.
        differ: Whether subject and background differ by more than ALIKE, bool [n].
    """

    slots: NDArray[np.int32]
    front: Floats
    back: Floats
    subject: Floats
    differ: Bools


def local_colours(image: Bytes, alpha: Bytes, wanted: Bools) -> LocalColours:
    """Compute local means of the foreground's, the background's and the subject's own colours on a grid.

    Args:
        image: uint8 [h, w, 3], of any size.
        alpha: uint8 [H, W].
        wanted: Cells of the grid at which they are needed, bool [rows, columns].

    Returns:
        The means at the cells that are wanted.
    """
    shape = (wanted.shape[0], wanted.shape[1])
    half = (shape[0] // 2, shape[1] // 2)
    colours, cover = average(image, shape, 1.3), average(alpha, shape, 1.3)
    coarse, cover_half = _planar(average(colours, half)), average(cover, half)
    levels = [_first_level(colours, cover, coarse, cover_half, weights) for weights in (_FOREGROUND, _BACKGROUND)]
    inside = levels[0] * _depth(cover_half[None] * np.float32(1 / 255), _INTERIOR_HALVINGS - 1)
    filled, interior = np.concatenate([fill(level, coarse) for level in levels]), fill(halve(inside), coarse)
    cells = np.flatnonzero(wanted)
    at = np.divmod(cells, shape[1])
    front, back = GridSampler(filled, shape)(*at).reshape(2, 3, -1)
    subject = GridSampler(interior, shape)(*at)
    own = _planar(np.take(packed(colours), cells).view(np.uint8).reshape(1, -1, LANES))[:, 0]
    for mean, weights in ((front, _FOREGROUND), (back, _BACKGROUND)):
        share = weights[np.take(cover, cells)]
        blend(mean, own * share, share)
    slots = np.zeros(shape, np.int32)
    slots.reshape(-1)[cells] = np.arange(cells.size)
    differ = ((back - subject) ** 2).sum(axis=0) > 3 * (255 * ALIKE) ** 2
    return LocalColours(slots, _interleaved(front), _interleaved(back), _interleaved(subject), differ)


def _interleaved(planes: Floats) -> Floats:
    """Sort channels, float32 [3, n], into LANES values a cell, [n, 4]."""
    values = np.zeros((planes.shape[1], LANES), np.float32)
    values[:, :3] = planes.T
    return values


def _first_level(colours: Bytes, cover: Bytes, coarse: Floats, cover_half: Bytes, weights: Floats) -> Floats:
    """Compute weighted colours and weights at half the grid's size, float32 [4, h, w].

    A cell that is covered all or not at all has its average colour; the others are weighted by their four parts.
    """
    weight = weights[cover_half]
    level = np.concatenate([coarse * weight, weight[None]])
    mixed = np.flatnonzero(cover_half - np.uint8(1) < 254)  # noqa: PLR2004
    rows, columns = np.divmod(mixed, cover_half.shape[1])
    parts = (2 * rows + [[0], [0], [1], [1]]) * cover.shape[1] + 2 * columns + [[0], [1], [0], [1]]
    share = weights[np.take(cover, parts)]
    own = np.take(packed(colours), parts).view(np.uint8).reshape(*parts.shape, LANES)
    for channel in range(3):
        level[channel].reshape(-1)[mixed] = (own[..., channel] * share).mean(axis=0)
    level[3].reshape(-1)[mixed] = share.mean(axis=0)
    return level


def _planar(colours: Bytes) -> Floats:
    """Sort uint8 [h, w, 3 or 4] into channels, float32 [3, h, w] in 0..255."""
    planes: Floats = colours[..., :3].transpose(2, 0, 1).astype(np.float32, order="C")
    return planes
