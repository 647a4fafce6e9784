"""What lies behind the subject: a picture fitted to the canvas, or the photo without its subject; and blurring it.

Blur mixes light, so it works on linear light: bright points stay bright. The subject's own colours are taken out
before, else they would glow around it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.compositing.blur import soften
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.compositing.stroke import grown
from cutout.imaging.matting.inpaint import continued
from cutout.imaging.spec import Box, Fit
from cutout.imaging.srgb import LINEAR, dither, srgb_bytes

_WIDEST_BLUR = 0.05
"""Deviation at a blur of 100, in longer sides of the canvas."""
_RIM_SHARE = 0.002
"""Around the subject, in longer sides of the photo: lenses carry its colour a little beyond its edge."""
_BAND = 64


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A picture of the canvas's size. colours: uint8 [H, W, 3]; cover: uint8 [H, W], or None when it is opaque."""

    colours: NDArray[np.uint8]
    cover: NDArray[np.uint8] | None = None


def backdrop(
    picture: NDArray[np.uint8], own: NDArray[np.uint8] | None, layout: Layout, fit: Fit, blur: float
) -> Backdrop:
    """``picture`` uint8 [h, w, 3] (alpha ``own`` [h, w] or None), centred on the canvas; blur: 0..100."""
    part, place = _placed((picture.shape[1], picture.shape[0]), layout.width, layout.height, fit)
    colours = _resized(picture if own is None else np.dstack([picture, own]), part, place)
    if blur > 0:
        known = colours if own is None else continued(colours)  # hidden colours must not bleed into what is seen
        opaque = _blurred(known, _WIDEST_BLUR * blur / 100 * max(layout.width, layout.height))
        colours = opaque if own is None else np.dstack([opaque, colours[..., 3]])
    if own is None and (place.width, place.height) == (layout.width, layout.height):
        return Backdrop(colours)
    whole = np.zeros((layout.height, layout.width, 3), np.uint8)
    cover = np.zeros((layout.height, layout.width), np.uint8)
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    whole[rows, columns] = colours[..., :3]
    cover[rows, columns] = 255 if own is None else colours[..., 3]
    return Backdrop(whole, cover)


def without_subject(photo: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo uint8 [H, W, 3] with the background's colours where alpha [H, W] is above 0, and close by.

    A photo that has nothing else stays as it is.
    """
    taken = (alpha > 0).view(np.uint8)
    near = grown(taken, max(1, round(max(alpha.shape) * _RIM_SHARE)))
    return photo if near.all() else continued(np.dstack([photo, (1 - near) * np.uint8(255)]))


def _placed(size: tuple[int, int], width: int, height: int, fit: Fit) -> tuple[tuple[float, float, float, float], Box]:
    """The part of a picture of ``size`` (W, H) that is shown (left, top, right, bottom), and where on the canvas."""
    shares = width / size[0], height / size[1]
    if fit is Fit.COVER:
        scale = max(shares)
        shown = min(size[0], width / scale), min(size[1], height / scale)
        left, top = (size[0] - shown[0]) / 2, (size[1] - shown[1]) / 2
        return (left, top, left + shown[0], top + shown[1]), Box(0, 0, width, height)
    scale = min(shares)
    fitted = max(1, min(width, round(size[0] * scale))), max(1, min(height, round(size[1] * scale)))
    place = Box((width - fitted[0]) // 2, (height - fitted[1]) // 2, *fitted)
    return (0.0, 0.0, float(size[0]), float(size[1])), place


def _resized(picture: NDArray[np.uint8], part: tuple[float, float, float, float], place: Box) -> NDArray[np.uint8]:
    """That part at its size on the canvas; alpha, where there is any, weighs the colours (Pillow premultiplies)."""
    size = (place.width, place.height)
    resized: NDArray[np.uint8] = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, box=part))
    return resized


def _blurred(colours: NDArray[np.uint8], sigma_px: float) -> NDArray[np.uint8]:
    """Blurred in linear light, one channel after the other: a plane of float32 is all the memory it takes."""
    result = np.empty_like(colours)
    pattern = dither(_BAND, colours.shape[1])
    for channel in range(3):
        soft = soften(LINEAR[colours[..., channel]], sigma_px)
        for top in range(0, len(colours), _BAND):
            rows = slice(top, min(top + _BAND, len(colours)))
            result[rows, :, channel] = srgb_bytes(soft.rows(rows), pattern[: rows.stop - top])
    return result
