"""Takes the old background's tint out of soft edges and what lies next to them, in Lab, keeping luminance.

Colour estimation cleans what is mixed within a pixel; light that the background threw onto the subject (a green
screen on hair and shoulders) is real colour and stays. Here the part of a pixel's chroma that points from the local
foreground colour towards the local background colour is removed, fading out with the distance from the edge.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.foreground import GRID_PX, ROWS, sure
from cutout.imaging.grid import Floats, double, grid_shape, halve, read, shrink, spread

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)
"""Linear sRGB to CIE XYZ, D65 (IEC 61966-2-1)."""
_WHITE = _TO_XYZ.sum(axis=1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)
_REACH_HALVINGS = 4
"""Spill is looked for up to 2**4 pixels of the grid inside the edge."""
_SHALLOW = 0.001
"""Weight of the rim, which may be tinted, in the subject's own colour; thin subjects have nothing else."""
_SLACK = 0.004
"""By this much a colour may leave 0..1 before it counts as outside sRGB: one step of 255."""
_TRIES = 5
_LEAST_CHROMA = 4.0
"""Lab distance between the local colours below which there is no tint to speak of."""


def despill(colours: NDArray[np.uint8], alpha: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours uint8 [H, W, 3] without spill. alpha: uint8 [H, W]; image: the picture before, [H, W, 3].

    Lightness L stays within rounding; pixels away from every edge, and hidden ones, stay as they are.
    """
    around = _surroundings(alpha, image)
    nearness = around[4:]
    result = colours.copy()
    for top in range(0, len(alpha), ROWS):
        shown = np.flatnonzero(alpha[top : top + ROWS])
        shown = shown[read(nearness, shown, top, alpha.shape)[0] > 0]
        pixels = result[top : top + ROWS].reshape(-1, 3)
        pixels[shown] = _without_spill(pixels[shown], read(around, shown, top, alpha.shape).T)
    return result


def _surroundings(alpha: NDArray[np.uint8], image: NDArray[np.uint8]) -> Floats:
    """On the grid: chroma of the subject's depth, of the background, and nearness of the edge; [5, h, w].

    nearness: 1 at the edge, falling to 0 on the way inside.
    """
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    colours, cover = shrink(image, shape), shrink(alpha, shape)
    nearness = 1 - cover
    for _ in range(_REACH_HALVINGS):
        nearness = halve(nearness)
    for _ in range(_REACH_HALVINGS):
        nearness = double(nearness)
    nearness = np.minimum(nearness * 4, 1)
    depth = np.maximum(1 - 4 * nearness, _SHALLOW)
    subject = spread(colours, sure(cover) * depth)
    background = spread(colours, sure(1 - cover))
    chroma = [to_lab(local.transpose(1, 2, 0))[..., 1:].transpose(2, 0, 1) for local in (subject, background)]
    return np.concatenate([*chroma, nearness])


def _without_spill(colours: NDArray[np.uint8], around: Floats) -> NDArray[np.uint8]:
    lab = to_lab(colours * np.float32(1 / 255))
    own, back, strength = around[:, :2], around[:, 2:4], around[:, 4:]
    towards = back - own
    distance = np.sqrt((towards**2).sum(axis=-1, keepdims=True))
    direction = towards / np.maximum(distance, _LEAST_CHROMA)
    spill = ((lab[:, 1:] - own) * direction).sum(axis=-1, keepdims=True)
    shift = -direction * np.maximum(spill, 0) * strength * (distance > _LEAST_CHROMA)
    clean = _moved(lab, shift)
    for _ in range(_TRIES):
        # Beyond sRGB only clipping is left, which would change lightness: go half as far instead.
        outside = ((clean < -_SLACK) | (clean > 1 + _SLACK)).any(axis=-1)
        if not outside.any():
            break
        shift[outside] *= np.float32(0.5)
        clean[outside] = _moved(lab[outside], shift[outside])
    exact: NDArray[np.uint8] = (np.clip(clean, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return exact


def _moved(lab: Floats, shift: Floats) -> Floats:
    return from_lab(np.concatenate([lab[:, :1], lab[:, 1:] + shift], axis=-1))


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
    linear = xyz.astype(np.float32) @ _FROM_XYZ.T
    curved = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return np.asarray(curved, np.float32)
