"""What lies behind the subject: an image fitted to the canvas, or the photo without its subject; both can be blurred.

Blur mixes light, so it works on linear light: bright points stay bright. The subject's own colours are removed before,
else they would glow around it.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, row_bands
from cutout.imaging.codecs.decode import Decoded
from cutout.imaging.compositing.blur import gaussian_blur
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.compositing.stroke import dilate_disc
from cutout.imaging.matting.inpaint import extrapolate_colours
from cutout.imaging.spec import Box, Channels, CutoutSpec, Fit
from cutout.imaging.srgb import LINEAR, dither, encode_srgb

_WIDEST_BLUR = 0.05
"""Standard deviation at a blur of 100, in longer sides of the canvas."""
_RIM_SHARE = 0.002
"""Around the subject, in longer sides of the photo: lenses carry its colour a little beyond its edge."""
_ROWS = 64


@dataclass(frozen=True, slots=True)
class Backdrop:
    """An image of the canvas's size.

    Attributes:
        colours: uint8 [H, W, 3].
        cover: Its alpha, uint8 [H, W]; None when it is opaque.
    """

    colours: Bytes
    cover: Bytes | None = None


def fit_backdrop(image: Bytes, own_alpha: Bytes | None, layout: Layout, fit: Fit, blur: float) -> Backdrop:
    """Fit an image to the canvas, centred, and blur it.

    Args:
        image: uint8 [h, w, 3].
        own_alpha: The image's alpha, uint8 [h, w]; None when it is opaque.
        layout: Its canvas is filled.
        fit: Whether the image covers the canvas or is shown whole.
        blur: 0..100.

    Returns:
        The backdrop, of the canvas's size.
    """
    part, place = _fit((image.shape[1], image.shape[0]), layout.width, layout.height, fit)
    colours = _resize(image if own_alpha is None else np.dstack([image, own_alpha]), part, place)
    if blur > 0:
        # Hidden colours must not bleed into the visible ones.
        known = colours if own_alpha is None else extrapolate_colours(colours)
        opaque = _blur(known, _WIDEST_BLUR * blur / 100 * max(layout.width, layout.height))
        colours = opaque if own_alpha is None else np.dstack([opaque, colours[..., 3]])
    if own_alpha is None and (place.width, place.height) == (layout.width, layout.height):
        return Backdrop(colours)
    whole = np.zeros((layout.height, layout.width, 3), np.uint8)
    cover = np.zeros((layout.height, layout.width), np.uint8)
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    whole[rows, columns] = colours[..., :3]
    cover[rows, columns] = 255 if own_alpha is None else colours[..., 3]
    return Backdrop(whole, cover)


def backdrop_for(
    background: Decoded | None, photo: Bytes, alpha: Bytes, layout: Layout, spec: CutoutSpec
) -> Backdrop | None:
    """Make what ``spec`` wants behind the subject.

    Args:
        background: The background image; None without one.
        photo: uint8 [H, W, 3].
        alpha: The subject's, uint8 [H, W].
        layout: Its canvas is filled.
        spec: Fit and blur.

    Returns:
        The background image or, blurred, the photo's own background; None where a colour, or nothing, is behind.
    """
    if spec.channels is Channels.ALPHA:
        return None
    if background is not None:
        return fit_backdrop(background.image, background.alpha, layout, spec.bg_fit, spec.bg_blur)
    if spec.bg_blur == 0:
        return None
    frame = layout.frame
    shown = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
    return fit_backdrop(remove_subject(photo, alpha)[shown], None, layout, Fit.COVER, spec.bg_blur)


def remove_subject(photo: Bytes, alpha: Bytes) -> Bytes:
    """Replace the subject, and the pixels close to it, by the colours of the background around.

    Args:
        photo: uint8 [H, W, 3].
        alpha: uint8 [H, W].

    Returns:
        uint8 [H, W, 3]; the photo itself where no background is left.
    """
    subject = (alpha > 0).view(np.uint8)
    near = dilate_disc(subject, max(1, round(max(alpha.shape) * _RIM_SHARE)))
    return photo if near.all() else extrapolate_colours(np.dstack([photo, (1 - near) * np.uint8(255)]))


def _fit(size: tuple[int, int], width: int, height: int, fit: Fit) -> tuple[tuple[float, float, float, float], Box]:
    """Find the part of an image of ``size`` (W, H) that is shown (left, top, right, bottom), and its place."""
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


def _resize(image: Bytes, part: tuple[float, float, float, float], place: Box) -> Bytes:
    """Resize that part; alpha, where there is any, weighs the colours (Pillow premultiplies)."""
    size = (place.width, place.height)
    resized: Bytes = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS, box=part))
    return resized


def _blur(colours: Bytes, sigma_px: float) -> Bytes:
    """Blur in linear light, one channel after the other: a plane of float32 is all the memory it takes."""
    result = np.empty_like(colours)
    pattern = dither(_ROWS, colours.shape[1])
    for channel in range(3):
        blurred = gaussian_blur(LINEAR[colours[..., channel]], sigma_px)
        for rows in row_bands(len(colours), _ROWS):
            result[rows, :, channel] = encode_srgb(blurred.rows(rows), pattern[: rows.stop - rows.start])
    return result
