from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cutout.errors import InvalidImageError, InvalidOptionError, ServiceUnavailableError
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import (
    Canvas,
    Channels,
    CutoutResult,
    CutoutSpec,
    ImageFormat,
    Length,
    LengthUnit,
    Limits,
    OwnAlpha,
    Region,
    Shadow,
    ShadowKind,
    SizeName,
    Stroke,
)
from tests.unit.imaging.pictures import StubSegmenter, opened, photo, saved, scene, soft_disc, to_bytes

LIMITS = Limits()
PERCENT_50 = Length(50, LengthUnit.PERCENT)
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
    if image_format is ImageFormat.AVIF:  # its alpha is a picture of its own, and lossy like the colours
        difference = np.abs(np.asarray(opened(cutout.data))[..., 3].astype(int) - np.asarray(read))
        assert (difference.max() <= 32, difference.mean() < 0.25) == (True, True)
    elif image_format.keeps_alpha:
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
    effects = CutoutSpec(
        bg_blur=50, stroke=Stroke(Length(1)), shadow=Shadow(ShadowKind.CONTACT), semitransparency=False
    )
    for spec in (
        effects,
        replace(effects, bg_blur=0, scale=40),
        replace(effects, shadow=Shadow(), format=ImageFormat.ZIP),
    ):
        result = cut_out(data, spec, segmenter, LIMITS, with_mask=True)
        assert (result.width, result.height) == size


@pytest.fixture
def translucent() -> tuple[bytes, np.ndarray]:
    """A picture with a transparency of its own, and its pixels: bands of alpha 0, 100 and 255 over one photo."""
    pixels = np.array(Image.fromarray(to_bytes(photo("coffee.png", 60, 40))).convert("RGBA"))
    pixels[..., 3] = np.repeat([0, 100, 255], 20)
    return saved(Image.fromarray(pixels), "PNG"), pixels


def own_alpha(data: bytes, choice: OwnAlpha, found: float) -> tuple[np.ndarray, CutoutResult, StubSegmenter]:
    segmenter = StubSegmenter(np.full((64, 64), found, np.float32))
    result = cut_out(data, CutoutSpec(own_alpha=choice), segmenter, LIMITS)
    return np.asarray(opened(result.data)), result, segmenter


def test_an_own_transparency_that_is_kept_is_the_mask_whatever_a_model_would_find(translucent) -> None:
    data, pixels = translucent
    made, result, segmenter = own_alpha(data, OwnAlpha.KEEP, found=0)
    assert segmenter.asked is None
    assert result.own_alpha_kept
    assert np.array_equal(made[:, 20:], pixels[:, 20:])
    assert (made[:, :20] == 0).all()
    flat = cut_out(data, CutoutSpec(ImageFormat.BMP, own_alpha=OwnAlpha.KEEP), segmenter, LIMITS)
    assert (np.asarray(opened(flat.data))[:, :20] == 255).all()
    half = Region(PERCENT_50, Length(0), Length(60), Length(40))
    part = cut_out(data, CutoutSpec(own_alpha=OwnAlpha.KEEP, roi=half), segmenter, LIMITS)
    alpha = np.asarray(opened(part.data))[..., 3]
    assert (alpha[:, :30] == 0).all()
    assert np.array_equal(alpha[:, 30:], pixels[:, 30:, 3])


def test_an_own_transparency_that_is_honoured_bounds_what_the_model_finds_on_white(translucent) -> None:
    data, pixels = translucent
    made, result, segmenter = own_alpha(data, OwnAlpha.HONOUR, found=1)
    assert segmenter.asked is not None
    assert (segmenter.asked[:, :20] == 255).all()
    assert not result.own_alpha_kept
    assert np.array_equal(made[..., 3], pixels[..., 3])
    assert (own_alpha(data, OwnAlpha.HONOUR, found=0)[0] == 0).all()


def test_an_own_transparency_that_is_discarded_hides_nothing_from_the_model_nor_in_the_answer(translucent) -> None:
    data, pixels = translucent
    made, result, segmenter = own_alpha(data, OwnAlpha.DISCARD, found=1)
    assert segmenter.asked is not None
    assert np.array_equal(segmenter.asked, pixels[..., :3])
    assert not result.own_alpha_kept
    assert np.array_equal(made[..., :3], pixels[..., :3])
    assert (made[..., 3] == 255).all()


