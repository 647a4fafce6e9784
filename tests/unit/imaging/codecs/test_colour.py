import numpy as np
import pytest
from PIL import Image

from cutout.imaging.codecs.decode import decode
from cutout.imaging.spec import Limits
from tests.unit.imaging.pictures import icc_profile, photo, png16, saved, tiff_of, to_bytes

LIMITS = Limits()
TONES = np.linspace(0, 1, 1024)
SRGB_CURVE = np.where(TONES <= 0.04045, TONES / 12.92, ((TONES + 0.055) / 1.055) ** 2.4)
DISPLAY_P3 = {
    b"rXYZ": (0.51512, 0.2412, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.1571, 0.06657, 0.78407),
}
"""Display P3 colorants adapted to D50, as Apple's profile has them."""
SRGB_D50 = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
}


def ramp(top: int, dtype: type) -> np.ndarray:
    return np.linspace(0, top, 256).round().astype(dtype).reshape(1, 256)


def test_sixteen_bit_gray_is_scaled_not_clipped() -> None:
    values = ramp(65535, np.uint16)
    for data in (png16(values), tiff_of(values)):
        decoded = decode(data, LIMITS).image
        assert np.abs(decoded[0, :, 0].astype(int) - np.arange(256)).max() <= 1
        assert (decoded[..., 0] == decoded[..., 2]).all()


