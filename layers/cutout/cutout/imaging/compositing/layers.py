"""Layers laid over each other, row band by row band. Knows neither what they show nor where they come from.

The arithmetic is that of every viewer and browser (W3C Compositing, source-over on sRGB bytes): a cutout that is
saved with alpha and laid on a ground elsewhere must look as if it had been laid on it here.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.spec import Rgba

Floats = NDArray[np.float32]
Share = Floats | np.float32
Layer = Callable[[slice], tuple[Sequence[Floats | np.float32], Share]]
"""Rows to three planes of colour, 0..255, and one of cover, 0..1: each [n, W], or one number for all."""

_ROWS = 64
"""Rows that are worked on at once: small temporaries that stay in the cache."""


def paint(colour: Rgba, cover: Callable[[slice], Floats] | None = None, opacity: float = 1.0) -> Layer:
    """One colour; cover: 0..1 per pixel, everywhere 1 when None. The colour's own alpha counts too."""
    strength = np.float32(opacity * colour[3] / 255)
    planes = [np.float32(part) for part in colour[:3]]
    if cover is None:
        return lambda _: (planes, strength)
    return lambda rows: (planes, np.clip(cover(rows), 0, 1) * strength)


def picture(colours: NDArray[np.uint8], cover: NDArray[np.uint8] | None = None) -> Layer:
    """Colours uint8 [H, W, 3] under a mask uint8 [H, W], or opaque."""

    def layer(rows: slice) -> tuple[Sequence[Floats], Share]:
        planes = [colours[rows, :, channel].astype(np.float32) for channel in range(3)]
        return planes, np.float32(1) if cover is None else cover[rows] * np.float32(1 / 255)

    return layer


def stacked(layers: Sequence[Layer], size: tuple[int, int], *, opaque: bool) -> NDArray[np.uint8]:
    """All layers, the lowest first, on a canvas of ``size`` (H, W): uint8 [H, W, 3] if ``opaque``, else [H, W, 4].

    opaque: the caller knows that one of the layers covers everything. Alpha is straight; hidden pixels are 0.
    """
    result = np.empty((*size, 3 if opaque else 4), np.uint8)
    for top in range(0, size[0], _ROWS):
        rows = slice(top, min(top + _ROWS, size[0]))
        planes, total = _over(layers, rows, (rows.stop - top, size[1]))
        if not opaque:
            result[rows, :, 3] = total * np.float32(255) + np.float32(0.5)
            share = np.divide(1, total, out=np.zeros_like(total), where=result[rows, :, 3] > 0)
            planes *= share
        for channel in range(3):
            result[rows, :, channel] = np.minimum(planes[channel], np.float32(255)) + np.float32(0.5)
        if not opaque:
            hidden = result[rows].view(np.uint32)[..., 0]
            hidden *= result[rows, :, 3] > 0
    return result


def _over(layers: Sequence[Layer], rows: slice, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Premultiplied colours [3, n, W] and total cover [n, W] of the layers in these rows."""
    planes, total = np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32)
    for layer in layers:
        colours, share = layer(rows)
        rest = 1 - share
        total *= rest
        total += share
        for channel, colour in enumerate(colours):
            planes[channel] *= rest
            planes[channel] += colour * share
    return planes, total
