"""Layers composited row band by row band, whatever they show.

The arithmetic is that of every viewer and browser (W3C Compositing, source-over on sRGB bytes): a cutout that is
saved with alpha and laid on a background elsewhere must look as if it had been laid on it here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bytes, Colours, Floats, row_bands
from cutout.imaging.spec import Rgba

Share = Floats | np.float32
Layer = Callable[[slice], tuple[Sequence[Floats | np.float32], Share]]
"""Maps rows to three planes of colour, 0..255, and one of cover, 0..1: each [rows, W], or one number for all."""

ROWS = 64
"""Rows that are composited at once."""


def colour_layer(colour: Rgba, cover: Callable[[slice], Floats] | None = None, opacity: float = 1.0) -> Layer:
    """Make a layer of one colour.

    Args:
        colour: Its alpha counts too.
        cover: Maps rows to their cover, float32 [rows, W] in 0..1; None covers everything.
        opacity: 0..1.

    Returns:
        The layer.
    """
    strength = np.float32(opacity * colour[3] / 255)
    planes = [np.float32(part) for part in colour[:3]]
    if cover is None:
        return lambda _: (planes, strength)
    return lambda rows: (planes, np.clip(cover(rows), 0, 1) * strength)


def image_layer(colours: Colours, cover: Bytes | None = None) -> Layer:
    """Make a layer of an image.

    Args:
        colours: uint8 or uint16 [H, W, 3].
        cover: Its alpha, uint8 [H, W]; None when it is opaque.

    Returns:
        The layer.
    """

    def layer(rows: slice) -> tuple[Sequence[Floats], Share]:
        planes = [colours[rows, :, channel].astype(np.float32) for channel in range(3)]
        if colours.dtype == np.uint16:
            planes = [plane * np.float32(1 / 257) for plane in planes]
        return planes, np.float32(1) if cover is None else cover[rows] * np.float32(1 / 255)

    return layer


def composite(
    layers: Sequence[Layer], size: tuple[int, int], *, opaque: bool, dtype: type[np.uint8 | np.uint16] = np.uint8
) -> Colours:
    """Composite layers, the lowest first.

    Args:
        layers: Layers of the canvas's size.
        size: Rows and columns of the canvas, (H, W).
        opaque: Whether the caller knows that a layer covers everything.
        dtype: Bits of the result.

    Returns:
        [H, W, 3] if ``opaque``, else [H, W, 4] with straight alpha and hidden pixels 0.
    """
    result: Colours = np.empty((*size, 3 if opaque else 4), dtype)
    top = np.float32(np.iinfo(dtype).max)
    for rows in row_bands(size[0], ROWS):
        planes, total = _source_over(layers, rows, (rows.stop - rows.start, size[1]))
        if not opaque:
            result[rows, :, 3] = total * top + np.float32(0.5)
            share = np.divide(1, total, out=np.zeros_like(total), where=result[rows, :, 3] > 0)
            planes *= share
        for channel in range(3):
            result[rows, :, channel] = np.minimum(planes[channel] * (top / 255), top) + np.float32(0.5)
        if not opaque:
            clear_hidden(result[rows], result[rows, :, 3])
    return result


def clear_hidden(rgba: Colours, alpha: Colours) -> None:
    """Set pixels with alpha 0 to 0 in all channels, in place: nothing of the old background leaves in them.

    Args:
        rgba: uint8 or uint16 [H, W, 4], contiguous along rows; a pixel at once is ten times faster than a mask.
        alpha: Its alpha, [H, W]; faster where it is an array of its own.
    """
    whole: NDArray[Any] = rgba.view(np.uint32 if rgba.dtype == np.uint8 else np.uint64)[..., 0]
    whole *= alpha > 0


def _source_over(layers: Sequence[Layer], rows: slice, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Composite some rows: premultiplied colours [3, rows, W] and total cover [rows, W]."""
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