def test_sixteen_bit_colour_is_scaled_not_clipped_and_keeps_its_alpha() -> None:
    values = np.stack([ramp(65535, np.uint16), ramp(65535, np.uint16)[:, ::-1], ramp(0, np.uint16)], axis=-1)
    for data in (png16(values), tiff_of(values)):
        decoded = decode(data, LIMITS).image
        assert np.abs(decoded[0, :, 0].astype(int) - np.arange(256)).max() <= 1
        assert np.abs(decoded[0, :, 1].astype(int) - np.arange(255, -1, -1)).max() <= 1
    with_alpha = decode(png16(np.concatenate([values, ramp(65535, np.uint16)[..., None]], axis=-1)), LIMITS)
    assert with_alpha.alpha is not None
    assert np.abs(with_alpha.alpha[0].astype(int) - np.arange(256)).max() <= 1
    gray_alpha = decode(png16(np.stack([ramp(65535, np.uint16), ramp(65535, np.uint16)], axis=-1)), LIMITS)
    assert gray_alpha.alpha is not None
    assert np.abs(gray_alpha.image[0, :, 1].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize(("top", "dtype"), [(1.0, np.float32), (255.0, np.float32), (65535.0, np.float32)])
def test_float_tiffs_are_read_in_the_range_they_use(top: float, dtype: type) -> None:
    values = np.linspace(0, top, 256, dtype=dtype).reshape(1, 256)
    assert np.abs(decode(tiff_of(values), LIMITS).image[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_float_tiffs_with_values_that_are_no_numbers_still_decode() -> None:
    values = np.array([[np.nan, -np.inf, -1.0, 0.0, 0.5, 1.0]], np.float32)
    assert decode(tiff_of(values), LIMITS).image[0, :, 0].tolist() == [0, 0, 0, 0, 128, 255]


def test_thirty_two_bit_gray_uses_its_whole_range() -> None:
    values = np.array([[0, 2**31, 2**32 - 1]], np.uint32)
    assert decode(tiff_of(values), LIMITS).image[0, :, 0].tolist() == [0, 128, 255]


def test_palettes_gray_and_single_bits_become_rgb() -> None:
    colours = to_bytes(photo("coffee.png", 60, 40))
    picture = Image.fromarray(colours)
    quantised = picture.quantize(64)
    for source in (quantised, picture.convert("L"), picture.convert("1")):
        decoded = decode(saved(source, "PNG"), LIMITS)
        assert np.array_equal(decoded.image, np.asarray(source.convert("RGB")))
        assert decoded.alpha is None


def test_transparency_of_palettes_and_colour_keys_becomes_alpha() -> None:
    flags = np.zeros((8, 8), np.uint8)
    flags[:, 4:] = 1
    palette = Image.new("P", (8, 8))
    palette.putdata(flags.reshape(-1).tolist())
    palette.putpalette([200, 10, 10, 10, 200, 10])
    for data in (
        saved(palette, "PNG", transparency=1),
        saved(palette, "PNG", transparency=bytes([255, 0])),
        saved(palette, "GIF", transparency=1),
        saved(palette.convert("RGB"), "PNG", transparency=(10, 200, 10)),
    ):
        decoded = decode(data, LIMITS)
        assert decoded.alpha is not None
        assert (decoded.alpha == np.where(flags == 1, 0, 255)).all()
        assert decoded.image[0, 0].tolist() == [200, 10, 10]


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_of_the_file_is_kept_and_an_opaque_one_dropped(file_format: str) -> None:
    picture = np.dstack([to_bytes(photo("coffee.png", 32, 32)), np.arange(1024).reshape(32, 32) // 4]).astype(np.uint8)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    decoded = decode(saved(picture, file_format, **options), LIMITS)
    assert decoded.alpha is not None
    assert np.array_equal(decoded.alpha, picture[..., 3])
    assert np.array_equal(decoded.image[picture[..., 3] > 0], picture[..., :3][picture[..., 3] > 0])
    picture[..., 3] = 255
    assert decode(saved(picture, file_format, **options), LIMITS).alpha is None


def test_gray_with_alpha_keeps_both() -> None:
    picture = Image.merge("LA", [Image.new("L", (5, 5), 80), Image.new("L", (5, 5), 120)])
    decoded = decode(saved(picture, "PNG"), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha[0, 0] == 120
    assert decoded.image[0, 0].tolist() == [80, 80, 80]


@pytest.mark.parametrize("profile", [None, b"not a profile at all"])
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_without_being_inverted(file_format: str, profile: bytes | None) -> None:
    ink = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    data = saved(ink, file_format, **({"icc_profile": profile} if profile else {}))
    red, green, blue = decode(data, LIMITS).image[8, 8].astype(int)
    assert red < 10
    assert green > 245
    assert blue > 245


def p3_to_srgb(colours: np.ndarray) -> np.ndarray:
    """Display P3 to sRGB by the formulas of both standards (both have D65 white and the same tone curve)."""

    def matrix(colorants: dict[bytes, tuple[float, float, float]]) -> np.ndarray:
        return np.array([colorants[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T

    linear = np.interp(colours / 255, TONES, SRGB_CURVE)
    mixed = np.clip(linear @ (np.linalg.inv(matrix(SRGB_D50)) @ matrix(DISPLAY_P3)).T, 0, 1)
    return np.interp(mixed, SRGB_CURVE, TONES) * 255


@pytest.mark.parametrize("with_alpha", [False, True])
def test_display_p3_is_converted_to_srgb(with_alpha: bool) -> None:  # noqa: FBT001
    colours = np.array([[[200, 50, 50], [100, 200, 100], [30, 60, 220], [128, 128, 128], [255, 255, 255]]], np.uint8)
    source = np.dstack([colours, np.full((1, 5), 90, np.uint8)]) if with_alpha else colours
    data = saved(source, "PNG", icc_profile=icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3))
    decoded = decode(data, LIMITS)
    assert np.abs(decoded.image - p3_to_srgb(colours.astype(float))).max() <= 2
    assert np.abs(decoded.image[0, 0].astype(int) - colours[0, 0]).max() > 10  # it did change
    assert (decoded.alpha is not None) is with_alpha


def test_an_srgb_profile_changes_no_pixel() -> None:
    colours = to_bytes(photo("coffee.png", 30, 20))
    data = saved(colours, "PNG", icc_profile=icc_profile(b"RGB ", SRGB_CURVE, SRGB_D50))
    assert np.array_equal(decode(data, LIMITS).image, colours)


def test_a_gray_profile_is_applied_to_gray_pictures() -> None:
    linear = icc_profile(b"GRAY", np.linspace(0, 1, 2), {})
    decoded = decode(saved(np.full((4, 4), 55, np.uint8), "PNG", icc_profile=linear), LIMITS)
    expected = np.interp(55 / 255, SRGB_CURVE, TONES) * 255
    assert np.abs(decoded.image - expected).max() <= 1.5


def test_broken_and_foreign_profiles_leave_the_picture_as_srgb() -> None:
    colours = to_bytes(photo("coffee.png", 30, 20))
    good = icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3)
    gray = icc_profile(b"GRAY", np.linspace(0, 1, 2), {})
    for profile in (b"x", good[:200], good[:128] + b"\xff" * 300, gray, good.replace(b"acsp", b"zzzz")):
        assert np.array_equal(decode(saved(colours, "PNG", icc_profile=profile), LIMITS).image, colours)
