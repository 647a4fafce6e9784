"""Pictures of 16 bits a channel, from the file to the answer."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.deep_tiff import encode_deep_tiff
from cutout.imaging.codecs.loaders.png import read_deep
from cutout.imaging.codecs.loaders.png_chunks import read_png
from cutout.imaging.codecs.png import encode_png
from cutout.imaging.compositing.compose import compose
from cutout.imaging.compositing.layout import lay_out
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import Canvas, Channels, CutoutSpec, ImageFormat, Length, Limits, Shadow, SizeName, Stroke
from tests.unit.imaging.codecs.test_colour import DISPLAY_P3, SRGB_CURVE
from tests.unit.imaging.codecs.test_rare_kinds import one_page
from tests.unit.imaging.pictures import StubSegmenter, chunk, icc_profile, opened, png16, saved, soft_disc, to_bytes

LIMITS = Limits()
RAMP = (np.arange(96 * 64 * 3).reshape(64, 96, 3) * 3 + 1000).astype(np.uint16)
"""Every value differs from its neighbours by 3 of 65,535: in 8 bits they are the same."""


def answer(data: bytes, **options: Any) -> NDArray[np.uint16]:
    alpha = np.zeros((320, 320), np.float32)
    alpha[60:260, 60:260] = 1
    spec = CutoutSpec(depth=16, **options)
    made = cut_out(data, spec, StubSegmenter(alpha), LIMITS).data
    if spec.format is ImageFormat.PNG:
        png = read_png(made)
        assert png.bit_depth == 16
        return read_deep(png, png.encoded())
    decoded = decode(made, LIMITS, deep=True)
    assert decoded.deep is not None
    cover = 255 if decoded.alpha is None else decoded.alpha[..., None]
    return np.dstack([decoded.deep, np.broadcast_to(np.uint16(257) * cover, (*decoded.deep.shape[:2], 1))])


SOURCES = {"PNG": png16(RAMP), "TIFF": one_page(RAMP, 2), "big-endian TIFF": one_page(RAMP, 2, order=">")}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.TIFF])
def test_solid_pixels_keep_all_their_bits(source: str, image_format: ImageFormat) -> None:
    made = answer(SOURCES[source], format=image_format)
    assert np.array_equal(made[20:44, 30:66, :3], RAMP[20:44, 30:66])
    assert (made[20:44, 30:66, 3] == 65535).all()
    assert (made[0, 0] == 0).all()


@pytest.mark.parametrize(
    "options",
    [
        {"bg_color": (10, 200, 30, 255)},
        {"bg_color": (10, 200, 30, 100)},
        {"shadow": Shadow()},
        {"stroke": Stroke(Length(4))},
        {"canvas": Canvas(96, 64)},
        {"despill": True},
    ],
)
def test_every_layer_behind_leaves_the_subject_its_bits(options: dict[str, Any]) -> None:
    made = answer(SOURCES["PNG"], **options)
    assert np.abs(made[25:40, 35:60, :3].astype(int) - RAMP[25:40, 35:60]).max() <= 1


def test_gray_and_floats_are_deep_too_and_eight_bits_are_not() -> None:
    gray = RAMP[..., 0].copy()
    for data in (png16(gray), one_page(gray, 1)):
        made = answer(data)
        assert np.array_equal(made[20:44, 30:66, 1], gray[20:44, 30:66])
    floats = answer(one_page((RAMP / 65535).astype(np.float32), 2))
    assert np.abs(floats[20:44, 30:66, :3].astype(int) - RAMP[20:44, 30:66]).max() <= 1
    shallow = cut_out(saved(to_bytes(RAMP / np.float32(65535)), "PNG"), CutoutSpec(depth=16), StubSegmenter(), LIMITS)
    assert opened(shallow.data).mode == "RGBA"
    assert read_png(shallow.data).bit_depth == 8


def test_other_formats_masks_and_eight_bits_stay_as_they_are() -> None:
    for options in ({"format": ImageFormat.WEBP}, {"channels": Channels.ALPHA}):
        made = cut_out(SOURCES["PNG"], CutoutSpec(depth=16, **options), StubSegmenter(), LIMITS)  # type: ignore[arg-type]
        plain = cut_out(SOURCES["PNG"], CutoutSpec(**options), StubSegmenter(), LIMITS)  # type: ignore[arg-type]
        assert made.data == plain.data


def test_a_deep_file_stays_in_its_profile() -> None:
    import zlib  # noqa: PLC0415

    profile = icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3)
    plain = SOURCES["PNG"]
    data = plain[:33] + chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)) + plain[33:]
    for image_format in (ImageFormat.PNG, ImageFormat.TIFF):
        result = cut_out(data, CutoutSpec(depth=16, format=image_format), StubSegmenter(), LIMITS)
        assert opened(result.data).info["icc_profile"] == profile


def test_a_smaller_answer_is_made_of_all_bits() -> None:
    large = np.linspace(1000, 3000, 1000 * 1000 * 3).reshape(1000, 1000, 3).astype(np.uint16)
    deep = decode(png16(large), LIMITS, SizeName.PREVIEW, deep=True).deep
    assert deep is not None
    assert deep.shape == (500, 500, 3)
    assert np.abs(deep.astype(int) - large[::2, ::2]).max() <= 4


def test_deep_and_plain_pictures_are_composed_alike() -> None:
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (40, 50, 3), np.uint8)
    alpha = to_bytes(soft_disc(50, 40, 0.4))
    for spec in (CutoutSpec(), CutoutSpec(bg_color=(9, 8, 7, 90)), CutoutSpec(canvas=Canvas(80, 80), scale=90.0)):
        layout = lay_out(alpha, spec, LIMITS)
        plain, deep = (compose(each, alpha, spec, layout) for each in (colours, colours.astype(np.uint16) * 257))
        visible = plain[..., 3] > 8
        assert np.abs(deep / 257 - plain)[visible].max() <= 1.01


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 96)])
def test_the_writers_of_16_bits_lose_none(channels: int, size: tuple[int, int]) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (*size, channels), np.uint16)
    png = read_png(encode_png(values))
    assert np.array_equal(read_deep(png, png.encoded()), values)
    decoded = decode(encode_deep_tiff(values), LIMITS, deep=True)
    assert np.array_equal(decoded.deep, values[..., :3])
