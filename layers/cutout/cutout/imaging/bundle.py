"""One picture as the two files that a compositor wants: opaque colours and a gray mask, in a ZIP archive.

Colours continue beyond the subject's edge, so that JPEG's blocks mix nothing foreign into it, and nothing of the
old background leaves in hidden pixels.
"""

from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.foreground import GRID_PX, ROWS
from cutout.imaging.grid import grid_shape, read, spread

_GREY = 128
"""The colour of a picture in which nothing is visible."""

Encoder = Callable[[NDArray[np.uint8]], bytes]


def bundle(picture: NDArray[np.uint8], jpeg: Encoder, png: Encoder) -> bytes:
    """A ZIP of exactly color.jpg and alpha.png; cut out by that mask, the colours are the picture again.

    picture: uint8 [H, W, 3], whose mask is white, or [H, W, 4] with straight alpha. jpeg, png: encode [H, W, 3] and
    [H, W].
    """
    if picture.shape[2] == 3:  # noqa: PLR2004
        colours, alpha = picture, np.full(picture.shape[:2], 255, np.uint8)
    else:
        colours, alpha = continued(picture), np.ascontiguousarray(picture[..., 3])
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:  # both files are compressed already
        for name, data in (("color.jpg", jpeg(colours)), ("alpha.png", png(alpha))):
            archive.writestr(ZipInfo(name), data)  # its date is always 1980: the same picture, the same bytes
    return buffer.getvalue()


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
