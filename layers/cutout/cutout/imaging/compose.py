"""Image, alpha and spec to the picture of the answer: crop, background, channels. Pure functions on arrays."""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.spec import Channels, CutoutSpec, Rgba

_CROP_ABOVE = 10
"""Alpha (of 255) that still counts as empty when a cutout is cropped; a mask is cropped to anything above 0."""
_WHITE: Rgba = (255, 255, 255, 255)
_ROWS = 64
"""Rows that are worked on at once: small temporaries that stay in the cache."""


def compose(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], spec: CutoutSpec) -> NDArray[np.uint8]:
    """The picture that ``spec`` wants: uint8 [h, w] (mask), [h, w, 3] (flattened) or [h, w, 4] (straight alpha).

    colours: uint8 [H, W, 3]; alpha: uint8 [H, W]. With ``crop``, h x w are the bounds of what is visible; a picture
    with nothing visible is not cropped. Formats without alpha are flattened on ``bg_color`` or white.
    """
    mask_only = spec.channels is Channels.ALPHA
    if spec.crop:
        rows, columns = visible_bounds(alpha, 0 if mask_only else _CROP_ABOVE)
        colours, alpha = colours[rows, columns], alpha[rows, columns]
    if mask_only:
        return alpha
    if spec.bg_color is not None:
        return _on_colour(colours, alpha, spec.bg_color, keep_alpha=spec.format.keeps_alpha)
    if not spec.format.keeps_alpha:
        return _flattened(colours, alpha, _WHITE)
    return _with_alpha(colours, alpha)


def visible_bounds(alpha: NDArray[np.uint8], above: int) -> tuple[slice, slice]:
    """Rows and columns that hold every pixel with alpha > ``above``; everything when there is none."""
    seen = alpha > above
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return slice(None), slice(None)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _with_alpha(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = np.empty((*alpha.shape, 4), np.uint8)
    for top in range(0, alpha.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        for channel in range(3):  # plane by plane: more than twice as fast as three channels at once
            picture[rows, :, channel] = colours[rows, :, channel]
        picture[rows, :, 3] = alpha[rows]
        # Nothing of the old background leaves in hidden pixels; 32 bits at once, ten times faster than by a mask.
        whole = picture[rows].view(np.uint32)[..., 0]
        whole *= alpha[rows] > 0
    return picture


def _on_colour(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], colour: Rgba, *, keep_alpha: bool
) -> NDArray[np.uint8]:
    """Over ``colour``; a colour that is itself translucent stays so where the format can, else it lies on white."""
    share = colour[3] / 255
    if share == 1:
        return _flattened(colours, alpha, colour)
    if not keep_alpha:
        mixed = (round(part * share + 255 * (1 - share)) for part in colour[:3])
        return _flattened(colours, alpha, (*mixed, 255))  # type: ignore[arg-type]
    ground = np.array(colour[:3], np.float32)
    blended, total = np.empty_like(colours), np.empty_like(alpha)
    for top in range(0, alpha.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        front = alpha[rows] * np.float32(1 / 255)
        both = front + np.float32(share) * (1 - front)
        weight = np.divide(front, both, out=np.zeros_like(front), where=both > 0)[..., None]
        blended[rows] = ground + weight * (colours[rows] - ground) + np.float32(0.5)
        total[rows] = both * np.float32(255) + np.float32(0.5)
    return _with_alpha(blended, total)


def _flattened(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], colour: Rgba) -> NDArray[np.uint8]:
    picture = np.empty_like(colours)
    for top in range(0, alpha.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        front = alpha[rows, :, None].astype(np.uint16)
        back = (255 - front) * np.array(colour[:3], np.uint16)
        mixed = colours[rows] * front + back + 128
        picture[rows] = (mixed + (mixed >> 8)) >> 8  # exact rounded division by 255 for 16-bit numbers
    return picture
