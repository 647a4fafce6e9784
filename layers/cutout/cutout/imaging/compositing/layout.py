"""Where things are on the canvas: crop and margins, size of the canvas, scale and position. Numbers only, no pixels.

Two maps lead from the photo to the canvas. The frame (the photo or its crop) is scaled into the canvas as a whole;
the subject goes along unless ``scale`` or ``position`` move it alone. Both keep the aspect.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.compositing import shadow, stroke
from cutout.imaging.spec import Box, Canvas, Channels, CutoutSpec, Fit, Limits, Position, fitted

CROP_ABOVE = 10
"""Alpha (of 255) that still counts as empty when a cutout is cropped; a mask is cropped to anything above 0."""
_FIRM = 64
"""Alpha above which a pixel says where the subject is; a model's faint specks must not move it."""
_LEAST_SHARE = 0.05
"""Of the room that ``scale`` asks for, a wide stroke leaves the subject at least this much."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is where. width, height: the canvas.

    frame: the part of the photo that the canvas shows, whole pixels of the photo;
    source: pixels of the photo that hold the subject; target: where they lie on the canvas (maybe partly outside);
    subject: the subject on the canvas, not clipped by it, or None when nothing is visible.
    """

    width: int
    height: int
    frame: Box
    source: Box
    target: Box
    subject: Box | None

    @property
    def foreground(self) -> Box | None:
        """The part of the subject that lies on the canvas."""
        if self.subject is None:
            return None
        left, top = max(0, self.subject.left), max(0, self.subject.top)
        right = min(self.width, self.subject.left + self.subject.width)
        bottom = min(self.height, self.subject.top + self.subject.height)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class _Map:
    """From the photo to the canvas: scale * x + left, scale * y + top."""

    scale: float
    left: float
    top: float

    def of(self, box: Box) -> Box:
        """``box`` on the canvas, in whole pixels, at least one."""
        left, top = round(self.left + self.scale * box.left), round(self.top + self.scale * box.top)
        right = round(self.left + self.scale * (box.left + box.width))
        bottom = round(self.top + self.scale * (box.top + box.height))
        return Box(left, top, max(1, right - left), max(1, bottom - top))


def lay_out(
    alpha: NDArray[np.uint8], spec: CutoutSpec, limits: Limits, background_px: tuple[int, int] | None = None
) -> Layout:
    """The layout for alpha uint8 [H, W]. background_px: width and height of the background image.

    The canvas stays within ``limits`` and the cap of ``spec.size``. A picture with nothing visible is neither cropped
    nor moved.
    """
    whole = Box(0, 0, alpha.shape[1], alpha.shape[0])
    seen = bounds(alpha, CROP_ABOVE)
    frame = whole
    if spec.crop and (shown := bounds(alpha, 0) if spec.channels is Channels.ALPHA else seen):
        frame = _cropped(shown, spec)
    subject = bounds(alpha, _FIRM) or seen
    width, height = _canvas(frame, spec, limits, background_px)
    way = _framed(frame, width, height, spec.canvas)
    if subject is not None:
        way = _moved(way, subject, spec, width, height)
    source = whole
    if way.scale != 1:
        source = bounds(alpha, 0) or whole
    return Layout(width, height, _common(frame, whole), source, way.of(source), way.of(subject) if subject else None)


def bounds(alpha: NDArray[np.uint8], above: int) -> Box | None:
    """The smallest box that holds every pixel with alpha > ``above``; None when there is none."""
    seen = alpha > above
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def _cropped(subject: Box, spec: CutoutSpec) -> Box:
    """The subject with its stroke and its shadow, and the margins around that."""
    grow = [0.0, 0.0, 0.0, 0.0]
    if spec.channels is not Channels.ALPHA:
        side = max(subject.width, subject.height)
        rim = stroke.reach_px(spec.stroke, side)
        grow = [float(max(rim, np.ceil(reach + rim))) for reach in shadow.reach_px(spec.shadow, side)]
    top, right, bottom, left = grow
    if spec.crop_margin is not None:
        top += spec.crop_margin.top.px(subject.height)
        right += spec.crop_margin.right.px(subject.width)
        bottom += spec.crop_margin.bottom.px(subject.height)
        left += spec.crop_margin.left.px(subject.width)
    x, y = round(subject.left - left), round(subject.top - top)
    edge_x, edge_y = round(subject.left + subject.width + right), round(subject.top + subject.height + bottom)
    return Box(x, y, edge_x - x, edge_y - y)


def _canvas(frame: Box, spec: CutoutSpec, limits: Limits, background_px: tuple[int, int] | None) -> tuple[int, int]:
    width, height = frame.width, frame.height
    if spec.canvas is not None:
        natural = background_px or (width, height)
        width, height = spec.canvas.width or natural[0], spec.canvas.height or natural[1]
    return fitted(width, height, spec.size, limits)


def _framed(frame: Box, width: int, height: int, canvas: Canvas | None) -> _Map:
    shares = width / frame.width, height / frame.height
    scale = max(shares) if canvas is not None and canvas.fit is Fit.COVER else min(shares)
    left = (width - scale * frame.width) / 2 - scale * frame.left
    top = (height - scale * frame.height) / 2 - scale * frame.top
    return _Map(scale, left, top)


def _moved(way: _Map, subject: Box, spec: CutoutSpec, width: int, height: int) -> _Map:
    """``scale`` and ``position``: the subject together with its stroke."""
    if spec.scale is None and spec.position is None:
        return way
    side = max(subject.width, subject.height)
    edged = spec.stroke if spec.channels is not Channels.ALPHA else None
    scale, rim = way.scale, stroke.reach_px(edged, side * way.scale)
    if spec.scale is not None:
        share = spec.scale / 100
        wanted = min(share * width / subject.width, share * height / subject.height)
        rim = stroke.reach_px(edged, side * wanted)
        room = [(share * total - 2 * rim) for total in (width, height)]
        scale = max(min(room[0] / subject.width, room[1] / subject.height), wanted * _LEAST_SHARE)
    position = spec.position or Position()
    free_x = width - scale * subject.width - 2 * rim
    free_y = height - scale * subject.height - 2 * rim
    left = free_x * position.x / 100 + rim - scale * subject.left
    top = free_y * position.y / 100 + rim - scale * subject.top
    return _Map(scale, left, top)


def _common(one: Box, other: Box) -> Box:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(one.left + one.width, other.left + other.width)
    bottom = min(one.top + one.height, other.top + other.height)
    return Box(left, top, right - left, bottom - top)
