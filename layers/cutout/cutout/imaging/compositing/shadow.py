"""Shadows from a silhouette: moved and blurred, or lying on the ground.

The ground shadow is made from the lower outline alone. Where the subject nearly touches the ground the shadow is
dark and narrow, where it is higher above it wide and faint: the sum of a few such strips, each as soft as its height.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from cutout.imaging.arrays import Bools, Bytes, Floats
from cutout.imaging.compositing.blur import SmoothPlane, gaussian_blur
from cutout.imaging.spec import Box, Shadow, ShadowKind

_GRID_PX = 1024
"""Longer side of the plane on which a ground shadow is drawn."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Ground that is dark where the subject ends less than ``height`` above it.

    Lengths are in longer sides of the subject; across, near and far are the standard deviations of the edges sideways,
    towards the viewer and away from the viewer.
    """

    height: float
    darkness: float
    across: float
    near: float
    far: float


_STRIPS = (
    _Strip(height=0.012, darkness=0.75, across=0.008, near=0.006, far=0.010),
    _Strip(height=0.05, darkness=0.5, across=0.025, near=0.014, far=0.025),
    _Strip(height=0.25, darkness=0.6, across=0.06, near=0.03, far=0.06),
)
_NEAR_GROUND = 0.2
"""What ends this much (longer sides) above the lowest column does not stand on the ground."""
_FOOT = 0.12
"""A foot is the lowest column within this many longer sides on both sides of it."""
_VISIBLE = 2.0
"""Deviations beyond which a shadow is not seen."""
_SOLID = 128


def shadow_plane(silhouette: Bytes, subject: Box, shadow: Shadow) -> SmoothPlane:
    """Draw a shadow.

    Args:
        silhouette: Alpha of the subject and its stroke on the canvas, uint8 [H, W].
        subject: Bounds of the subject on the canvas.
        shadow: Its opacity and colour are not applied here.

    Returns:
        Darkness of every pixel in 0..1, [H, W], edges of the canvas continued.
    """
    side = max(subject.width, subject.height)
    if shadow.kind is ShadowKind.CONTACT:
        return _on_ground(silhouette, side)
    blurred = gaussian_blur(silhouette, shadow.blur.px(side) / 2)
    return blurred.moved(round(shadow.offset_x.px(side)), round(shadow.offset_y.px(side)))


def reach_px(shadow: Shadow | None, side_px: float) -> tuple[float, float, float, float]:
    """Compute how far beyond the subject the shadow is visible.

    Args:
        shadow: None for no shadow.
        side_px: The subject's longer side in pixels.

    Returns:
        Pixels at the top, right, bottom and left; negative where the shadow stays inside the subject's bounds.
    """
    if shadow is None:
        return 0, 0, 0, 0
    if shadow.kind is ShadowKind.CONTACT:
        across, near = (_VISIBLE * side_px * reach for reach in (_STRIPS[-1].across, _STRIPS[-1].near))
        return 0, across, near, across
    blur = _VISIBLE * shadow.blur.px(side_px) / 2
    right, down = shadow.offset_x.px(side_px), shadow.offset_y.px(side_px)
    return blur - down, blur + right, blur + down, blur - right


def _on_ground(silhouette: Bytes, side_px: float) -> SmoothPlane:
    height, width = silhouette.shape
    reduction = max(1.0, max(height, width) / _GRID_PX)
    shape = max(1, round(height / reduction)), max(1, round(width / reduction))
    small = np.asarray(Image.fromarray(silhouette).resize((shape[1], shape[0]), Image.Resampling.BOX))
    side = side_px / reduction
    plane = np.zeros(shape, np.float32)
    solid = small >= _SOLID
    occupied: Bools = np.asarray(solid.any(axis=0))
    if occupied.any():
        lowest = np.where(occupied, shape[0] - np.argmax(solid[::-1], axis=0), -1).astype(np.float32)
        plane = _strips(lowest, _ground_line(lowest, occupied, side), shape[0], side)
    return SmoothPlane(plane, (height, width), (shape[0] / height, shape[1] / width))


def _strips(lowest: Floats, ground: Floats, height: int, side: float) -> Floats:
    """Sum the strips to darkness, float32 [height, w].

    lowest: the row where each column of the subject ends, float32 [w], -1 where there is none; ground: the row of the
    ground under each column, float32 [w].
    """
    light = np.ones((height, lowest.size), np.float32)
    below = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5) - ground
    for strip in _STRIPS:
        above = (ground - lowest) / np.float32(max(strip.height * side, 1.0))
        footprint = np.where(lowest >= 0, np.clip(1 - above, 0, 1), 0).astype(np.float32)
        lengthwise = gaussian_blur(footprint[None], strip.across * side).rows(slice(0, 1))
        deviation = np.where(below > 0, np.float32(strip.near * side), np.float32(strip.far * side))
        light *= 1 - np.float32(strip.darkness) * lengthwise * np.exp(-((below / deviation) ** 2) / 2)
    return 1 - light


def _ground_line(lowest: Floats, occupied: Bools, side: float) -> Floats:
    """Find the ground under each column, [w]: the hull of the feet, level beyond the outer ones."""
    reach = max(1, round(_FOOT * side))
    around = sliding_window_view(np.pad(lowest, reach, constant_values=-1), 2 * reach + 1).max(axis=1)
    feet = np.flatnonzero(occupied & (lowest == around) & (lowest >= lowest.max() - _NEAR_GROUND * side))
    hull: list[int] = []
    for foot in feet.tolist():  # columns of the small plane, a thousand at most
        while len(hull) > 1 and _is_above(lowest, hull[-2], hull[-1], foot):
            hull.pop()
        hull.append(foot)
    line = np.interp(np.arange(lowest.size), hull, lowest[hull]).astype(np.float32)
    smooth: Floats = gaussian_blur(line[None], max(1.0, 0.01 * side)).rows(slice(0, 1))[0]
    return smooth


def _is_above(lowest: Floats, first: int, middle: int, last: int) -> bool:
    """Tell whether the outline at ``middle`` ends above the line from first to last (rows count downwards)."""
    rise = float(lowest[last] - lowest[first]) / (last - first)
    return float(lowest[middle]) <= float(lowest[first]) + rise * (middle - first)
