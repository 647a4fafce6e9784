import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout.errors import InvalidImageError, ServiceUnavailableError
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat, Limits, SizeName
from tests.unit.imaging.pictures import StubSegmenter, opened, photo, saved, scene, soft_disc, to_bytes

LIMITS = Limits()
PHOTO = saved(to_bytes(photo("coffee.png", 600, 400)), "JPEG", quality=90)


def test_a_photo_becomes_an_rgba_png_of_its_size_with_the_facts_about_it() -> None:
    result = cut_out(PHOTO, CutoutSpec(), StubSegmenter(), LIMITS)
    picture = opened(result.data)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (600, 400))
    assert (result.media_type, result.width, result.height) == ("image/png", 600, 400)
    assert (result.source_width, result.source_height, result.model) == (600, 400, "stub")
    assert list(result.stages_ms) == ["decode", "predict", "refine", "compose", "encode"]
    assert min(result.stages_ms.values()) >= 0
    pixels = np.asarray(picture)
    assert np.array_equal(pixels[200, 300, :3], np.asarray(opened(PHOTO))[200, 300])  # opaque stays untouched
    assert pixels[200, 300, 3] == 255
    assert (pixels[0, 0] == 0).all()


@pytest.mark.parametrize("image_format", [one for one in ImageFormat if one is not ImageFormat.ZIP])
@pytest.mark.parametrize("size", list(SizeName))
def test_the_mask_and_the_cutout_agree_for_every_format_and_size(image_format: ImageFormat, size: SizeName) -> None:
    segmenter = StubSegmenter()
    cutout = cut_out(PHOTO, CutoutSpec(format=image_format, size=size), segmenter, LIMITS)
    mask = cut_out(PHOTO, CutoutSpec(format=image_format, size=size, channels=Channels.ALPHA), segmenter, LIMITS)
    assert mask.media_type == "image/png"
    read = opened(mask.data)
    assert read.mode == "L"
    assert read.size == opened(cutout.data).size == (cutout.width, cutout.height)
    assert cutout.media_type == image_format.media_type
    if image_format.keeps_alpha:
        assert np.array_equal(np.asarray(opened(cutout.data))[..., 3], np.asarray(read))
    else:
        assert np.asarray(opened(cutout.data).convert("RGB"))[0, 0].min() > 250


def test_a_preview_is_small_for_the_model_too() -> None:
    segmenter = StubSegmenter()
    large = saved(to_bytes(photo("coffee.png", 1600, 1200)), "JPEG")
    result = cut_out(large, CutoutSpec(size=SizeName.PREVIEW), segmenter, LIMITS)
    assert (result.width, result.height) == (577, 433)
    assert (result.source_width, result.source_height) == (1600, 1200)
    assert segmenter.asked is not None
    assert segmenter.asked.shape == (433, 577, 3)


def test_a_photo_on_its_side_comes_out_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    result = cut_out(
        saved(to_bytes(photo("coffee.png", 600, 400)), "JPEG", exif=exif), CutoutSpec(), StubSegmenter(), LIMITS
    )
    assert (result.width, result.height) == (400, 600)
    assert (result.source_width, result.source_height) == (400, 600)
    assert opened(result.data).getexif().get(0x0112) is None


def test_what_was_transparent_stays_transparent_and_the_model_never_sees_what_was_hidden() -> None:
    colours = to_bytes(photo("coffee.png", 300, 200))
    own = np.full((200, 300), 255, np.uint8)
    own[:, :150], own[90:110, 150:] = 0, 120
    segmenter = StubSegmenter()
    result = cut_out(saved(np.dstack([colours, own]), "PNG"), CutoutSpec(), segmenter, LIMITS)
    pixels = np.asarray(opened(result.data))
    assert (pixels[:, :150] == 0).all()
    assert (pixels[..., 3] <= own).all()
    assert (pixels[100, 155:170, 3] == 120).all()
    assert np.array_equal(pixels[100, 155:170, :3], colours[100, 155:170])
    assert segmenter.asked is not None
    assert (segmenter.asked[:, :150] == 255).all()