@pytest.mark.parametrize("choice", list(OwnAlpha))
def test_an_opaque_file_has_no_transparency_to_choose_about_whatever_its_mode(choice: OwnAlpha) -> None:
    data = saved(Image.fromarray(to_bytes(photo("coffee.png", 60, 40))).convert("RGBA"), "PNG")
    made, result, segmenter = own_alpha(data, choice, found=0)
    assert segmenter.asked is not None
    assert not result.own_alpha_kept
    assert (made == 0).all()


def test_errors_of_the_steps_come_through() -> None:
    class Broken(StubSegmenter):
        def alpha(self, image: np.ndarray) -> np.ndarray:
            raise ServiceUnavailableError("gone")

    with pytest.raises(InvalidImageError):
        cut_out(PHOTO[:500], CutoutSpec(), StubSegmenter(), LIMITS)
    with pytest.raises(ServiceUnavailableError):
        cut_out(PHOTO, CutoutSpec(), Broken(), LIMITS)


def picture_of(spec: CutoutSpec, background: bytes | None = None, segmenter: StubSegmenter | None = None) -> np.ndarray:
    result = cut_out(PHOTO, spec, segmenter or StubSegmenter(), LIMITS, background)
    picture = np.asarray(opened(result.data))
    assert picture.shape[:2] == (result.height, result.width)
    return picture


def test_the_model_sees_the_region_alone_and_nothing_outside_it_is_foreground() -> None:
    segmenter = StubSegmenter(np.ones((64, 64), np.float32))
    right_half = Region(PERCENT_50, Length(0), Length(600), Length(400))
    pixels = picture_of(CutoutSpec(roi=right_half), segmenter=segmenter)
    assert segmenter.asked is not None
    assert segmenter.asked.shape == (400, 300, 3)
    assert (pixels[:, :300] == 0).all()
    assert (pixels[:, 300:, 3] == 255).all()
    assert np.array_equal(pixels[:, 300:, :3], np.asarray(opened(PHOTO))[:, 300:])


def test_a_region_counts_in_pixels_of_the_file_for_a_preview_too() -> None:
    large = saved(to_bytes(photo("coffee.png", 1600, 1200)), "PNG")
    region = Region(Length(0), Length(0), Length(800), Length(1200))
    segmenter = StubSegmenter()
    cut_out(large, CutoutSpec(size=SizeName.PREVIEW, roi=region), segmenter, LIMITS)
    assert segmenter.asked is not None
    assert segmenter.asked.shape == (433, 288, 3)


def test_a_region_outside_the_photo_is_the_clients_error() -> None:
    with pytest.raises(InvalidOptionError) as caught:
        picture_of(CutoutSpec(roi=Region(Length(0), Length(0), Length(601), Length(400))))
    assert caught.value.details["reason"] == "exceeds_bounds"


def test_a_background_image_is_behind_the_subject_and_the_subject_is_untouched() -> None:
    blue = saved(Image.new("RGB", (30, 90), (10, 20, 200)), "PNG")
    plain, made = picture_of(CutoutSpec()), picture_of(CutoutSpec(), blue)
    assert made.shape == (400, 600, 3)
    assert (made[plain[..., 3] == 0] == (10, 20, 200)).all()
    assert np.array_equal(made[plain[..., 3] == 255], plain[plain[..., 3] == 255][:, :3])


def test_a_broken_background_says_that_it_is_the_background() -> None:
    with pytest.raises(InvalidImageError) as caught:
        picture_of(CutoutSpec(), PHOTO[:300])
    assert caught.value.details["image"] == "background"


