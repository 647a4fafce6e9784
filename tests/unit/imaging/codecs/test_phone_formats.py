"""AVIF and HEIC in, AVIF out. The HEIC files were made from docs/images/chelsea.jpg (CC0)."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout.errors import InvalidImageError, ResolutionTooHighError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.encode import encode
from cutout.imaging.spec import ImageFormat, Limits, SizeName
from tests.unit.imaging.codecs.test_colour import p3_to_srgb
from tests.unit.imaging.pictures import opened, photo, saved, soft_disc, to_bytes

LIMITS = Limits()
FILES = Path(__file__).parent / "files"
ROOT = Path(__file__).parents[4]
PHOTO = to_bytes(photo("astronaut.png", 96, 64))


def chelsea() -> np.ndarray:
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as picture:
        return np.asarray(picture.convert("RGB").resize((96, 64), Image.Resampling.LANCZOS))


def test_an_avif_is_decoded_with_its_alpha() -> None:
    alpha = to_bytes(soft_disc(96, 64))
    decoded = decode(saved(np.dstack([PHOTO, alpha]), "AVIF", quality=95), LIMITS)
    assert decoded.alpha is not None
    assert np.abs(decoded.alpha.astype(int) - alpha).mean() < 2
    assert np.abs(decoded.image.astype(int) - PHOTO)[alpha > 250].mean() < 6
    assert decode(saved(PHOTO, "AVIF"), LIMITS).alpha is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_comes_out_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(saved(PHOTO, "AVIF", exif=exif), LIMITS)
    assert (decoded.source_width, decoded.source_height) == ((96, 64) if orientation < 5 else (64, 96))


def test_an_avif_of_gray_and_one_of_a_preview_size_decode() -> None:
    gray = Image.fromarray(PHOTO).convert("L")
    assert (
        np.abs(decode(saved(gray, "AVIF", quality=95), LIMITS).image[..., 1].astype(int) - np.asarray(gray)).mean() < 3
    )
    large = saved(to_bytes(photo("astronaut.png", 900, 600)), "AVIF", quality=60)
    assert decode(large, LIMITS, SizeName.PREVIEW).image.shape == (408, 612, 3)


def test_the_limits_hold_for_avif_and_a_cut_file_is_damaged() -> None:
    data = saved(PHOTO, "AVIF")
    with pytest.raises(ResolutionTooHighError):
        decode(data, Limits(max_pixels=96 * 64 - 1))
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(InvalidImageError):
            decode(data[: int(len(data) * share)], LIMITS)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_answer_as_avif_looks_like_the_picture(channels: int) -> None:
    alpha = to_bytes(soft_disc(96, 64))
    picture = {1: alpha, 3: PHOTO, 4: np.dstack([PHOTO, alpha])}[channels]
    made = opened(encode(picture, ImageFormat.AVIF))
    assert made.format == "AVIF"
    got = np.asarray(made.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])).astype(int)
    if channels == 4:
        assert np.abs(got[..., 3] - alpha).mean() < 1
        got, picture = got[alpha > 250][:, :3], PHOTO[alpha > 250]
    assert np.abs(got - picture).mean() < 5


def test_avif_says_what_it_is() -> None:
    assert ImageFormat.AVIF.media_type == "image/avif"
    assert ImageFormat.AVIF.keeps_alpha


def with_codes(data: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF whose colour box names other code points."""
    place = data.index(b"colrnclx") + 8
    return data[:place] + primaries.to_bytes(2, "big") + transfer.to_bytes(2, "big") + data[place + 4 :]


def test_code_points_of_an_avif_are_applied() -> None:
    data = saved(PHOTO, "AVIF", quality=100, subsampling="4:4:4")
    plain = decode(data, LIMITS).image
    assert np.abs(plain.astype(int) - PHOTO).mean() < 3
    assert np.abs(decode(with_codes(data, 12, 13), LIMITS).image - p3_to_srgb(plain.astype(float))).max() <= 2
    assert np.array_equal(decode(with_codes(data, 1, 1), LIMITS).image, plain)
    bright = decode(with_codes(data, 9, 16), LIMITS).image
    assert not np.array_equal(bright, plain)


class TestHeic:
    """Files of an iPhone's kind, as long as the decoder is installed."""

    @pytest.fixture(autouse=True)
    def decoder(self) -> None:
        pytest.importorskip("pi_heif")

    @pytest.mark.parametrize("name", ["plain", "alpha", "gray", "ten-bit", "several"])
    def test_a_heic_is_decoded(self, name: str) -> None:
        decoded = decode((FILES / f"{name}.heic").read_bytes(), LIMITS)
        expected = chelsea() if name != "gray" else np.asarray(Image.fromarray(chelsea()).convert("L"))[..., None]
        assert (decoded.alpha is not None) is (name == "alpha")
        shown = np.ones((64, 96), bool) if decoded.alpha is None else decoded.alpha > 250
        assert np.abs(decoded.image.astype(int) - expected)[shown].mean() < 4

    def test_a_turned_heic_comes_out_upright_once(self) -> None:
        decoded = decode((FILES / "turned.heic").read_bytes(), LIMITS)
        assert (decoded.source_width, decoded.source_height) == (64, 96)
        assert np.abs(decoded.image.astype(int) - np.rot90(chelsea(), -1)).mean() < 4

    def test_display_p3_is_converted(self) -> None:
        plain, wide = (decode((FILES / f"{name}.heic").read_bytes(), LIMITS).image for name in ("plain", "p3-nclx"))
        assert np.abs(wide - p3_to_srgb(plain.astype(float))).mean() < 3

    def test_the_limits_hold_and_a_cut_file_is_damaged(self) -> None:
        data = (FILES / "plain.heic").read_bytes()
        with pytest.raises(ResolutionTooHighError):
            decode(data, Limits(max_pixels=96 * 64 - 1))
        for share in (0.05, 0.5, 0.9):
            with pytest.raises(InvalidImageError, match="incomplete: pixels are missing at its end"):
                decode(data[: int(len(data) * share)], LIMITS)

    def test_damaged_exif_decides_nothing_and_is_no_warning(self) -> None:
        data = (FILES / "turned.heic").read_bytes()
        start = data.index(b"II*\0") if b"II*\0" in data else data.index(b"MM\0*")
        odd = data[: start + 8] + b"\xff" * 20 + data[start + 28 :]
        assert decode(odd, LIMITS).image.shape == decode(data, LIMITS).image.shape

    @pytest.mark.parametrize("name", ["crash-1", "crash-2"])
    def test_a_file_that_crashes_the_decoder_is_a_damaged_image(self, name: str) -> None:
        with pytest.raises(InvalidImageError):
            decode((FILES / f"{name}.heic").read_bytes(), LIMITS)
