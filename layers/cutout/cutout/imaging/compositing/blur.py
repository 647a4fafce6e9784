"""Gaussian blur of one plane at a cost that does not grow with the radius. Knows neither colours nor options.

A blurred plane holds little detail, so it is kept small: averaged in whole cells on which the Gaussian is one or two
wide, blurred there by a few taps, and enlarged (bicubic) row band by row band where it is needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

_LEAST_SIGMA = 2.0
"""Deviation in cells, at least: a point, taken to the middle of its cell, moves by a quarter of a deviation at most."""
_WIDE = 3.2
"""Deviations beyond which nothing is added."""
_ROOM = 3
"""Cells around a moved plane that the bicubic filter may ask for."""


@dataclass(frozen=True, slots=True)
class Soft:
    """A smooth plane of ``size`` (H, W) that is kept small.

    plane: float32 [h, w]; scale: cells per pixel (down, across); origin: the cell coordinates of pixel corner (0, 0).
    """

    plane: Floats
    size: tuple[int, int]
    scale: tuple[float, float]
    origin: tuple[float, float] = (0.0, 0.0)

    def rows(self, part: slice) -> Floats:
        """The values of the rows ``part`` (start and stop given): float32 [n, W]."""
        if self.scale == (1.0, 1.0) and self.origin == (0.0, 0.0):
            return self.plane[part]
        top, bottom = (self.origin[0] + row * self.scale[0] for row in (part.start, part.stop))
        left = self.origin[1]
        right = left + self.size[1] * self.scale[1]
        box = (left, top, min(right, self.plane.shape[1]), min(bottom, self.plane.shape[0]))  # rounding apart, inside
        shape = (self.size[1], part.stop - part.start)
        return np.asarray(Image.fromarray(self.plane).resize(shape, Image.Resampling.BICUBIC, box=box))

    def enlarged(self, size: tuple[int, int]) -> "Soft":
        """The same plane, stretched to a larger picture of ``size`` (H, W)."""
        scale = [cells * old / new for cells, old, new in zip(self.scale, self.size, size, strict=True)]
        return Soft(self.plane, size, (scale[0], scale[1]), self.origin)

    def moved(self, right_px: float, down_px: float) -> "Soft":
        """The same plane moved; what comes in at an edge continues the edge."""
        if not right_px and not down_px:
            return self
        window, origin = [], []
        for axis, distance in enumerate((down_px, right_px)):
            cells = self.plane.shape[axis]
            limit = float(self.size[axis] + 1)  # further away there is nothing but the edge
            start = self.origin[axis] - min(max(distance, -limit), limit) * self.scale[axis]
            first = int(np.floor(start)) - _ROOM
            window.append(np.clip(np.arange(first, first + cells + 2 * _ROOM + 1), 0, cells - 1))
            origin.append(start - first)
        return Soft(self.plane[np.ix_(*window)], self.size, self.scale, (origin[0], origin[1]))


def soften(plane: NDArray[np.uint8] | Floats, sigma_px: float) -> Soft:
    """``plane`` [H, W] blurred by a Gaussian of ``sigma_px``, edges continued; bytes become 0..1."""
    height, width = plane.shape
    cell = min(max(1, int(sigma_px / _LEAST_SIGMA)), max(height, width))
    small = plane if cell == 1 else np.asarray(Image.fromarray(plane).reduce(cell))
    values = small.astype(np.float32)
    if plane.dtype == np.uint8:
        values *= np.float32(1 / 255)
    variance = (sigma_px / cell) ** 2 - (1 / 12 if cell > 1 else 0)  # the averaging has already done a part of it
    for axis in range(2):
        values = _along(values, axis, variance)
    return Soft(values, (height, width), (1 / cell, 1 / cell))


def _along(values: Floats, axis: int, variance: float) -> Floats:
    """Blur along one axis, edges continued."""
    if variance < 1e-3:  # noqa: PLR2004  (the taps would be 1 and zeros)
        return values
    reach = math.ceil(_WIDE * math.sqrt(variance))
    taps = np.exp(-(np.arange(reach + 1) ** 2) / (2 * variance))
    taps /= taps[0] + 2 * taps[1:].sum()
    length = values.shape[axis]
    padded = np.pad(values, [(reach, reach) if one == axis else (0, 0) for one in range(2)], mode="edge")
    lanes = padded if axis == 0 else padded.T
    blurred: Floats = lanes[reach : reach + length] * np.float32(taps[0])
    for step in range(1, reach + 1):
        tap = np.float32(taps[step])
        blurred += tap * lanes[reach - step : reach - step + length]
        blurred += tap * lanes[reach + step : reach + step + length]
    return blurred if axis == 0 else blurred.T
