"""The subject's pixels to their place on the canvas: cut, moved, or made larger or smaller. Knows only the layout."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.compositing.layout import Layout
from cutout.imaging.spec import Box

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Colours uint8 [H, W, 3] and alpha uint8 [H, W]."""
Floats = NDArray[np.float32]

_HIDDEN = 0.25
"""Alpha, of 255, that rounds to nothing."""


def placed(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], layout: Layout) -> Pair:
    """The photo's colours and alpha as the canvas has them; alpha 0 where the photo does not reach.

    Exact where nothing is scaled (views of the input where the canvas lies inside the photo); elsewhere resampled
    with colours weighted by alpha, bicubic: its one negative lobe leaves no ring around an edge.
    """
    source, target = layout.source, layout.target
    if (source.width, source.height) != (target.width, target.height):
        return _on_canvas(*_resampled(colours, alpha, layout), _visible(layout), layout)
    if target.left <= 0 and target.top <= 0 and _reaches(target, layout):
        rows = slice(source.top - target.top, source.top - target.top + layout.height)
        columns = slice(source.left - target.left, source.left - target.left + layout.width)
        return colours[rows, columns], alpha[rows, columns]
    shown = _visible(layout)
    rows = slice(source.top + shown.top - target.top, source.top + shown.top - target.top + shown.height)
    columns = slice(source.left + shown.left - target.left, source.left + shown.left - target.left + shown.width)
    return _on_canvas(colours[rows, columns], alpha[rows, columns], shown, layout)


def _reaches(target: Box, layout: Layout) -> bool:
    return target.left + target.width >= layout.width and target.top + target.height >= layout.height


def _visible(layout: Layout) -> Box:
    """The part of the target that lies on the canvas; of no size when none does."""
    target = layout.target
    left, top = (min(max(0, start), end) for start, end in ((target.left, layout.width), (target.top, layout.height)))
    right, bottom = min(layout.width, target.left + target.width), min(layout.height, target.top + target.height)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def _resampled(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], layout: Layout) -> Pair:
    source, target, shown = layout.source, layout.target, _visible(layout)
    if not shown.width or not shown.height:
        return np.empty((shown.height, shown.width, 3), np.uint8), np.empty((shown.height, shown.width), np.uint8)
    part = slice(source.top, source.top + source.height), slice(source.left, source.left + source.width)
    across, down = source.width / target.width, source.height / target.height
    left, top = (shown.left - target.left) * across, (shown.top - target.top) * down
    right = min(float(source.width), left + shown.width * across)
    bottom = min(float(source.height), top + shown.height * down)
    weight, size, box = alpha[part].astype(np.float32), (shown.width, shown.height), (left, top, right, bottom)
    cover = _resized(weight, size, box)
    share = np.divide(1, cover, out=np.zeros_like(cover), where=cover > _HIDDEN)
    made = np.empty((shown.height, shown.width, 3), np.uint8)
    for channel in range(3):  # weighted by alpha as a float: bytes would lose the colours of faint pixels
        plane = _resized(weight * colours[(*part, channel)], size, box) * share
        made[..., channel] = np.clip(plane, 0, 255, out=plane) + np.float32(0.5)
    return made, (np.clip(cover, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _resized(plane: Floats, size: tuple[int, int], box: tuple[float, float, float, float]) -> Floats:
    """Bicubic, not clipped: what overshoots in colour and alpha alike must meet again when they are divided."""
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC, box=box))


def _on_canvas(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], at: Box, layout: Layout) -> Pair:
    whole, cover = (
        np.zeros((layout.height, layout.width, 3), np.uint8),
        np.zeros((layout.height, layout.width), np.uint8),
    )
    rows, columns = slice(at.top, at.top + at.height), slice(at.left, at.left + at.width)
    whole[rows, columns], cover[rows, columns] = colours, alpha
    return whole, cover
