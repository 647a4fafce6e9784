"""Removal of the old background's tint from soft edges and what lies next to them, in Lab, keeping luminance.

Foreground estimation cleans what is mixed within a pixel; light that the background threw onto the subject (a green
screen on hair and shoulders) is real colour and stays. Here the part of a pixel's chroma that points from the local
foreground colour towards the local background colour is removed: on soft pixels, and on solid ones up to the depth
that the soft edge beside them is wide. Deeper inside, a colour like the background's is the subject's own.
"""

import numpy as np
from PIL import Image, ImageFilter

from cutout.imaging.arrays import Bytes, Floats, row_bands, to_bytes
from cutout.imaging.matting.foreground import GRID_PX
from cutout.imaging.matting.grid import (
    grid_shape,
    neighbourhood_extremes,
    sample_bilinear,
    shrink,
    upsample_rows,
)
from cutout.imaging.matting.local_colours import confident_weight, interior_weight
from cutout.imaging.matting.pyramid import pull_push
from cutout.imaging.pixels import copied
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
_ROWS = 256
"""Rows that are processed at once."""
_WINDOW = 3
_CELLS_PX = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_WHOLE = 250
"""Share, of 255, from which on a cell counts as soft in all its pixels."""
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
        uint8 [H, W, 3]. Lightness L stays within rounding; hidden pixels stay, and so do those deeper inside than
        the soft edge beside them is wide.
    """
    size = (alpha.shape[0], alpha.shape[1])
    levels = _edge_levels(alpha)
    if not levels:
        return colours
    statistics = _local_chroma(alpha, image)
    result = copied(colours)
    for rows in row_bands(size[0], _ROWS):
        strength = _strength(alpha[rows], levels, size, rows).reshape(-1)
        tinted = np.flatnonzero(strength)
        pixels = result[rows]
        at = np.divmod(tinted, size[1])
        local = sample_bilinear(statistics, tinted, rows.start, size).T
        pixels[at] = _remove_spill(pixels[at], local, strength[tinted, None])
    return result


def _edge_levels(alpha: Bytes) -> list[Floats]:
    """Find edges by their width: one plane for each size of cells, 1 on soft edges that are at least three cells wide.

    Every plane fades to 0 within two cells and a half beyond its edge, so less deep than the edge is wide. Nothing is
    returned where no pixel is soft.
    """
    soft = Image.fromarray(((alpha > 0) & (alpha < 255)).view(np.uint8) * np.uint8(255))  # noqa: PLR2004
    levels: list[Floats] = []
    for cell in _CELLS_PX:
        plane = np.asarray(soft.reduce(cell))
        core = neighbourhood_extremes(plane)[0] >= _WHOLE
        if min(plane.shape) < _WINDOW or not core.any():
            break
        wide = Image.fromarray(neighbourhood_extremes(core.view(np.uint8) * np.uint8(255))[1])
        edge = np.asarray(wide.filter(ImageFilter.BoxBlur(2)))
        levels.append(np.minimum(edge * np.float32(2 / 255), 1))
    return levels or ([np.zeros((1, 1), np.float32)] if soft.getbbox() else [])


def _strength(alpha: Bytes, levels: list[Floats], size: tuple[int, int], rows: slice) -> Floats:
    """Compute how much of the tint is removed, 0..1, in some rows: all of it on soft pixels."""
    strength = ((alpha > 0) & (alpha < 255)).astype(np.float32)  # noqa: PLR2004
    for level in levels:
        share = len(level) / size[0]
        if level[max(0, int(rows.start * share) - 1) : int(rows.stop * share) + 2].any():
            np.maximum(strength, upsample_rows(level, size, rows), out=strength)
    strength[alpha == 0] = 0
    return strength


def _local_chroma(alpha: Bytes, image: Bytes) -> Floats:
    """Compute a and b deep in the subject, and those of the background, on a grid: float32 [4, h, w]."""
    shape = grid_shape(alpha.shape[0], alpha.shape[1], GRID_PX)
    colours, cover = shrink(image, shape), shrink(alpha, shape)
    subject = pull_push(colours, interior_weight(cover))
    background = pull_push(colours, confident_weight(1 - cover))
    local = to_bytes(np.stack([subject, background]).transpose(0, 2, 3, 1))
    return np.concatenate(list(to_lab(local)[..., 1:].transpose(0, 3, 1, 2)))


def _remove_spill(colours: Bytes, local: Floats, strength: Floats) -> Bytes:
    """Move colours [n, 3] away from the background's chroma; local: [n, 4], see :func:`_local_chroma`."""
    lab = to_lab(colours)
    own, back = local[:, :2], local[:, 2:]
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
