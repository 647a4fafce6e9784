"""Known colours, smoothly extrapolated into pixels whose colour is hidden."""

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, row_bands, to_bytes
from cutout.imaging.matting.foreground import GRID_PX
from cutout.imaging.matting.grid import grid_shape, sample_bilinear
from cutout.imaging.matting.pyramid import pull_push

_ROWS = 256
"""Rows that are processed at once."""
_GREY = 128
"""The colour of a picture in which nothing is visible."""


def extrapolate_colours(picture: Bytes) -> Bytes:
    """Give every hidden pixel the colour of the visible pixels near it.

    Args:
        picture: uint8 [H, W, 4], straight alpha.

    Returns:
        Opaque colours uint8 [H, W, 3]; unchanged where alpha is above 0.
    """
    colours = np.ascontiguousarray(picture[..., :3])
    alpha = picture[..., 3]
    if not alpha.any():
        return np.full_like(colours, _GREY)
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    small = Image.fromarray(picture).convert("RGBa").resize((shape[1], shape[0]), Image.Resampling.BOX)
    premultiplied = np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255)
    visible, cover = premultiplied[:3], premultiplied[3:]
    means = pull_push(np.clip(visible / np.maximum(cover, np.float32(1 / 510)), 0, 1), cover)
    for rows in row_bands(len(alpha), _ROWS):
        hidden = np.flatnonzero(alpha[rows] == 0)
        values = sample_bilinear(means, hidden, rows.start, (alpha.shape[0], alpha.shape[1]))
        colours[rows].reshape(-1, 3)[hidden] = to_bytes(values).T
    return colours
