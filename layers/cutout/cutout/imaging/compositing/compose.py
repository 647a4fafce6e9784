"""From image, alpha and spec to the pixels of the answer.

The order, here and nowhere else: the subject is placed on the canvas (``layout``, ``place``); a mask ends there. Then
the layers, the lowest first: white where the format keeps no alpha, ``bg_color``, the background image or the blurred
photo, the shadow (of the subject and its stroke), the stroke, the subject.
"""

import numpy as np

from cutout.imaging.arrays import Bytes, Colours, row_bands
from cutout.imaging.compositing.background import Backdrop
from cutout.imaging.compositing.layers import (
    ROWS,
    Layer,
    clear_hidden,
    colour_layer,
    composite,
    image_layer,
)
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.compositing.place import place_on_canvas
from cutout.imaging.compositing.shadow import shadow_plane
from cutout.imaging.compositing.stroke import outline
from cutout.imaging.matting.strips import PIXELS, soft_pixels, spread
from cutout.imaging.pixels import four_bytes, new_pixels
from cutout.imaging.spec import Box, Channels, CutoutSpec, Rgba

_WHITE: Rgba = (255, 255, 255, 255)


def compose(
    colours: Colours, alpha: Bytes, spec: CutoutSpec, layout: Layout, backdrop: Backdrop | None = None
) -> Colours:
    """Compose the picture that ``spec`` describes.

    Args:
        colours: Foreground colours, uint8 or uint16 [H, W, 3]; the picture has as many bits. Those in four bytes a
            pixel (``pixels``) may be overwritten: they are the picture's own memory.
        alpha: uint8 [H, W].
        spec: What the picture shows. Formats without alpha are flattened, onto white where nothing else is below.
        layout: Made for that alpha; its canvas is h x w.
        backdrop: What lies behind the subject, h x w.

    Returns:
        [h, w] (mask, always uint8), [h, w, 3] (flattened) or [h, w, 4] (straight alpha).
    """
    colours, alpha = place_on_canvas(colours, alpha, layout)
    if spec.channels is Channels.ALPHA:
        return alpha
    effects = _effects(alpha, spec, layout.subject)
    if backdrop is not None or effects or colours.dtype == np.uint16:
        return _layered(colours, alpha, spec, backdrop, effects)
    if spec.bg_color is not None:
        return _over_colour(colours, alpha, spec.bg_color, keep_alpha=spec.format.keeps_alpha)
    if not spec.format.keeps_alpha:
        return _flatten(colours, alpha, _WHITE)
    return _with_alpha(colours, alpha)


def _layered(
    colours: Colours, alpha: Bytes, spec: CutoutSpec, backdrop: Backdrop | None, effects: list[Layer]
) -> Colours:
    below = [] if spec.format.keeps_alpha else [colour_layer(_WHITE)]
    if spec.bg_color is not None:
        below.append(colour_layer(spec.bg_color))
    if backdrop is not None:
        below.append(image_layer(backdrop.colours, backdrop.cover))
    opaque = spec.is_flat or (backdrop is not None and backdrop.cover is None)
    layers = [*below, *effects, image_layer(colours, alpha)]
    return composite(layers, (alpha.shape[0], alpha.shape[1]), opaque=opaque, dtype=colours.dtype.type)


def _effects(alpha: Bytes, spec: CutoutSpec, subject: Box | None) -> list[Layer]:
    """Make the layers of shadow and stroke, the lower one first."""
    if subject is None or (spec.shadow is None and spec.stroke is None):
        return []
    stroke: list[Layer] = []
    silhouette = alpha
    if spec.stroke is not None:
        rim = outline(alpha, spec.stroke, max(subject.width, subject.height))
        stroke = [colour_layer(spec.stroke.color, lambda rows: rim[rows] * np.float32(1 / 255), spec.stroke.opacity)]
        if spec.shadow is not None:
            strength = spec.stroke.opacity * spec.stroke.color[3] / 255
            silhouette = np.maximum(alpha, (rim * np.float32(strength)).astype(np.uint8))
    if spec.shadow is None:
        return stroke
    plane = shadow_plane(silhouette, subject, spec.shadow)
    return [colour_layer(spec.shadow.color, plane.rows, spec.shadow.opacity), *stroke]


def _with_alpha(colours: Colours, alpha: Bytes) -> Bytes:
    """Join colours and alpha; colours that fill an array of four-byte pixels become the picture themselves."""
    whole = four_bytes(colours)
    picture = whole if whole is not None and whole.flags.c_contiguous else np.empty((*alpha.shape, 4), np.uint8)
    for rows in row_bands(alpha.shape[0], ROWS):
        if whole is None:
            for channel in range(3):  # plane by plane: more than twice as fast as three channels at once
                picture[rows, :, channel] = colours[rows, :, channel]
        elif picture is not whole:
            picture[rows] = whole[rows]
        picture[rows, :, 3] = alpha[rows]
        clear_hidden(picture[rows], alpha[rows])
    return picture


def _over_colour(colours: Colours, alpha: Bytes, colour: Rgba, *, keep_alpha: bool) -> Bytes:
    """Composite over a colour; a translucent one stays so where the format can, else it lies on white."""
    share = colour[3] / 255
    if share == 1:
        return _flatten(colours, alpha, colour)
    if not keep_alpha:
        mixed = (round(part * share + 255 * (1 - share)) for part in colour[:3])
        return _flatten(colours, alpha, (*mixed, 255))  # type: ignore[arg-type]
    below = np.array(colour[:3], np.float32)
    blended, total = np.empty_like(colours), np.empty_like(alpha)
    for rows in row_bands(alpha.shape[0], ROWS):
        front = alpha[rows] * np.float32(1 / 255)
        both = front + np.float32(share) * (1 - front)
        weight = np.divide(front, both, out=np.zeros_like(front), where=both > 0)[..., None]
        blended[rows] = below + weight * (colours[rows] - below) + np.float32(0.5)
        total[rows] = both * np.float32(255) + np.float32(0.5)
    return _with_alpha(blended, total)


def _flatten(colours: Colours, alpha: Bytes, colour: Rgba) -> Bytes:
    """Lay colours on an opaque one; only soft pixels are mixed. Written over the colours, if they may be."""
    whole = four_bytes(colours)
    if whole is None or not whole.flags.c_contiguous:
        picture = new_pixels(*alpha.shape)
        picture[...] = colours
        return _flatten(picture, alpha, colour)
    below = np.array((*colour[:3], 255), np.uint8)
    words = whole.view(np.uint32)[..., 0]
    alpha = np.ascontiguousarray(alpha)
    for rows in row_bands(alpha.shape[0], ROWS):
        np.copyto(words[rows], below.view(np.uint32)[0], where=alpha[rows] == 0)
    soft = soft_pixels(alpha)
    for part in row_bands(soft.size, PIXELS):
        places = soft[part].astype(np.intp)
        front = spread(np.take(alpha, places)).astype(np.uint16)
        mixed = np.take(words, places).view(np.uint8) * front
        mixed += (255 - front) * np.tile(below, places.size) + np.uint16(128)
        mixed += mixed >> 8  # exact rounded division by 255 for 16-bit numbers
        words.reshape(-1)[places] = (mixed >> 8).astype(np.uint8).view(np.uint32)
    return whole[..., :3]
