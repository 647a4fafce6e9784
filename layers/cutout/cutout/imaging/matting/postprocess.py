"""A matte without half transparent regions: what lies deep inside the subject becomes opaque, edges stay soft."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cutout.imaging.compositing.blur import soften

_SEEN = 26
"""Alpha from which on a pixel belongs to the subject."""
_EDGE_SHARE = 0.008
"""Width of what counts as an edge, in longer sides of the picture; hair is hardly longer."""
_INSIDE = (0.9, 0.98)
"""Share of the subject in the surroundings from which a pixel begins to be inside, and from which it is."""
_ROWS = 64


def solid(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``alpha`` uint8 [H, W], nowhere lower than before; holes (alpha near 0) stay open whatever their size."""
    belongs = np.clip((np.arange(256) - _SEEN / 2) / (_SEEN / 2), 0, 1).astype(np.float32)
    surroundings = soften((alpha >= _SEEN).view(np.uint8) * np.uint8(255), max(1.0, max(alpha.shape) * _EDGE_SHARE))
    result = alpha.copy()
    for top in range(0, len(alpha), _ROWS):
        rows = slice(top, min(top + _ROWS, len(alpha)))
        inside = np.clip((surroundings.rows(rows) - _INSIDE[0]) / (_INSIDE[1] - _INSIDE[0]), 0, 1)
        filled = inside * belongs[alpha[rows]] * np.float32(255) + np.float32(0.5)
        np.maximum(result[rows], filled.astype(np.uint8), out=result[rows])
    return result


_ROUNDING = ImageFilter.GaussianBlur(2)
"""By pixels: rounds the outline, and takes away specks and pinholes of a few pixels."""
_CUT: NDArray[np.uint8] = np.where(np.arange(256) >= 128, 255, 0).astype(np.uint8)  # noqa: PLR2004 - one half


def binary(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``alpha`` uint8 [H, W] blurred and cut at one half: 0 and 255 only.

    As rembg's ``post_process`` does it, but for its opening by 3x3 pixels, which takes away what the blur does too.
    """
    cut: NDArray[np.uint8] = _CUT[np.asarray(Image.fromarray(alpha).filter(_ROUNDING))]
    return cut