def test_a_soft_edge_carries_no_halo_of_the_old_background() -> None:
    picture = scene(soft_disc(500, 400, 0.06), "coffee.png", "rocket.jpg")
    data = saved(picture.image, "PNG")
    result = cut_out(data, CutoutSpec(bg_color=(255, 0, 255, 255)), StubSegmenter(picture.coarse(blur_px=0.1)), LIMITS)
    truth = picture.over(picture.alpha, picture.front, np.array([1, 0, 1]))
    before = picture.over(picture.alpha, picture.image / 255, np.array([1, 0, 1]))
    error = np.abs(np.asarray(opened(result.data)) / 255 - truth)[picture.edge].mean()
    assert error < 0.6 * np.abs(before - truth)[picture.edge].mean()


def test_despill_changes_a_cutout_and_neither_its_mask_nor_hidden_pixels() -> None:
    plain = opened(cut_out(PHOTO, CutoutSpec(), StubSegmenter(), LIMITS).data)
    clean = opened(cut_out(PHOTO, CutoutSpec(despill=True), StubSegmenter(), LIMITS).data)
    before, after = np.asarray(plain), np.asarray(clean)
    assert not np.array_equal(before, after)
    assert np.array_equal(before[..., 3], after[..., 3])
    assert (after[after[..., 3] == 0] == 0).all()


def test_crop_cuts_to_the_subject() -> None:
    whole = np.asarray(opened(cut_out(PHOTO, CutoutSpec(), StubSegmenter(), LIMITS).data))
    result = cut_out(PHOTO, CutoutSpec(crop=True), StubSegmenter(), LIMITS)
    rows, columns = np.nonzero(whole[..., 3] > 10)
    assert (result.height, result.width) == (np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert (result.source_width, result.source_height) == (600, 400)


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (2, 3), (16, 16), (17, 31)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_tiny_pictures_come_through_every_step(size: tuple[int, int], value: float) -> None:
    data = saved(Image.new("RGB", size, (200, 120, 40)), "PNG")
    segmenter = StubSegmenter(np.full((64, 64), value, np.float32))
    for spec in (CutoutSpec(), CutoutSpec(despill=True, crop=True), CutoutSpec(channels=Channels.ALPHA)):
        result = cut_out(data, spec, segmenter, LIMITS)
        assert opened(result.data).size == size


def test_errors_of_the_steps_come_through() -> None:
    class Broken(StubSegmenter):
        def alpha(self, image: np.ndarray) -> np.ndarray:
            raise ServiceUnavailableError("gone")

    with pytest.raises(InvalidImageError):
        cut_out(PHOTO[:500], CutoutSpec(), StubSegmenter(), LIMITS)
    with pytest.raises(ServiceUnavailableError):
        cut_out(PHOTO, CutoutSpec(), Broken(), LIMITS)


MEASURE = """
import resource, sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, ImageFormat, Limits
from tests.unit.imaging.pictures import StubSegmenter
spec = CutoutSpec(format=ImageFormat(sys.argv[4]), despill=True)
result = cut_out(Path(sys.argv[3]).read_bytes(), spec, StubSegmenter(), Limits())
print(result.width, result.height, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize(
    ("file_format", "mode", "answer"), [("JPEG", "RGB", "png"), ("PNG", "RGBA", "tiff"), ("JPEG", "CMYK", "jpg")]
)
def test_fifty_megapixels_stay_under_one_and_a_half_gigabytes(
    tmp_path: Path, file_format: str, mode: str, answer: str
) -> None:
    path = tmp_path / "large"
    gradient = Image.linear_gradient("L").resize((8660, 5773))
    bands = [
        gradient,
        gradient.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        gradient,
        gradient.point(lambda v: 255 - v // 2),
    ]
    path.write_bytes(saved(Image.merge(mode, bands[: len(mode)]), file_format))
    del gradient, bands
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", MEASURE, str(root / "layers" / "cutout"), str(root), str(path), answer]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    width, height, peak_bytes = (int(part) for part in done.stdout.split())
    assert (width, height) == (6000, 4000)
    assert peak_bytes < 1.5e9
    assert peak_bytes > 1e8  # it did measure