def test_the_own_background_is_kept_and_blurred_and_the_subject_is_not() -> None:
    plain, made = picture_of(CutoutSpec()), picture_of(CutoutSpec(bg_blur=60))
    before = np.asarray(opened(PHOTO)).astype(int)
    away = plain[..., 3] == 0
    assert made.shape == (400, 600, 3)
    assert np.array_equal(made[plain[..., 3] == 255], plain[plain[..., 3] == 255][:, :3])
    assert (
        np.abs(np.diff(made.astype(int), axis=1))[away[:, 1:]].mean()
        < 0.4 * np.abs(np.diff(before, axis=1))[away[:, 1:]].mean()
    )
    assert np.abs(made[away].mean(axis=0) - before[away].mean(axis=0)).max() < 20


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.JPEG])
@pytest.mark.parametrize("kind", list(ShadowKind))
def test_a_shadow_darkens_what_is_beside_the_subject_and_never_the_subject(
    kind: ShadowKind, image_format: ImageFormat
) -> None:
    white = CutoutSpec(format=image_format, bg_color=(255, 255, 255, 255))
    plain = picture_of(white).astype(int)
    shaded = picture_of(replace(white, shadow=Shadow(kind))).astype(int)
    alpha = picture_of(CutoutSpec())[..., 3]
    tolerance = 6 if image_format is ImageFormat.JPEG else 0
    assert np.abs(shaded - plain)[alpha == 255].max() <= (40 if tolerance else 0)  # JPEG: blocks at the edge
    assert (shaded - plain)[alpha == 0].max() <= tolerance
    assert (plain - shaded)[alpha == 0].max() > 60


def test_a_mask_shows_the_subject_alone_where_the_cutout_has_it() -> None:
    spec = CutoutSpec(scale=50, shadow=Shadow(), stroke=Stroke(Length(4)), bg_blur=30)
    result = cut_out(PHOTO, spec, StubSegmenter(), LIMITS, with_mask=True)
    assert result.mask is not None
    beside = np.asarray(opened(result.mask))
    alone = picture_of(CutoutSpec(scale=50, stroke=Stroke(Length(4)), channels=Channels.ALPHA))
    assert beside.shape == alone.shape == (400, 600)
    assert beside.max() == alone.max() == 255
    assert result.foreground is not None
    inside = np.zeros((400, 600), bool)
    box = result.foreground
    inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
    assert (beside[~inside] <= 64).all()
    assert cut_out(PHOTO, spec, StubSegmenter(), LIMITS).mask is None


def test_a_photo_without_a_subject_has_no_foreground_and_ignores_effects() -> None:
    nothing = StubSegmenter(np.zeros((64, 64), np.float32))
    spec = CutoutSpec(crop=True, scale=30, shadow=Shadow(), stroke=Stroke(Length(4)))
    result = cut_out(PHOTO, spec, nothing, LIMITS)
    assert result.foreground is None
    assert not np.asarray(opened(result.data)).any()


@pytest.mark.parametrize(
    ("wanted", "limits"),
    [
        (CutoutSpec(crop=True, size=SizeName.PREVIEW), Limits()),
        (CutoutSpec(crop=True, size=SizeName.MEDIUM), Limits()),
        (CutoutSpec(crop=True), Limits(max_output_mp=0.2)),
        (CutoutSpec(canvas=Canvas(900, 900), scale=90.0, size=SizeName.PREVIEW), Limits()),
        (CutoutSpec(crop=True, size=SizeName.PREVIEW, channels=Channels.ALPHA), Limits()),
    ],
)
def test_size_caps_the_final_picture_and_not_the_photo_before_its_crop(wanted: CutoutSpec, limits: Limits) -> None:
    alpha = np.zeros((320, 320), np.float32)
    alpha[140:180, 140:180] = 1  # an eighth of each side: 300 x 200 px of a photo of 2,400 x 1,600
    fine = np.indices((1600, 2400)).sum(axis=0) % 8 < 4
    data = saved(np.repeat((fine * np.uint8(255))[..., None], 3, axis=2), "PNG")
    result = cut_out(data, wanted, StubSegmenter(alpha), limits)
    cap = min(wanted.size.max_mp, limits.max_output_mp) * 1e6
    assert result.width * result.height <= cap
    if wanted.crop:
        assert abs(result.width - 300) <= 30  # not reduced: the crop is below its cap
    if wanted.channels is Channels.RGBA:
        picture = np.asarray(opened(result.data).convert("RGB"))
        middle = picture[picture.shape[0] // 3 : -picture.shape[0] // 3, picture.shape[1] // 3 : -picture.shape[1] // 3]
        assert middle.std() > 80  # the stripes of four pixels are there
