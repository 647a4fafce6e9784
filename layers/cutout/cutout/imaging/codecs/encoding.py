"""Colour spaces that a file describes by numbers instead of an ICC profile, and their conversion to sRGB.

High dynamic range is reduced to what a display of standard range shows, as Chromium does it.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.arrays import Bytes, Floats, row_bands
from cutout.imaging.srgb import encode_srgb

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""CIE 1931 x, y of red, green, blue and white."""

D65 = (0.3127, 0.3290)
BT709: Chromaticities = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)

_REFERENCE_WHITE = 203.0
"""Luminance of diffuse white in cd/m2 (ITU-R BT.2408)."""
_PEAK = 1000.0
"""Luminance of the brightest highlight in cd/m2: HLG's nominal peak, and the usual one of PQ."""
_HLG_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_LEAST_DETERMINANT = 1e-3
_ROWS = 64


class Curve(Enum):
    """A transfer function that is not a plain power."""

    SRGB = "sRGB"
    BT709 = "BT.709"
    LINEAR = "linear"
    PQ = "PQ"
    HLG = "HLG"


@dataclass(frozen=True, slots=True)
class ColourEncoding:
    """Primaries, and the function from stored values to light.

    Attributes:
        primaries: Of red, green, blue and white.
        transfer: A named curve, or the exponent that turns stored values into light (2.2, for example).
        full_range: Whether values use all codes; else black and white are at 16/255 and 235/255.
    """

    primaries: Chromaticities = BT709
    transfer: Curve | float = Curve.SRGB
    full_range: bool = True

    @property
    def is_hdr(self) -> bool:
        """Whether light may be brighter than diffuse white."""
        return self.transfer in {Curve.PQ, Curve.HLG}


SRGB = ColourEncoding()


def convert_to_srgb(colours: Bytes | NDArray[np.uint16], encoding: ColourEncoding) -> Bytes:
    """Convert colours to sRGB; what sRGB cannot show is clipped.

    Args:
        colours: uint8 or uint16 [H, W, 3], of the full range of their type.
        encoding: What they mean.

    Returns:
        uint8 [H, W, 3].
    """
    table = _light_table(encoding, np.iinfo(colours.dtype).max + 1)
    matrix = _matrix_to_srgb(encoding.primaries)
    result = np.empty(colours.shape, np.uint8)
    for rows in row_bands(len(colours), _ROWS):
        light = table[colours[rows]]
        if encoding.transfer is Curve.HLG:
            luma = np.einsum("...j,j->...", light, _HLG_LUMA)
            light *= (np.float32(_PEAK / _REFERENCE_WHITE) * luma ** np.float32(0.2))[..., None]
        if encoding.is_hdr:
            light *= _tone_scale(light.max(axis=-1))[..., None]
        result[rows] = encode_srgb(light if matrix is None else np.einsum("...j,ij->...i", light, matrix))
    return result


def _tone_scale(brightest: Floats) -> Floats:
    """Compute the factor that brings light below 1: Reinhard's extended operator on the brightest channel.

    Chromium's (``ui/gfx/color_transform.cc``): hues stay, and only the peak becomes white.
    """
    peak = np.float32(_PEAK / _REFERENCE_WHITE)
    scale: Floats = (1 + brightest / (peak * peak)) / (1 + brightest)
    return scale


@cache
def _light_table(encoding: ColourEncoding, codes: int) -> Floats:
    """Tabulate light, 1 at diffuse white, for every stored value: float32 [codes]."""
    values = np.arange(codes) / (codes - 1)
    if not encoding.full_range:
        values = np.clip((values * 255 - 16) / 219, 0, 1)
    return _light(values, encoding.transfer).astype(np.float32)


def _light(values: NDArray[np.float64], transfer: Curve | float) -> NDArray[np.float64]:
    light: NDArray[np.float64] = values
    if not isinstance(transfer, Curve):
        light = values**transfer
    elif transfer is Curve.SRGB:
        light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    elif transfer is Curve.BT709:
        light = np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))  # noqa: PLR2004
    elif transfer is Curve.PQ:  # SMPTE ST 2084
        root = values ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        light *= 10_000 / _REFERENCE_WHITE
    elif transfer is Curve.HLG:  # ITU-R BT.2100: the scene's light, the display's follows from its luminance
        light = np.where(values <= 0.5, values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12)  # noqa: PLR2004
    return light


def _matrix_to_srgb(primaries: Chromaticities) -> Floats | None:
    """Compute the matrix from these primaries to sRGB's; None where they are the same, or are none."""
    source = _matrix_to_xyz(primaries)
    if primaries == BT709 or source is None:
        return None
    target = _matrix_to_xyz(BT709)
    whites = [_BRADFORD @ _xyz(*each[3]) for each in (primaries, BT709)]
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(whites[1] / whites[0]) @ _BRADFORD
    matrix: Floats = (np.linalg.inv(np.asarray(target)) @ adaptation @ source).astype(np.float32)
    return matrix


def _matrix_to_xyz(primaries: Chromaticities) -> NDArray[np.float64] | None:
    """Compute the matrix from linear RGB to CIE XYZ (SMPTE RP 177); None where the primaries span no triangle."""
    if any(y <= 0 for _, y in primaries):
        return None
    columns = np.array([_xyz(x, y) for x, y in primaries[:3]]).T
    if abs(np.linalg.det(columns)) < _LEAST_DETERMINANT:
        return None
    return columns * np.linalg.solve(columns, _xyz(*primaries[3]))


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1.0, (1 - x - y) / y])
