"""A mask of nothing but subject and ground, with a smooth outline: for scissors and plotters."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_ROUNDING = ImageFilter.GaussianBlur(2)
"""By pixels: rounds the outline, and takes away specks and pinholes of a few pixels."""
_CUT: NDArray[np.uint8] = np.where(np.arange(256) >= 128, 255, 0).astype(np.uint8)  # noqa: PLR2004 - one half


def binary(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``alpha`` uint8 [H, W] blurred and cut at one half: 0 and 255 only.

    As rembg's ``post_process`` does it, but for its opening by 3x3 pixels, which takes away what the blur does too.
    """
    cut: NDArray[np.uint8] = _CUT[np.asarray(Image.fromarray(alpha).filter(_ROUNDING))]
    return cut
