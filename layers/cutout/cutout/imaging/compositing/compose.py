"""Image, alpha and spec to the picture of the answer. Pure functions on arrays.

The order, here and nowhere else: the subject is put in its place on the canvas (``layout``, ``place``); a mask ends
there. Then the layers, the lowest first: white where the format keeps no alpha, ``bg_color``, the background image or
the blurred photo, the shadow (of the subject and its stroke), the stroke, the subject.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.compositing.background import Backdrop
from cutout.imaging.compositing.layers import Layer, paint, picture, stacked
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.compositing.place import placed
from cutout.imaging.compositing.shadow import shadow_plane
from cutout.imaging.compositing.stroke import outline
from cutout.imaging.spec import Box, Channels, CutoutSpec, Rgba

_WHITE: Rgba = (255, 255, 255, 255)
_ROWS = 64
"""Rows that are worked on at once: small temporaries that stay in the cache."""


def compose(
    colours: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    spec: CutoutSpec,
    layout: Layout,
    ground: Backdrop | None = None,
) -> NDArray[np.uint8]:
    """The picture that ``spec`` wants: uint8 [h, w] (mask), [h, w, 3] (flattened) or [h, w, 4] (straight alpha).

    colours: uint8 [H, W, 3]; alpha: uint8 [H, W]; layout: made for that alpha, its canvas is h x w; ground: what lies
    behind the subject, h x w. Formats without alpha are flattened, onto white where nothing else is below.
    """
    colours, alpha = placed(colours, alpha, layout)
    if spec.channels is Channels.ALPHA:
        return alpha
    effects = _effects(alpha, spec, layout.subject)
    if ground is not None or effects:
        return _layered(colours, alpha, spec, ground, effects)
    if spec.bg_color is not None:
        return _on_colour(colours, alpha, spec.bg_color, keep_alpha=spec.format.keeps_alpha)
    if not spec.format.keeps_alpha:
        return _flattened(colours, alpha, _WHITE)
    return _with_alpha(colours, alpha)


def _layered(
    colours: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    spec: CutoutSpec,
    ground: Backdrop | None,
    effects: list[Layer],
) -> NDArray[np.uint8]:
    below = [] if spec.format.keeps_alpha else [paint(_WHITE)]
    if spec.bg_color is not None:
        below.append(paint(spec.bg_color))
    if ground is not None:
        below.append(picture(ground.colours, ground.cover))
    opaque = spec.is_flat or (ground is not None and ground.cover is None)
    layers = [*below, *effects, picture(colours, alpha)]
    return stacked(layers, (alpha.shape[0], alpha.shape[1]), opaque=opaque)


def _effects(alpha: NDArray[np.uint8], spec: CutoutSpec, subject: Box | None) -> list[Layer]:
    """Shadow and stroke of the subject on the canvas, the lower one first."""
    if subject is None or (spec.shadow is None and spec.stroke is None):
        return []
    stroke: list[Layer] = []
    silhouette = alpha
    if spec.stroke is not None:
        rim = outline(alpha, spec.stroke, max(subject.width, subject.height))
        stroke = [paint(spec.stroke.color, lambda rows: rim[rows] * np.float32(1 / 255), spec.stroke.opacity)]
        if spec.shadow is not None:
            strength = spec.stroke.opacity * spec.stroke.color[3] / 255
            silhouette = np.maximum(alpha, (rim * np.float32(strength)).astype(np.uint8))
    if spec.shadow is None:
        return stroke
    plane = shadow_plane(silhouette, subject, spec.shadow)
    return [paint(spec.shadow.color, plane.rows, spec.shadow.opacity), *stroke]


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
