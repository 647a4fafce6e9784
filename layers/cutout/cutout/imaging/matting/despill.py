"""Removal of the old background's tint from soft edges and what lies next to them, in Lab, keeping luminance.

Foreground estimation cleans what is mixed within a pixel; light that the background threw onto the subject (a green
screen on hair and shoulders) is real colour and stays. Here the part of a pixel's chroma that points from the local
foreground colour towards the local background colour is removed, fading out with the distance from the edge.
"""

import numpy as np

from cutout.imaging.arrays import Bytes, Floats, row_bands, to_bytes
from cutout.imaging.matting.foreground import GRID_PX, ROWS, confident_weight
from cutout.imaging.matting.grid import double, grid_shape, halve, pull_push, sample_bilinear, shrink
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
_GAMUT_TOLERANCE = 0.004
"""By this much a colour may leave 0..1 before it counts as outside sRGB: one step of 255."""
_GAMUT_STEPS = 5
_LEAST_SHIFT = 0.5
"""Lab distance of a change that nobody would see."""
_LEAST_CHROMA = 4.0
"""Lab distance between the local colours below which there is no tint to speak of."""


def despill(colours: Bytes, alpha: Bytes, image: Bytes) -> Bytes:
    """Remove colour spill near the subject's edges.

    Args:
        colours: Foreground colours, uint8 [H, W, 3].
        alpha: uint8 [H, W].
        image: The photo, uint8 [H, W, 3].

    Returns:
        uint8 [H, W, 3]. Lightness L stays within rounding; pixels away from every edge, and hidden ones, stay.
    """
    statistics = _local_statistics(alpha, image)
    nearness = statistics[4:]
    size = (alpha.shape[0], alpha.shape[1])
    result = colours.copy()
    for rows in row_bands(size[0], ROWS):
        visible = np.flatnonzero(alpha[rows])
        visible = visible[sample_bilinear(nearness, visible, rows.start, size)[0] > 0]
        pixels = result[rows].reshape(-1, 3)
        pixels[visible] = _remove_spill(pixels[visible], sample_bilinear(statistics, visible, rows.start, size).T)
    return result


def _local_statistics(alpha: Bytes, image: Bytes) -> Floats:
    """Compute chroma deep in the subject, chroma of the background, and nearness of the edge: float32 [5, h, w].

    Nearness is 1 at the edge and falls to 0 on the way inside.
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
    subject = pull_push(colours, confident_weight(cover) * depth)
    background = pull_push(colours, confident_weight(1 - cover))
    local = to_bytes(np.stack([subject, background]).transpose(0, 2, 3, 1))
    chroma = to_lab(local)[..., 1:].transpose(0, 3, 1, 2)
    return np.concatenate([*chroma, nearness])


def _remove_spill(colours: Bytes, statistics: Floats) -> Bytes:
    """Move colours [n, 3] away from the background's chroma; statistics: [n, 5], see :func:`_local_statistics`."""
    lab = to_lab(colours)
    own, back, strength = statistics[:, :2], statistics[:, 2:4], statistics[:, 4:]
    towards = back - own
    distance = np.sqrt((towards**2).sum(axis=-1, keepdims=True))
    direction = towards / np.maximum(distance, _LEAST_CHROMA)
    spill = ((lab[:, 1:] - own) * direction).sum(axis=-1, keepdims=True)
    shift = -direction * np.maximum(spill, 0) * strength * (distance > _LEAST_CHROMA)
    tinted = np.flatnonzero((np.abs(shift) > _LEAST_SHIFT).any(axis=-1))
    result = colours.copy()
    result[tinted] = _shift_chroma(lab[tinted], shift[tinted])
    return result


def _shift_chroma(lab: Floats, shift: Floats) -> Bytes:
    """Shift the chroma of ``lab`` [n, 3] by ``shift`` [n, 2], or less where that would leave sRGB.

    Clipping, the other way out, would change lightness. ``shift`` is overwritten.
    """
    shifted = from_lab(lab, shift)
    for _ in range(_GAMUT_STEPS):
        outside = np.flatnonzero(((shifted < -_GAMUT_TOLERANCE) | (shifted > 1 + _GAMUT_TOLERANCE)).any(axis=-1))
        if not outside.size:
            break
        shift[outside] *= np.float32(0.5)
        shifted[outside] = from_lab(lab[outside], shift[outside])
    return to_bytes(np.clip(shifted, 0, 1))


def to_lab(colours: Bytes) -> Floats:
    """Convert sRGB to CIE L*a*b* under D65.

    Args:
        colours: uint8 [..., 3].

    Returns:
        float32 [..., 3]: L in 0..100, a and b about -110..110.
    """
    xyz = np.einsum("...j,ij->...i", LINEAR[colours], _TO_XYZ) / _WHITE  # BLAS would start threads for nine products
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), xyz * np.float32(_KAPPA / 116) + np.float32(16 / 116))
    lab: Floats = np.empty_like(f)
    lab[..., 0] = 116 * f[..., 1] - 16
    lab[..., 1] = 500 * (f[..., 0] - f[..., 1])
    lab[..., 2] = 200 * (f[..., 1] - f[..., 2])
    return lab


def from_lab(lab: Floats, shift: Floats) -> Floats:
    """Convert CIE L*a*b* under D65 to sRGB, with a shift of chroma.

    Args:
        lab: float32 [..., 3].
        shift: What is added to a and b, float32 [..., 2].

    Returns:
        float32 [..., 3]; within 0..1 inside the gamut of sRGB, beyond it outside.
    """
    f = np.empty_like(lab)
    f[..., 1] = (lab[..., 0] + 16) / 116
    f[..., 0] = f[..., 1] + (lab[..., 1] + shift[..., 0]) / 500
    f[..., 2] = f[..., 1] - (lab[..., 2] + shift[..., 1]) / 200
    xyz = np.where(f > np.float32(6 / 29), f * f * f, f * np.float32(116 / _KAPPA) - np.float32(16 / _KAPPA)) * _WHITE
    linear = np.einsum("...j,ij->...i", xyz, _FROM_XYZ)
    curved = np.float32(1.055) * np.maximum(linear, DARK) ** np.float32(1 / 2.4) - np.float32(0.055)
    colours: Floats = np.where(linear <= DARK, linear * np.float32(12.92), curved)
    return colours
