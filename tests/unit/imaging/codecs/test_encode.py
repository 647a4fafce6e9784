import numpy as np
import pytest

from cutout.imaging.codecs.encode import encode, select_output
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat
from tests.unit.imaging.pictures import opened, photo, soft_disc, to_bytes

COLOURS = to_bytes(photo("astronaut.png", 121, 90))
CUTOUT = np.dstack([COLOURS, to_bytes(soft_disc(121, 90))])
PICTURES = [image_format for image_format in ImageFormat if image_format is not ImageFormat.ZIP]
PILLOW_NAMES = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF", "gif": "GIF", "avif": "AVIF"}


@pytest.mark.parametrize("image_format", PICTURES)
def test_a_flat_picture_comes_back_in_every_format(image_format: ImageFormat) -> None:
    read = opened(encode(COLOURS, image_format))
    assert read.format == PILLOW_NAMES[image_format.value]
    assert read.size == (121, 90)
    assert read.mode == ("P" if image_format is ImageFormat.GIF else "RGB")
    difference = np.abs(np.asarray(read.convert("RGB")).astype(int) - COLOURS)
    exact = image_format in {ImageFormat.PNG, ImageFormat.BMP, ImageFormat.TIFF}
    assert difference.mean() < (1e-9 if exact else 8)


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.TIFF])
def test_a_cutout_keeps_its_alpha_exactly(image_format: ImageFormat) -> None:
    read = opened(encode(CUTOUT, image_format))
    assert read.mode == "RGBA"
    assert np.array_equal(np.asarray(read)[..., 3], CUTOUT[..., 3])
    visible = CUTOUT[..., 3] > 200
    assert np.abs(np.asarray(read)[visible].astype(int) - CUTOUT[visible]).mean() < 5


def test_a_mask_is_an_eight_bit_gray_png() -> None:
    read = opened(encode(CUTOUT[..., 3], ImageFormat.PNG))
    assert read.mode == "L"
    assert np.array_equal(np.asarray(read), CUTOUT[..., 3])


@pytest.mark.parametrize("image_format", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_a_mask_may_be_wanted_in_a_format_that_loses_a_little(image_format: ImageFormat) -> None:
    read = opened(encode(CUTOUT[..., 3], image_format))
    assert read.mode == {"jpg": "L", "webp": "RGB"}[image_format.value]
    assert np.abs(np.asarray(read.convert("L")).astype(int) - CUTOUT[..., 3]).max() < 12


@pytest.mark.parametrize("image_format", PICTURES)
def test_no_file_carries_a_profile_or_metadata(image_format: ImageFormat) -> None:
    read = opened(encode(COLOURS, image_format))
    assert "icc_profile" not in read.info
    assert "exif" not in read.info


def test_jpeg_keeps_full_colour_resolution() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 1::2, 0] = 255  # one-pixel red stripes: at half colour resolution they turn brown
    read = np.asarray(opened(encode(picture, ImageFormat.JPEG)))
    assert read[:, 1::2, 0].mean() > 220
    assert read[:, ::2, 0].mean() < 35


@pytest.mark.parametrize(
    ("picture", "spec", "image_format"),
    [
        (CUTOUT, CutoutSpec(opaque_as_jpeg=True), ImageFormat.PNG),
        (COLOURS, CutoutSpec(opaque_as_jpeg=True), ImageFormat.JPEG),
        (np.dstack([COLOURS, np.full_like(COLOURS[..., 0], 255)]), CutoutSpec(opaque_as_jpeg=True), ImageFormat.JPEG),
        (COLOURS, CutoutSpec(), ImageFormat.PNG),
        (CUTOUT[..., 3], CutoutSpec(opaque_as_jpeg=True, channels=Channels.ALPHA), ImageFormat.PNG),
        (CUTOUT[..., 3], CutoutSpec(format=ImageFormat.WEBP, channels=Channels.ALPHA), ImageFormat.PNG),
        (CUTOUT[..., 3], CutoutSpec(mask_format=ImageFormat.WEBP, channels=Channels.ALPHA), ImageFormat.WEBP),
    ],
)
def test_an_opaque_cutout_is_a_jpeg_only_where_that_is_wanted_and_a_mask_never_is(picture, spec, image_format) -> None:
    taken, how = select_output(picture, spec)
    assert how is image_format
    kept = picture[..., :3] if how is ImageFormat.JPEG else picture
    assert np.array_equal(np.asarray(opened(encode(taken, ImageFormat.PNG))), kept)
