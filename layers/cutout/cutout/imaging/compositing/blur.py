"""Gaussian blur of one plane at a cost that does not grow with the radius.

A blurred plane holds little detail, so it is kept small: averaged in whole cells on which the Gaussian is one or two
wide, blurred there by a few taps, and enlarged (bicubic) row band by row band where it is needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats

_LEAST_SIGMA = 2.0
"""Deviation in cells, at least: a point, taken to the middle of its cell, moves by a quarter of a deviation at most."""
_KERNEL_SIGMAS = 3.2
"""Deviations beyond which nothing is added."""
_MARGIN = 3
"""Cells around a moved plane that the bicubic filter may ask for."""


@dataclass(frozen=True, slots=True)
class SmoothPlane:
    """A smooth plane that is stored small and enlarged when its rows are read.

    Attributes:
        plane: float32 [h, w].
        size: Rows and columns at full size, (H, W).
        scale: Cells per pixel, (down, across).
        origin: Cell coordinates of the corner of pixel (0, 0), (down, across).
    """

    plane: Floats
    size: tuple[int, int]
    scale: tuple[float, float]
    origin: tuple[float, float] = (0.0, 0.0)

    def rows(self, part: slice) -> Floats:
        """Enlarge some rows.

        Args:
            part: The rows; start and stop given.

        Returns:
            float32 [rows, W].
        """
        if self.scale == (1.0, 1.0) and self.origin == (0.0, 0.0):
            return self.plane[part]
        top, bottom = (self.origin[0] + row * self.scale[0] for row in (part.start, part.stop))
        left = self.origin[1]
        right = left + self.size[1] * self.scale[1]
        box = (left, top, min(right, self.plane.shape[1]), min(bottom, self.plane.shape[0]))  # rounding apart, inside
        shape = (self.size[1], part.stop - part.start)
        return np.asarray(Image.fromarray(self.plane).resize(shape, Image.Resampling.BICUBIC, box=box))

    def enlarged(self, size: tuple[int, int]) -> "SmoothPlane":
        """Stretch the plane to a larger image.

        Args:
            size: Rows and columns, (H, W).

        Returns:
            The same cells under another scale.
        """
        scale = [cells * old / new for cells, old, new in zip(self.scale, self.size, size, strict=True)]
        return SmoothPlane(self.plane, size, (scale[0], scale[1]), self.origin)

    def moved(self, right_px: float, down_px: float) -> "SmoothPlane":
        """Move the plane; what comes in at an edge continues the edge.

        Args:
            right_px: Pixels to the right; negative to the left.
            down_px: Pixels down; negative up.

        Returns:
            A plane of the same size.
        """
        if not right_px and not down_px:
            return self
        indices, origin = [], []
        for axis, distance in enumerate((down_px, right_px)):
            cells = self.plane.shape[axis]
            limit = float(self.size[axis] + 1)  # further out there is nothing but the edge
            start = self.origin[axis] - min(max(distance, -limit), limit) * self.scale[axis]
            first = int(np.floor(start)) - _MARGIN
            indices.append(np.clip(np.arange(first, first + cells + 2 * _MARGIN + 1), 0, cells - 1))
            origin.append(start - first)
        return SmoothPlane(self.plane[np.ix_(*indices)], self.size, self.scale, (origin[0], origin[1]))


def gaussian_blur(plane: Bytes | Floats, sigma_px: float) -> SmoothPlane:
    """Blur a plane by a Gaussian, edges continued.

    Args:
        plane: uint8 [H, W], taken as 0..1, or float32 [H, W].
        sigma_px: Standard deviation in pixels.

    Returns:
        The blurred plane, of the same size.
    """
    height, width = plane.shape
    cell = min(max(1, int(sigma_px / _LEAST_SIGMA)), max(height, width))
    small = plane if cell == 1 else np.asarray(Image.fromarray(plane).reduce(cell))
    values = small.astype(np.float32)
    if plane.dtype == np.uint8:
        values *= np.float32(1 / 255)
    variance = (sigma_px / cell) ** 2 - (1 / 12 if cell > 1 else 0)  # the averaging has already done a part of it
    for axis in range(2):
        values = _blur_axis(values, axis, variance)
    return SmoothPlane(values, (height, width), (1 / cell, 1 / cell))


def _blur_axis(values: Floats, axis: int, variance: float) -> Floats:
    if variance < 1e-3:  # noqa: PLR2004  (the taps would be 1 and zeros)
        return values
    reach = math.ceil(_KERNEL_SIGMAS * math.sqrt(variance))
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
