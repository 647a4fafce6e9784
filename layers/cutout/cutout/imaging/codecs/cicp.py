"""Coding-independent code points (ITU-T H.273), as PNG's cICP chunk and AVIF's and HEIF's nclx boxes have them."""

from cutout.imaging.codecs.encoding import BT709, D65, Chromaticities, ColourEncoding, Curve

_C = (0.310, 0.316)
_PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}
"""Table 2: red, green, blue, white."""
_TRANSFERS: dict[int, Curve | float] = {
    1: Curve.BT709,
    4: 2.2,
    5: 2.8,
    6: Curve.BT709,
    8: Curve.LINEAR,
    13: Curve.SRGB,
    14: Curve.BT709,
    15: Curve.BT709,
    16: Curve.PQ,
    18: Curve.HLG,
}
"""Table 3. Code 2 is "unspecified"; the rest is of analogue film."""
_RGB = 0
_CODES = 4


def read_cicp(chunk: bytes) -> ColourEncoding | None:
    """Read the content of a cICP chunk.

    Args:
        chunk: Colour primaries, transfer characteristics, matrix coefficients and the full-range flag, a byte each.

    Returns:
        The colour space; None where the chunk is not there, is malformed, or names codes that are not known.
    """
    if len(chunk) != _CODES or chunk[2] != _RGB or chunk[3] > 1:
        return None
    return encoding_of(chunk[0], chunk[1], full_range=chunk[3] == 1)


def encoding_of(primaries: int, transfer: int, *, full_range: bool = True) -> ColourEncoding | None:
    """Look up code points.

    Args:
        primaries: ColourPrimaries.
        transfer: TransferCharacteristics.
        full_range: VideoFullRangeFlag.

    Returns:
        The colour space; None where a code is not known.
    """
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    return ColourEncoding(_PRIMARIES[primaries], _TRANSFERS[transfer], full_range)
