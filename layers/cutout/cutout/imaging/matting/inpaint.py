"""Known colours, smoothly continued into the places where none are known. Knows nothing of why they are not."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.matting.foreground import GRID_PX, ROWS
from cutout.imaging.matting.grid import grid_shape, read, spread

_GREY = 128
"""The colour of a picture in which nothing is visible."""


def continued(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Opaque colours uint8 [H, W, 3] of ``picture`` [H, W, 4]; hidden pixels take the colour of what is seen nearby."""
    colours = np.ascontiguousarray(picture[..., :3])
    alpha = picture[..., 3]
    if not alpha.any():
        return np.full_like(colours, _GREY)
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    small = Image.fromarray(picture).convert("RGBa").resize((shape[1], shape[0]), Image.Resampling.BOX)
    weighted = np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(
        255
    )  # premultiplied: means of what is seen
    around = spread(np.clip(weighted[:3] / np.maximum(weighted[3:], np.float32(1 / 510)), 0, 1), weighted[3:])
    for top in range(0, len(alpha), ROWS):
        hidden = np.flatnonzero(alpha[top : top + ROWS] == 0)
        values = read(around, hidden, top, (alpha.shape[0], alpha.shape[1]))
        colours[top : top + ROWS].reshape(-1, 3)[hidden] = (values * np.float32(255) + np.float32(0.5)).T
    return colours
