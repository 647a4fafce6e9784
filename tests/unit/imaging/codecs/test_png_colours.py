"""PNG's own descriptions of colour, against the formulas of their standards, and which of them counts."""

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.encoding import BT709, D65, ColourEncoding, Curve, convert_to_srgb
from cutout.imaging.spec import Limits
from tests.unit.imaging.codecs.test_colour import DISPLAY_P3, SRGB_CURVE, p3_to_srgb
from tests.unit.imaging.pictures import chunk, icc_profile, photo, png16, saved, to_bytes

LIMITS = Limits()
COLOURS = np.array(
    [[[200, 50, 50], [100, 200, 100], [30, 60, 220], [128, 128, 128], [255, 255, 255], [0, 0, 0]]], np.uint8
)
P3 = bytes([12, 13, 0, 1])
REC2020 = bytes([9, 13, 0, 1])
PQ = bytes([9, 16, 0, 1])
HLG = bytes([9, 18, 0, 1])
ICC = b"p\0\0" + zlib.compress(icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3))
GAMMA_1_0 = struct.pack(">I", 100_000)
P3_PRIMARIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def described(colours: NDArray[np.uint8], **chunks: bytes) -> bytes:
    """A PNG with chunks that describe its colours."""
    plain = saved(colours, "PNG")
    extra = b"".join(chunk(kind.encode(), content) for kind, content in chunks.items())
    return plain[:33] + extra + plain[33:]


def shown(colours: NDArray[np.uint8], **chunks: bytes) -> NDArray[np.int64]:
    return decode(described(colours, **chunks), LIMITS).image.astype(int)


def encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(light, 0, 1)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055) * 255


