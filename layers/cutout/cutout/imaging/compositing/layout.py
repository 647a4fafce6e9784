"""The geometry of the canvas: crop and margins, size of the canvas, scale and position. Numbers only, no pixels.

Two maps lead from the photo to the canvas. The frame (the photo or its crop) is scaled into the canvas as a whole;
the subject goes along unless ``scale`` or ``position`` move it alone. Both keep the aspect.
"""

from dataclasses import dataclass, replace
from math import floor

import numpy as np

from cutout.errors import NothingFoundError
from cutout.imaging.arrays import Bytes
from cutout.imaging.compositing import shadow, stroke
from cutout.imaging.spec import Box, Canvas, Channels, CutoutSpec, Fit, ImageFormat, Limits, OnEmpty, Position, fit_size

CROP_ABOVE = 10
"""Alpha (of 255) that still counts as empty when a cutout is cropped; a mask is cropped to anything above 0."""
_FIRM = 64
"""Alpha above which a pixel says where the subject is; a model's faint specks must not move it."""
_LEAST_SHARE = 0.05
"""Of the room that ``scale`` asks for, a wide stroke leaves the subject at least this much."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The place of everything on the canvas.

    Attributes:
        width: Of the canvas, pixels.
        height: Of the canvas, pixels.
        frame: The part of the photo that the canvas shows, in pixels of the photo.
        source: The part of the photo that holds the subject, in pixels of the photo.
        target: Where ``source`` lies on the canvas, maybe partly outside.
        subject: Bounds of the subject on the canvas, not clipped by it; None when nothing is visible.
    """

    width: int
    height: int
    frame: Box
    source: Box
    target: Box
    subject: Box | None

    @property
    def foreground(self) -> Box | None:
        """The subject's bounds, clipped to the canvas; None when nothing is visible."""
        if self.subject is None:
            return None
        left, top = max(0, self.subject.left), max(0, self.subject.top)
        right = min(self.width, self.subject.left + self.subject.width)
        bottom = min(self.height, self.subject.top + self.subject.height)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class _Map:
    """A map from the photo to the canvas: scale * x + left, scale * y + top."""

    scale: float
    left: float
    top: float

    def apply(self, box: Box) -> Box:
        """Map a box to whole pixels of the canvas, at least one: that in which its middle lies."""
        left, width = _whole(self.left + self.scale * box.left, self.scale * box.width)
        top, height = _whole(self.top + self.scale * box.top, self.scale * box.height)
        return Box(left, top, width, height)


def _whole(start: float, length: float) -> tuple[int, int]:
    first, last = round(start), round(start + length)
    return (first, last - first) if last > first else (floor(start + length / 2), 1)


def lay_out(alpha: Bytes, spec: CutoutSpec, limits: Limits, background_px: tuple[int, int] | None = None) -> Layout:
    """Lay out the canvas. An image with nothing visible is neither cropped nor moved.

    Args:
        alpha: uint8 [H, W].
        spec: Crop, canvas, scale, position, stroke and shadow.
        limits: Bounds of the canvas, besides the cap of ``spec.size``.
        background_px: Width and height of the background image; None without one.

    Returns:
        The layout.

    Raises:
        NothingFoundError: Nothing is visible on the canvas, and the spec wants no empty picture.
    """
    whole = Box(0, 0, alpha.shape[1], alpha.shape[0])
    peaks = alpha_peaks(alpha)
    visible = bounding_box(peaks, CROP_ABOVE)
    frame = whole
    if spec.crop and (shown := bounding_box(peaks, 0) if spec.channels is Channels.ALPHA else visible):
        frame = _crop(shown, spec)
    subject = bounding_box(peaks, _FIRM) or visible
    width, height = _canvas_size(frame, spec, limits, background_px)
    placement = _fit_frame(frame, width, height, spec.canvas)
    if subject is not None:
        placement = _scale_and_position(placement, subject, spec, width, height)
    source = whole
    if placement.scale != 1:
        source = bounding_box(peaks, 0) or whole
    on_canvas = placement.apply(subject) if subject else None
    layout = Layout(width, height, _intersect(frame, whole), source, placement.apply(source), on_canvas)
    if layout.foreground is None and spec.on_empty is OnEmpty.ERROR:
        raise NothingFoundError("Nothing in the image stands out as its subject.")
    return layout


def alpha_peaks(alpha: Bytes) -> tuple[Bytes, Bytes]:
    """Find the highest alpha of every row, uint8 [H], and of every column, uint8 [W]."""
    return alpha.max(axis=1), alpha.max(axis=0)


def bounding_box(peaks: tuple[Bytes, Bytes], above: int) -> Box | None:
    """Find the smallest box that holds every pixel with alpha > ``above``.

    Args:
        peaks: The highest alpha of every row and of every column.
        above: 0..255.

    Returns:
        The box, or None when there is no such pixel.
    """
    rows, columns = (np.flatnonzero(line > above) for line in peaks)
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def _crop(subject: Box, spec: CutoutSpec) -> Box:
    """Extend the subject's bounds by its stroke, its shadow and the margins."""
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


def _canvas_size(
    frame: Box, spec: CutoutSpec, limits: Limits, background_px: tuple[int, int] | None
) -> tuple[int, int]:
    width, height = frame.width, frame.height
    if spec.canvas is not None:
        natural = background_px or (width, height)
        width, height = spec.canvas.width or natural[0], spec.canvas.height or natural[1]
    formats = [spec.mask_format if spec.channels is Channels.ALPHA else spec.format]
    if spec.opaque_as_jpeg:
        formats.append(ImageFormat.JPEG)
    side = min(limits.max_output_side_px, *(each.max_side_px for each in formats))
    return fit_size(width, height, spec.size, replace(limits, max_output_side_px=side))


def _fit_frame(frame: Box, width: int, height: int, canvas: Canvas | None) -> _Map:
    shares = width / frame.width, height / frame.height
    scale = max(shares) if canvas is not None and canvas.fit is Fit.COVER else min(shares)
    left = (width - scale * frame.width) / 2 - scale * frame.left
    top = (height - scale * frame.height) / 2 - scale * frame.top
    return _Map(scale, left, top)


def _scale_and_position(placement: _Map, subject: Box, spec: CutoutSpec, width: int, height: int) -> _Map:
    """Apply ``scale`` and ``position`` to the subject together with its stroke."""
    if spec.scale is None and spec.position is None:
        return placement
    side = max(subject.width, subject.height)
    drawn = spec.stroke if spec.channels is not Channels.ALPHA else None
    scale, rim = placement.scale, stroke.reach_px(drawn, side * placement.scale)
    if spec.scale is not None:
        share = spec.scale / 100
        wanted = min(share * width / subject.width, share * height / subject.height)
        rim = stroke.reach_px(drawn, side * wanted)
        room = [(share * total - 2 * rim) for total in (width, height)]
        scale = max(min(room[0] / subject.width, room[1] / subject.height), wanted * _LEAST_SHARE)
    position = spec.position or Position()
    free_x = width - scale * subject.width - 2 * rim
    free_y = height - scale * subject.height - 2 * rim
    left = free_x * position.x / 100 + rim - scale * subject.left
    top = free_y * position.y / 100 + rim - scale * subject.top
    return _Map(scale, left, top)


def _intersect(one: Box, other: Box) -> Box:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(one.left + one.width, other.left + other.width)
    bottom = min(one.top + one.height, other.top + other.height)
    return Box(left, top, right - left, bottom - top)
