"""What an answer keeps of its file on request: the ICC profile, and EXIF."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import Canvas, Channels, CutoutSpec, ImageFormat, Limits
from tests.unit.imaging.codecs.test_colour import DISPLAY_P3, SRGB_CURVE
from tests.unit.imaging.pictures import StubSegmenter, icc_profile, opened, photo, saved, to_bytes

PROFILE = icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3)
PHOTO = to_bytes(photo("astronaut.png", 96, 64))
FORMATS = [ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.TIFF, ImageFormat.AVIF]


def exif(orientation: int = 6) -> Image.Exif:
    block = Image.Exif()
    block[0x0112], block[0x010F], block[0x0100], block[0x013B] = orientation, "maker", 96, "artist"
    block.get_ifd(0x8769)[0x829A] = 0.01
    block.get_ifd(0x8825)[1] = "N"
    return block


def answer(data: bytes, **options: Any) -> Image.Image:
    alpha = np.zeros((320, 320), np.float32)
    alpha[60:260, 60:260] = 1
    return opened(cut_out(data, CutoutSpec(**options), StubSegmenter(alpha), Limits()).data)


@pytest.mark.parametrize("image_format", FORMATS)
def test_the_profile_is_embedded_and_pixels_inside_are_the_files_own(image_format: ImageFormat) -> None:
    for source in ("PNG", "TIFF"):
        data = saved(PHOTO, source, icc_profile=PROFILE)
        made = answer(data, format=image_format, keep_profile=True)
        assert made.info["icc_profile"] == PROFILE
        got = np.asarray(made.convert("RGB"))[20:44, 30:66].astype(int)
        assert np.abs(got - PHOTO[20:44, 30:66]).mean() < (
            0.01 if image_format in {ImageFormat.PNG, ImageFormat.TIFF} else 6
        )


@pytest.mark.parametrize("image_format", FORMATS)
def test_unasked_there_is_no_profile_and_no_metadata(image_format: ImageFormat) -> None:
    data = saved(PHOTO, "JPEG", icc_profile=PROFILE, exif=exif())
    made = answer(data, format=image_format)
    assert "icc_profile" not in made.info
    assert not made.getexif().get(0x010F)


def test_profiles_that_no_answer_can_be_in_are_converted() -> None:
    gray = icc_profile(b"GRAY", np.linspace(0, 1, 2), {})
    for picture, profile in (
        (Image.fromarray(PHOTO).convert("L"), gray),
        (Image.fromarray(PHOTO), b"not a profile"),
        (Image.fromarray(PHOTO), gray),
        (Image.fromarray(PHOTO).convert("CMYK"), PROFILE),
    ):
        data = saved(picture, "TIFF", icc_profile=profile)
        assert "icc_profile" not in answer(data, keep_profile=True).info


def test_a_mask_carries_neither_and_a_zip_both() -> None:
    data = saved(PHOTO, "JPEG", icc_profile=PROFILE, exif=exif())
    mask = answer(data, channels=Channels.ALPHA, keep_profile=True)
    assert "icc_profile" not in mask.info
    from zipfile import ZipFile  # noqa: PLC0415

    made = cut_out(
        data, CutoutSpec(format=ImageFormat.ZIP, keep_profile=True, keep_metadata=True), StubSegmenter(), Limits()
    )
    with ZipFile(BytesIO(made.data)) as archive:
        colours = opened(archive.read("color.jpg"))
    assert colours.info["icc_profile"] == PROFILE
    assert colours.getexif()[0x010F] == "maker"


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("image_format", FORMATS)
def test_exif_is_kept_without_orientation_and_place(source: str, image_format: ImageFormat) -> None:
    made = answer(saved(PHOTO, source, exif=exif()), format=image_format, keep_metadata=True)
    kept = made.getexif()
    assert made.size == (64, 96)  # turned already
    assert kept[0x010F] == "maker"
    assert kept[0x013B] == "artist"
    assert kept.get(0x0112, 1) == 1
    assert not kept.get_ifd(0x8825)
    if image_format is not ImageFormat.TIFF:  # its first directory only
        assert float(kept.get_ifd(0x8769)[0x829A]) == pytest.approx(0.01)
    assert kept.get(0x0100, made.width) == made.width


def test_the_place_is_kept_when_that_is_asked_for_too() -> None:
    data = saved(PHOTO, "JPEG", exif=exif())
    assert answer(data, keep_metadata=True, keep_gps=True).getexif().get_ifd(0x8825)[1] == "N"
    assert not answer(data, keep_gps=True).getexif()


@pytest.mark.parametrize(
    "block", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff garbage", b"Exif\0\0MM\0*" + b"\xff" * 500]
)
def test_damaged_exif_is_left_out(block: bytes) -> None:
    made = answer(saved(PHOTO, "PNG", exif=block), keep_metadata=True)
    assert made.size == (96, 64)
    assert len(made.getexif()) == 0


def test_a_kept_profile_goes_with_a_canvas_and_a_colour_behind() -> None:
    data = saved(PHOTO, "PNG", icc_profile=PROFILE)
    made = answer(data, keep_profile=True, canvas=Canvas(120, 120), bg_color=(10, 20, 30, 255))
    assert made.info["icc_profile"] == PROFILE
    assert ImageCms.ImageCmsProfile(BytesIO(made.info["icc_profile"])).profile.xcolor_space == "RGB "
