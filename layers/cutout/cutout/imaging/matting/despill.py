"""Takes the old background's tint out of soft edges and what lies next to them, in Lab, keeping luminance.

Colour estimation cleans what is mixed within a pixel; light that the background threw onto the subject (a green
screen on hair and shoulders) is real colour and stays. Here the part of a pixel's chroma that points from the local
foreground colour towards the local background colour is removed, fading out with the distance from the edge.
"""

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.matting.foreground import GRID_PX, ROWS, sure
from cutout.imaging.matting.grid import Floats, double, grid_shape, halve, read, shrink, spread
from cutout.imaging.srgb import DARK, LINEAR

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)
"""Linear sRGB to CIE XYZ, D65 (IEC 61966-2-1)."""
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27
"""Where the cube root of CIE L*a*b* becomes a straight line, and its slope (CIE 15)."""
_WHITE = _TO_XYZ.sum(axis=1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)
_REACH_HALVINGS = 4
"""Spill is looked for up to 2**4 pixels of the grid inside the edge."""
_SHALLOW = 0.001
"""Weight of the rim, which may be tinted, in the subject's own colour; thin subjects have nothing else."""
_SLACK = 0.004
"""By this much a colour may leave 0..1 before it counts as outside sRGB: one step of 255."""
_TRIES = 5
_LEAST_SHIFT = 0.5
"""Lab distance of a change that nobody would see."""
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
    local = (np.stack([subject, background]).transpose(0, 2, 3, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    chroma = to_lab(local)[..., 1:].transpose(0, 3, 1, 2)
    return np.concatenate([*chroma, nearness])


def _without_spill(colours: NDArray[np.uint8], around: Floats) -> NDArray[np.uint8]:
    """Colours [n, 3] moved away from the background's chroma; around: [n, 5], see :func:`_surroundings`."""
    lab = to_lab(colours)
    own, back, strength = around[:, :2], around[:, 2:4], around[:, 4:]
    towards = back - own
    distance = np.sqrt((towards**2).sum(axis=-1, keepdims=True))
    direction = towards / np.maximum(distance, _LEAST_CHROMA)
    spill = ((lab[:, 1:] - own) * direction).sum(axis=-1, keepdims=True)
    shift = -direction * np.maximum(spill, 0) * strength * (distance > _LEAST_CHROMA)
    tinted = np.flatnonzero((np.abs(shift) > _LEAST_SHIFT).any(axis=-1))
    exact = colours.copy()
    exact[tinted] = _moved(lab[tinted], shift[tinted])
    return exact


def _moved(lab: Floats, shift: Floats) -> NDArray[np.uint8]:
    """Bytes of ``lab`` with its chroma shifted, or shifted less where that would leave sRGB.

    Clipping, the other way out, would change lightness.
    """
    moved = from_lab(lab, shift)
    for _ in range(_TRIES):
        outside = np.flatnonzero(((moved < -_SLACK) | (moved > 1 + _SLACK)).any(axis=-1))
        if not outside.size:
            break
        shift[outside] *= np.float32(0.5)
        moved[outside] = from_lab(lab[outside], shift[outside])
    colours: NDArray[np.uint8] = (np.clip(moved, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return colours


def to_lab(colours: NDArray[np.uint8]) -> Floats:
    """From sRGB bytes to CIE L*a*b* under D65, last axis 3."""
    xyz = np.einsum("...j,ij->...i", LINEAR[colours], _TO_XYZ) / _WHITE  # BLAS would start threads for nine products
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), xyz * np.float32(_KAPPA / 116) + np.float32(16 / 116))
    lab: Floats = np.empty_like(f)
    lab[..., 0] = 116 * f[..., 1] - 16
    lab[..., 1] = 500 * (f[..., 0] - f[..., 1])
    lab[..., 2] = 200 * (f[..., 1] - f[..., 2])
    return lab


def from_lab(lab: Floats, shift: Floats) -> Floats:
    """From CIE L*a*b* under D65, with ``shift`` [..., 2] added to a and b, to sRGB; beyond 0..1 outside the gamut."""
    f = np.empty_like(lab)
    f[..., 1] = (lab[..., 0] + 16) / 116
    f[..., 0] = f[..., 1] + (lab[..., 1] + shift[..., 0]) / 500
    f[..., 2] = f[..., 1] - (lab[..., 2] + shift[..., 1]) / 200
    xyz = np.where(f > np.float32(6 / 29), f * f * f, f * np.float32(116 / _KAPPA) - np.float32(16 / _KAPPA)) * _WHITE
    linear = np.einsum("...j,ij->...i", xyz, _FROM_XYZ)
    curved = np.float32(1.055) * np.maximum(linear, DARK) ** np.float32(1 / 2.4) - np.float32(0.055)
    colours: Floats = np.where(linear <= DARK, linear * np.float32(12.92), curved)
    return colours
