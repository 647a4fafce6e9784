"""Two options that change a finished alpha: no semitransparent regions, or no half tones at all."""

import numpy as np
from PIL import Image, ImageFilter

from cutout.imaging.arrays import Bytes, row_bands, to_bytes
from cutout.imaging.compositing.blur import gaussian_blur

_SUBJECT = 26
"""Alpha from which on a pixel belongs to the subject."""
_EDGE_SHARE = 0.008
"""Width of what counts as an edge, in longer sides of the image; hair is hardly longer."""
_INSIDE = (0.9, 0.98)
"""Share of the subject in the surroundings from which a pixel begins to be inside, and from which it is."""
_ROWS = 64
_SMOOTHING = ImageFilter.GaussianBlur(2)
"""In pixels: rounds the outline, and removes specks and pinholes of a few pixels."""
_HALF: Bytes = np.where(np.arange(256) >= 128, 255, 0).astype(np.uint8)  # noqa: PLR2004 - one half


def fill_semitransparent(alpha: Bytes) -> Bytes:
    """Make regions deep inside the subject opaque; edges stay soft, holes (alpha near 0) stay open.

    Args:
        alpha: uint8 [H, W].

    Returns:
        uint8 [H, W], nowhere lower than ``alpha``.
    """
    belongs = np.clip((np.arange(256) - _SUBJECT / 2) / (_SUBJECT / 2), 0, 1).astype(np.float32)
    subject = (alpha >= _SUBJECT).view(np.uint8) * np.uint8(255)
    surroundings = gaussian_blur(subject, max(1.0, max(alpha.shape) * _EDGE_SHARE))
    result = alpha.copy()
    for rows in row_bands(len(alpha), _ROWS):
        inside = np.clip((surroundings.rows(rows) - _INSIDE[0]) / (_INSIDE[1] - _INSIDE[0]), 0, 1)
        np.maximum(result[rows], to_bytes(inside * belongs[alpha[rows]]), out=result[rows])
    return result


def threshold(alpha: Bytes) -> Bytes:
    """Smooth the outline and cut at one half.

    This is rembg's ``post_process`` without its opening by 3 x 3 pixels, which removes what the blur removes too.

    Args:
        alpha: uint8 [H, W].

    Returns:
        uint8 [H, W] of 0 and 255 only.
    """
    cut: Bytes = _HALF[np.asarray(Image.fromarray(alpha).filter(_SMOOTHING))]
    return cut
