"""Takes the old background's tint out of soft edges and what lies next to them, in Lab, keeping luminance.

Colour estimation cleans what is mixed within a pixel; light that the background threw onto the subject (a green
screen on hair and shoulders) is real colour and stays. Here the part of a pixel's chroma that points from the local
foreground colour towards the local background colour is removed, fading out with the distance from the edge.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.foreground import GRID_PX, ROWS, local_colours
from cutout.imaging.grid import Floats, double, grid_shape, halve, read, shrink

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)
"""Linear sRGB to CIE XYZ, D65 (IEC 61966-2-1)."""
_WHITE = _TO_XYZ.sum(axis=1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)
_LEAST_CHROMA = 4.0
"""Lab distance between the local colours below which there is no tint to speak of."""


def despill(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours uint8 [H, W, 3] without spill. alpha: uint8 [H, W]; image: the picture before, [H, W, 3].

    Lightness L stays within rounding and gamut; pixels away from every edge, and hidden ones, stay as they are.
    """
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    open_share = halve(halve(1 - shrink(alpha, shape)))
    nearness = np.minimum(double(double(open_share)) * 2, 1)
    local = local_colours(image, alpha, GRID_PX).transpose(1, 2, 0)
    chroma = [to_lab(local[..., part])[..., 1:].transpose(2, 0, 1) for part in (slice(0, 3), slice(3, 6))]
    around = np.concatenate([*chroma, nearness])
    result = colours.copy()
    for top in range(0, len(alpha), ROWS):
        shown = np.flatnonzero(alpha[top : top + ROWS])
        shown = shown[read(nearness, shown, top, alpha.shape)[0] > 0]
        pixels = result[top : top + ROWS].reshape(-1, 3)
        pixels[shown] = _without_spill(pixels[shown], read(around, shown, top, alpha.shape).T)
    return result


def _without_spill(colours: NDArray[np.uint8], around: Floats) -> NDArray[np.uint8]:
    lab = to_lab(colours * np.float32(1 / 255))
    own, back, strength = around[:, :2], around[:, 2:4], around[:, 4:]
    towards = back - own
    distance = np.sqrt((towards**2).sum(axis=-1, keepdims=True))
    direction = towards / np.maximum(distance, _LEAST_CHROMA)
    spill = ((lab[:, 1:] - own) * direction).sum(axis=-1, keepdims=True)
    lab[:, 1:] -= direction * np.maximum(spill, 0) * strength * (distance > _LEAST_CHROMA)
    clean: NDArray[np.uint8] = (np.clip(from_lab(lab), 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return clean


def to_lab(colours: Floats) -> Floats:
    """From sRGB in 0..1 to CIE L*a*b* under D65, last axis 3."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    xyz = linear.astype(np.float32) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def from_lab(lab: Floats) -> Floats:
    """CIE L*a*b* under D65 to sRGB; values outside 0..1 lie outside the gamut."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389) * _WHITE
    linear = np.clip(xyz.astype(np.float32) @ _FROM_XYZ.T, 0, 1)
    curved = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return np.asarray(curved, np.float32)
