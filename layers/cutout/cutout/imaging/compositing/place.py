"""The subject's pixels to their place on the canvas: cropped, moved, enlarged or reduced."""

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, Colours, Floats
from cutout.imaging.compositing.layout import Layout
from cutout.imaging.spec import Box

_INVISIBLE = 0.25
"""Alpha, of 255, that rounds to nothing."""


def place_on_canvas(colours: Colours, alpha: Bytes, layout: Layout) -> tuple[Colours, Bytes]:
    """Place the subject on the canvas.

    Exact where nothing is scaled (views of the input where the canvas lies inside the photo); elsewhere resampled
    with colours weighted by alpha, bicubic: its one negative lobe leaves no ring around an edge.

    Args:
        colours: The photo's colours, uint8 or uint16 [H, W, 3].
        alpha: uint8 [H, W].
        layout: Made for that alpha; its canvas is h x w.

    Returns:
        Colours [h, w, 3] of the same type and alpha uint8 [h, w]; alpha 0 where the photo does not reach.
    """
    source, target = layout.source, layout.target
    if (source.width, source.height) != (target.width, target.height):
        return _paste(*_resample(colours, alpha, layout), _visible(layout), layout)
    if target.left <= 0 and target.top <= 0 and _covers(target, layout):
        rows = slice(source.top - target.top, source.top - target.top + layout.height)
        columns = slice(source.left - target.left, source.left - target.left + layout.width)
        return colours[rows, columns], alpha[rows, columns]
    shown = _visible(layout)
    rows = slice(source.top + shown.top - target.top, source.top + shown.top - target.top + shown.height)
    columns = slice(source.left + shown.left - target.left, source.left + shown.left - target.left + shown.width)
    return _paste(colours[rows, columns], alpha[rows, columns], shown, layout)


def _covers(target: Box, layout: Layout) -> bool:
    return target.left + target.width >= layout.width and target.top + target.height >= layout.height


def _visible(layout: Layout) -> Box:
    """Clip the target to the canvas; the box has no size when nothing is left."""
    target = layout.target
    left, top = (min(max(0, start), end) for start, end in ((target.left, layout.width), (target.top, layout.height)))
    right, bottom = min(layout.width, target.left + target.width), min(layout.height, target.top + target.height)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def _resample(colours: Colours, alpha: Bytes, layout: Layout) -> tuple[Colours, Bytes]:
    source, target, shown = layout.source, layout.target, _visible(layout)
    if not shown.width or not shown.height:
        return np.empty((shown.height, shown.width, 3), colours.dtype), np.empty((shown.height, shown.width), np.uint8)
    part = slice(source.top, source.top + source.height), slice(source.left, source.left + source.width)
    across, down = source.width / target.width, source.height / target.height
    left, top = (shown.left - target.left) * across, (shown.top - target.top) * down
    right = min(float(source.width), left + shown.width * across)
    bottom = min(float(source.height), top + shown.height * down)
    weight, size, box = alpha[part].astype(np.float32), (shown.width, shown.height), (left, top, right, bottom)
    cover = _resize(weight, size, box)
    share = np.divide(1, cover, out=np.zeros_like(cover), where=cover > _INVISIBLE)
    resized: Colours = np.empty((shown.height, shown.width, 3), colours.dtype)
    top = np.iinfo(colours.dtype).max
    for channel in range(3):  # weighted by alpha as a float: bytes would lose the colours of faint pixels
        plane = _resize(weight * colours[(*part, channel)], size, box) * share
        resized[..., channel] = np.clip(plane, 0, top, out=plane) + np.float32(0.5)
    return resized, (np.clip(cover, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _resize(plane: Floats, size: tuple[int, int], box: tuple[float, float, float, float]) -> Floats:
    """Resize bicubic without clipping: overshoots in colour and alpha must meet again when they are divided."""
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC, box=box))


def _paste(colours: Colours, alpha: Bytes, at: Box, layout: Layout) -> tuple[Colours, Bytes]:
    whole: Colours = np.zeros((layout.height, layout.width, 3), colours.dtype)
    cover = np.zeros((layout.height, layout.width), np.uint8)
    rows, columns = slice(at.top, at.top + at.height), slice(at.left, at.left + at.width)
    whole[rows, columns], cover[rows, columns] = colours, alpha
    return whole, cover
