import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cutout.errors import ImageTooLargeError, InvalidImageError, ResolutionTooHighError, UnsupportedImageFormatError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.spec import Limits, SizeName, fit_size
from tests.unit.imaging.pictures import chunk, photo, png_of, saved, soft_disc, tiff_of, to_bytes

LIMITS = Limits()
CORNERS = np.zeros((48, 80, 3), np.uint8)
"""Four corners of four colours: every turn and flip of it is different."""
CORNERS[:24, :40], CORNERS[:24, 40:], CORNERS[24:, :40], CORNERS[24:, 40:] = (
    (220, 30, 30),
    (30, 200, 30),
    (40, 40, 220),
    (230, 220, 40),
)
STORED_FOR = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera stores the upright picture when it writes that orientation (the inverse of what a viewer must do)."""


def stored(orientation: int) -> Image.Image:
    upright = Image.fromarray(CORNERS)
    turn = STORED_FOR[orientation]
    return upright if turn is None else upright.transpose(turn)


def with_exif(orientation: int, file_format: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(file_format, {})
    return saved(stored(orientation), file_format, exif=exif, **options)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations_come_out_upright(orientation: int, file_format: str) -> None:
    decoded = decode(with_exif(orientation, file_format), LIMITS)
    assert decoded.image.shape == CORNERS.shape
    assert np.abs(decoded.image.astype(int) - CORNERS).mean() < 3
    assert (decoded.source_width, decoded.source_height) == (80, 48)


def test_a_picture_whose_exif_block_is_damaged_counts_as_upright() -> None:
    data = saved(CORNERS, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert np.array_equal(decode(data, LIMITS).image, CORNERS)


def test_the_exif_of_a_png_counts_when_it_stands_behind_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = saved(stored(6), "PNG")
    block = chunk(b"eXIf", exif.tobytes()[6:])
    assert np.array_equal(decode(plain[:-12] + block + plain[-12:], LIMITS).image, CORNERS)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_lossless_files_give_their_exact_pixels(file_format: str) -> None:
    data = saved(CORNERS, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    decoded = decode(data, LIMITS)
    assert np.array_equal(decoded.image, CORNERS)
    assert decoded.alpha is None


def test_only_the_first_frame_of_an_animation_or_a_multipage_file_is_used() -> None:
    first, second = Image.fromarray(CORNERS), Image.new("RGB", (80, 48), (1, 2, 3))
    for file_format, options in {"GIF": {}, "WEBP": {"lossless": True}, "TIFF": {}, "PNG": {}}.items():
        data = saved(first, file_format, save_all=True, append_images=[second], **options)
        assert np.array_equal(decode(data, LIMITS).image, CORNERS), file_format


def test_the_format_is_decided_by_the_bytes_and_strangers_are_told_what_they_are() -> None:
    for data, word in {
        b"": "empty",
        b"\0\0\0\x20ftypisom\0\0\0\0": "video",
        b"%PDF-1.7\n": "PDF",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>': "SVG",
        b'<?xml version="1.0"?><svg/>': "SVG",
        b"  <!DOCTYPE html><html></html>": "HTML",
        b"PK\x03\x04zip": "ZIP",
        b"just some text": "JPEG, PNG, WebP",
    }.items():
        with pytest.raises(UnsupportedImageFormatError, match=word):
            decode(data, LIMITS)


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    data = saved(CORNERS, "PNG")
    with pytest.raises(ImageTooLargeError) as caught:
        decode(data, Limits(max_bytes=len(data) - 1))
    assert caught.value.details == {"size_bytes": len(data), "max_bytes": len(data) - 1}
    assert decode(data, Limits(max_bytes=len(data))).image.shape == CORNERS.shape


def test_too_many_pixels_and_too_long_sides_are_refused_from_the_header() -> None:
    # The IDAT is nonsense: whoever looks at it before the header says "damaged".
    for width, height in ((5001, 10_000), (65_536, 1), (1, 65_536), (60_000, 60_000), (2**31 - 1, 2**31 - 1)):
        with pytest.raises(ResolutionTooHighError):
            decode(png_of(width, height, b"nonsense"), LIMITS)
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        data = saved(CORNERS, file_format)
        with pytest.raises(ResolutionTooHighError):
            decode(data, Limits(max_pixels=80 * 48 - 1))
        assert decode(data, Limits(max_pixels=80 * 48, max_side_px=80)).source_width == 80


@pytest.mark.parametrize(
    ("width", "height"), [(790, 36_861), (36_861, 790), (790, 17_000), (65_500, 700), (1, 65_000), (40_000, 1_250)]
)
def test_pictures_up_to_50_megapixels_decode_whatever_their_shape(width: int, height: int) -> None:
    data = saved(Image.new("L", (width, height), 90), "JPEG", quality=30)
    decoded = decode(data, LIMITS, SizeName.PREVIEW)
    assert (decoded.source_width, decoded.source_height) == (width, height)
    assert max(decoded.image.shape) <= 6000


def test_a_refusal_names_the_limit_that_is_exceeded() -> None:
    with pytest.raises(ResolutionTooHighError, match=r"8000 x 7000 is more than 50 megapixels"):
        decode(png_of(8000, 7000, b""), LIMITS)
    with pytest.raises(ResolutionTooHighError, match=r"a side of 70000 px is more than 65535"):
        decode(png_of(70_000, 10, b""), LIMITS)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_truncated_file_is_an_invalid_image(file_format: str, share: float) -> None:
    data = saved(to_bytes(photo("astronaut.png", 120, 90)), file_format)
    with pytest.raises(InvalidImageError) as caught:
        decode(data[: max(16, int(len(data) * share))], LIMITS)
    assert caught.value.details == {"format": file_format.lower()}
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 80}),
        ("AVIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("JPEG", {}),
        ("PNG", {}),
    ],
)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_file_that_was_cut_off_is_said_to_lack_pixels(
    file_format: str, options: dict[str, Any], share: float
) -> None:
    data = saved(to_bytes(photo("astronaut.png", 120, 90)), file_format, **options)
    with pytest.raises(InvalidImageError, match=f"The {file_format} image is incomplete"):
        decode(data[: int(len(data) * share)], LIMITS)


def test_a_whole_file_of_a_damaged_kind_is_not_said_to_lack_pixels() -> None:
    data = bytearray(saved(to_bytes(photo("astronaut.png", 120, 90)), "WEBP", lossless=True))
    data[20:60] = b"\xff" * 40
    with pytest.raises(InvalidImageError, match="damaged or of a rare kind"):
        decode(bytes(data), LIMITS)


def test_a_header_alone_or_pixels_that_do_not_unpack_are_invalid() -> None:
    for data in (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*\0\0\0\x08",
        b"RIFF\0\0\0\0WEBP",
        png_of(20, 20, b"not deflated"),
        png_of(0, 20, zlib.compress(b"")),
        png_of(20, 20, zlib.compress(b"\0" * 100)),
    ):
        with pytest.raises(InvalidImageError):
            decode(data, LIMITS)


def test_compressed_metadata_that_unpacks_to_a_gigabyte_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    pixels = zlib.compress(b"\0" * (4 * 13))
    for extra in (
        chunk(b"iCCP", b"x\0\0" + bomb),
        chunk(b"zTXt", b"x\0\0" + bomb),
        chunk(b"iTXt", b"x\0\1\0\0\0" + bomb),
    ):
        before = peak_kb()
        with suppress(InvalidImageError):  # Pillow may refuse the file or ignore the chunk
            assert decode(png_of(4, 4, pixels, extra), LIMITS).image.shape == (4, 4, 3)
        assert peak_kb() - before < 100_000


def test_pixel_data_that_unpacks_to_more_than_the_size_says_is_cut_off() -> None:
    bomb = png_of(4, 4, zlib.compress(b"\0" * 200_000_000, 9))
    before = peak_kb()
    decoded = decode(bomb, LIMITS)
    assert decoded.image.shape == (4, 4, 3)
    assert peak_kb() - before < 100_000


def test_a_tiff_with_odd_and_many_tags_is_read_or_refused() -> None:
    values = to_bytes(photo("coffee.png", 12, 9))
    many = {tag: tuple(range(200)) for tag in range(50_000, 50_400)}
    assert np.array_equal(decode(tiff_of(values, many), LIMITS).image, values)
    for odd in ({258: (8, 8)}, {277: (200,)}, {259: (60_000,)}, {262: (77,)}, {273: (2**31,)}, {256: (0,)}):
        with pytest.raises(InvalidImageError):
            decode(tiff_of(values, odd), LIMITS)
    with pytest.raises(ResolutionTooHighError):
        decode(tiff_of(values, {256: (100_000,)}), LIMITS)


def test_output_size_caps_the_long_side_first_then_the_megapixels_and_never_enlarges() -> None:
    assert fit_size(100, 50, SizeName.FULL, LIMITS) == (100, 50)
    assert fit_size(8000, 4000, SizeName.FULL, LIMITS) == (6000, 3000)
    assert fit_size(4000, 8000, SizeName.FULL, LIMITS) == (3000, 6000)
    assert fit_size(1000, 1000, SizeName.PREVIEW, LIMITS) == (500, 500)
    assert fit_size(16_384, 1, SizeName.PREVIEW, LIMITS) == (6000, 1)
    assert fit_size(4000, 3000, SizeName.HD, LIMITS) == (2309, 1732)


@given(st.integers(1, 16_384), st.integers(1, 16_384), st.sampled_from(SizeName))
def test_output_size_stays_within_its_caps_and_keeps_the_aspect(width: int, height: int, size: SizeName) -> None:
    out_width, out_height = fit_size(width, height, size, LIMITS)
    assert 1 <= out_width <= min(width, 6000)
    assert 1 <= out_height <= min(height, 6000)
    assert out_width * out_height <= max(size.max_mp * 1e6, out_width, out_height)
    assert abs(out_width * height - out_height * width) <= max(width, height) + 1
    assert fit_size(out_width, out_height, size, LIMITS) == (out_width, out_height)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_preview_is_decoded_at_output_size_and_looks_like_the_picture(file_format: str) -> None:
    large = to_bytes(photo("astronaut.png", 2000, 1400))
    decoded = decode(saved(large, file_format), LIMITS, SizeName.PREVIEW)
    assert decoded.image.shape == (418, 597, 3)
    assert (decoded.source_width, decoded.source_height) == (2000, 1400)
    expected = np.asarray(Image.fromarray(large).resize((597, 418), Image.Resampling.LANCZOS))
    assert np.abs(decoded.image.astype(int) - expected).mean() < 2.5


def test_a_turned_picture_is_made_smaller_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(to_bytes(photo("astronaut.png", 1400, 900)), "JPEG", exif=exif)
    decoded = decode(data, LIMITS, SizeName.PREVIEW)
    assert decoded.image.shape == (623, 400, 3)
    assert (decoded.source_width, decoded.source_height) == (900, 1400)


def test_alpha_is_made_smaller_with_its_picture_and_hidden_colours_do_not_bleed() -> None:
    picture = np.zeros((1200, 1200, 4), np.uint8)
    picture[..., 3] = to_bytes(soft_disc(1200, 1200, 0.001))
    picture[..., 0] = np.where(picture[..., 3] > 0, 255, 0)
    picture[..., 1] = np.where(picture[..., 3] > 0, 0, 255)
    decoded = decode(saved(picture, "PNG"), LIMITS, SizeName.PREVIEW)
    assert decoded.alpha is not None
    assert decoded.alpha.shape == (500, 500)
    visible = decoded.alpha > 20
    assert decoded.image[visible][:, 1].max() <= 12  # no green from the hidden pixels


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (16, 16), (2, 3)])
def test_tiny_pictures_decode(size: tuple[int, int]) -> None:
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        assert decode(saved(Image.new("RGB", size, (9, 9, 9)), file_format), LIMITS).image.shape == (
            size[1],
            size[0],
            3,
        )


def peak_kb() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("peak memory is read from /proc")
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1])