def linear(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = colours / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


REC2020_TO_SRGB = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""ITU-R BT.2087."""


def test_display_p3_by_code_points_equals_display_p3_by_profile() -> None:
    assert np.abs(shown(COLOURS, cICP=P3) - p3_to_srgb(COLOURS.astype(float))).max() <= 2
    assert np.abs(shown(COLOURS, cICP=P3) - shown(COLOURS, iCCP=ICC)).max() <= 2


def test_display_p3_by_gamma_and_chromaticities_is_converted() -> None:
    gamma = struct.pack(">I", 45_455)
    got = shown(COLOURS, gAMA=gamma, cHRM=P3_PRIMARIES)
    matrix = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
    assert np.abs(got - encoded((COLOURS / 255) ** 2.2 @ matrix.T)).max() <= 2


def test_rec_2020_is_converted_by_its_matrix() -> None:
    assert np.abs(shown(COLOURS, cICP=REC2020) - encoded(linear(COLOURS) @ REC2020_TO_SRGB.T)).max() <= 2


@pytest.mark.parametrize(("transfer", "exponent"), [(4, 2.2), (5, 2.8), (8, 1.0)])
def test_gammas_by_code_points_are_applied(transfer: int, exponent: float) -> None:
    got = shown(COLOURS, cICP=bytes([1, transfer, 0, 1]))
    assert np.abs(got - encoded((COLOURS / 255) ** exponent)).max() <= 1


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 2.6, 0.5])
def test_gamma_alone_is_applied(gamma: float) -> None:
    got = shown(COLOURS, gAMA=struct.pack(">I", round(100_000 / gamma)))
    assert np.abs(got - encoded((COLOURS / 255) ** gamma)).max() <= 1


@pytest.mark.parametrize("bits", ["8", "16"])
@pytest.mark.parametrize("code", [PQ, HLG])
def test_high_dynamic_range_becomes_a_picture_of_ordinary_range(code: bytes, bits: str) -> None:
    steps = np.linspace(0, 1, 64)
    values = np.repeat(steps[None, :, None], 3, axis=2)
    if bits == "8":
        got = shown((values * 255).round().astype(np.uint8), cICP=code)
    else:
        plain = png16((values * 65535).round().astype(np.uint16))
        got = decode(plain[:33] + chunk(b"cICP", code) + plain[33:], LIMITS).image.astype(int)
    ramp = got[0, :, 1]
    assert (np.abs(got - got[..., :1]) <= 1).all()  # gray stays gray
    assert (np.diff(ramp) >= 0).all()
    assert ramp[0] == 0
    assert ramp[-1] == 255
    assert len(np.unique(ramp)) > 35  # neither crushed nor clipped


def test_diffuse_white_stays_bright_and_highlights_keep_their_hue() -> None:
    white = round(0.5807 * 255)  # 203 cd/m2 in PQ
    assert 175 <= shown(np.full((1, 1, 3), white, np.uint8), cICP=PQ)[0, 0, 0] <= 200
    red = shown(np.array([[[190, 120, 120]]], np.uint8), cICP=PQ)[0, 0]
    assert red[0] > max(red[1], red[2]) + 40


def test_narrow_range_is_stretched() -> None:
    gray = np.array([[[16] * 3, [235] * 3, [126] * 3]], np.uint8)
    got = shown(gray, cICP=bytes([1, 13, 0, 0]))[0, :, 0]
    assert got.tolist()[:2] == [0, 255]
    assert abs(int(got[2]) - 128) <= 1


def test_the_order_of_precedence_is_that_of_the_specification() -> None:
    everything = {"cICP": REC2020, "iCCP": ICC, "sRGB": b"\0", "gAMA": GAMMA_1_0, "cHRM": P3_PRIMARIES}
    expected = shown(COLOURS, cICP=REC2020)
    assert np.array_equal(shown(COLOURS, **everything), expected)
    del everything["cICP"]
    assert np.array_equal(shown(COLOURS, **everything), shown(COLOURS, iCCP=ICC))
    del everything["iCCP"]
    assert np.array_equal(shown(COLOURS, **everything), COLOURS)
    del everything["sRGB"]
    assert not np.array_equal(shown(COLOURS, **everything), COLOURS)


@pytest.mark.parametrize("junk", [b"", b"junk" * 100, b"\0" * 36 + b"acs!" + b"\0" * 100])
def test_a_profile_that_is_none_leaves_it_to_what_comes_next(junk: bytes) -> None:
    profile = b"x\0\0" + zlib.compress(junk)
    assert np.array_equal(shown(COLOURS, iCCP=profile, gAMA=GAMMA_1_0), shown(COLOURS, gAMA=GAMMA_1_0))


@pytest.mark.parametrize(
    "code", [b"", b"\1\2", bytes([2, 2, 0, 1]), bytes([9, 255, 0, 1]), bytes([200, 13, 0, 1]), bytes([9, 16, 1, 1])]
)
def test_code_points_that_are_unknown_leave_it_to_what_comes_next(code: bytes) -> None:
    assert np.array_equal(shown(COLOURS, cICP=code), COLOURS)
    assert np.array_equal(shown(COLOURS, cICP=code, iCCP=ICC), shown(COLOURS, iCCP=ICC))


def test_srgb_by_code_points_or_chunk_changes_no_pixel() -> None:
    colours = to_bytes(photo("coffee.png", 30, 20))
    assert np.array_equal(shown(colours, cICP=bytes([1, 13, 0, 1])), colours)
    assert np.array_equal(shown(colours, sRGB=b"\0", gAMA=GAMMA_1_0), colours)


def test_primaries_that_span_no_triangle_are_ignored() -> None:
    for numbers in ((0,) * 8, (31270, 32900) * 4, (31270, 0, 64000, 33000, 30000, 60000, 15000, 6000)):
        assert np.array_equal(shown(COLOURS, cHRM=struct.pack(">8I", *numbers)), COLOURS)


def test_palettes_gray_and_alpha_are_converted_too() -> None:
    gray = np.array([[0, 64, 128, 255]], np.uint8)
    assert np.abs(shown(gray, gAMA=GAMMA_1_0)[..., 0] - encoded(gray / 255)).max() <= 1
    translucent = np.dstack([COLOURS, np.full((1, 6), 90, np.uint8)])
    decoded = decode(described(translucent, cICP=P3), LIMITS)
    assert decoded.alpha is not None
    assert (decoded.alpha == 90).all()
    assert np.abs(decoded.image - p3_to_srgb(COLOURS.astype(float))).max() <= 2


def test_sixteen_bits_are_converted_as_eight_are() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (200, 7, 3), np.uint8)
    for encoding in (
        ColourEncoding(BT709, 1.8),
        ColourEncoding(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65), Curve.PQ),
    ):
        deep = convert_to_srgb(rows.astype(np.uint16) * 257, encoding)
        assert np.array_equal(deep, convert_to_srgb(rows, encoding))
