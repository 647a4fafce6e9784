"""Mask-first: a small JPEG goes up, the cutout is composed at full size, cleaner than by stretching the mask."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from cutout_client import Cutout, Result, mask_first
from cutout_client.composition import cut_out
from tests.dialects.pictures import astronaut, encoded
from tests.support.local_service import Service


def strands(width: int, height: int) -> np.ndarray:
    """The alpha of a disc with hair: float [height, width]."""
    chance = np.random.default_rng(1)
    drawn = Image.new("L", (width * 2, height * 2))
    pencil = ImageDraw.Draw(drawn)
    x, y, radius = width, height, height * 0.6
    pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    for _ in range(200):
        angle, length = chance.uniform(0, 2 * np.pi), chance.uniform(0.05, 0.3) * height
        start = x + radius * np.cos(angle), y + radius * np.sin(angle)
        end = start[0] + length * np.cos(angle), start[1] + length * np.sin(angle)
        pencil.line((*start, *end), fill=255, width=int(chance.integers(2, 8)))
    small = drawn.resize((width, height), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.7))
    return np.asarray(small) / 255.0


def texture(width: int, height: int, colour: tuple[int, int, int], seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    coarse = np.clip(np.array(colour) + chance.normal(0, 25, (height // 40, width // 40, 3)), 0, 255)
    large = Image.fromarray(coarse.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large) + chance.normal(0, 4, (height, width, 3)), 0, 255)


def test_edges_and_colours_are_far_nearer_to_the_truth_than_a_stretched_mask() -> None:
    width, height = 1600, 1200
    alpha = strands(width, height)
    front, back = texture(width, height, (180, 60, 40), 2), texture(width, height, (60, 120, 160), 3)
    share = alpha[..., None]
    photo = (front * share + back * (1 - share) + 0.5).astype(np.uint8)
    small = Image.fromarray(photo).resize((512, 384), Image.Resampling.LANCZOS)
    mask = Image.fromarray((alpha * 255 + 0.5).astype(np.uint8)).resize((512, 384), Image.Resampling.BOX)
    colours, found = cut_out(photo, np.asarray(small), np.asarray(mask))

    stretched = np.asarray(mask.resize((width, height), Image.Resampling.BILINEAR)) / 255.0
    band = ((alpha > 0) & (alpha < 1)) | ((stretched > 0) & (stretched < 1))
    green = np.array([0.0, 255.0, 0.0])

    def on_green(colour: np.ndarray, cover: np.ndarray) -> np.ndarray:
        return colour * cover[..., None] + green * (1 - cover[..., None])

    truth = on_green(front, alpha)
    ours = np.abs(on_green(colours.astype(float), found / 255.0) - truth)[band].mean()
    plain = np.abs(on_green(photo.astype(float), stretched) - truth)[band].mean()
    assert np.abs(found / 255.0 - alpha)[band].mean() < 0.5 * np.abs(stretched - alpha)[band].mean()
    assert ours < 0.5 * plain
    sure = np.asarray(Image.fromarray(band).convert("L").filter(ImageFilter.MaxFilter(21))) == 0
    assert sure.mean() > 0.3
    assert (found[sure] == np.round(alpha[sure] * 255)).all(), "what is sure stays"
    assert (colours[sure] == photo[sure]).all()


def test_a_photo_of_the_mask_s_size_keeps_its_mask() -> None:
    chance = np.random.default_rng(0)
    photo, mask = chance.integers(0, 255, (40, 60, 3), np.uint8), chance.integers(0, 255, (40, 60), np.uint8)
    assert (cut_out(photo, photo, mask)[1] == mask).all()


@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_without_an_edge_stays_as_it_is(value) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    small = np.asarray(Image.fromarray(photo).resize((35, 45)))
    colours, alpha = cut_out(photo, small, np.full((45, 35), value, np.uint8))
    assert (alpha == value).all()
    assert (colours == photo).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_all_orientations_come_out_upright(turn) -> None:
    upright = Image.new("RGB", (60, 40), "navy")
    upright.paste("red", (0, 0, 20, 10))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(turn)
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    plan = mask_first.plan(encoded(stored, "JPEG", exif=exif, quality=95), None, {})
    assert Image.open(io.BytesIO(plan.preview)).size == (60, 40)
    made = mask_first.compose(plan, Result(encoded(Image.new("L", (60, 40), 255)))).image
    assert made.size == (60, 40)
    assert made.getexif().get(0x0112, 1) == 1
    red, _, blue, alpha = made.getpixel((4, 4))
    assert red > 200
    assert blue < 90
    assert alpha == 255


def test_the_preview_is_a_small_jpeg_and_the_profile_stays() -> None:
    photo = encoded(Image.new("RGB", (3000, 2000), "teal"), "JPEG", icc_profile=b"a profile")
    plan = mask_first.plan(photo, None, {"format": "jpeg", "semitransparency": False})
    preview = Image.open(io.BytesIO(plan.preview))
    assert (preview.format, preview.size, preview.info["icc_profile"]) == ("JPEG", (1024, 683), b"a profile")
    assert plan.options == {"channels": "alpha", "semitransparency": "false"}
    made = mask_first.compose(plan, Result(encoded(Image.new("L", (1024, 683), 255))))
    assert (made.media_type, made.width, made.image.info["icc_profile"]) == ("image/jpeg", 3000, b"a profile")


def test_transparency_that_was_there_stays_and_colours_go_behind() -> None:
    photo = Image.new("RGBA", (40, 30), (255, 0, 0, 255))
    photo.paste((255, 0, 0, 0), (0, 0, 10, 30))
    full = Result(encoded(Image.new("L", (40, 30), 255)))
    made = mask_first.compose(mask_first.plan(encoded(photo), None, {}), full).image
    assert [made.getpixel((x, 5))[3] for x in (5, 20)] == [0, 255]
    flat = mask_first.compose(mask_first.plan(encoded(photo), None, {"bg_color": "0f0"}), full).image
    assert [flat.getpixel((x, 5))[:3] for x in (5, 20)] == [(0, 255, 0), (255, 0, 0)]


@pytest.mark.parametrize("options", [{"crop": True}, {"format": "gif"}, {"bg_color": "nocolour"}])
def test_what_is_not_composed_here_is_refused(options) -> None:
    with pytest.raises(TypeError):
        mask_first.plan(astronaut(), None, options)
    with pytest.raises(TypeError, match="background"):
        mask_first.plan(astronaut(), astronaut(), {})
    with pytest.raises(TypeError, match="itself"):
        mask_first.plan("https://example.com/a.jpg", None, {})


def test_over_the_service_it_is_near_to_the_cutout_at_full_size(service: Service) -> None:
    photo = Image.open(io.BytesIO(astronaut(320, "PNG"))).resize((1300, 1300), Image.Resampling.BICUBIC)
    with Cutout(service.key, service.url) as cutout:
        whole, composed = cutout.remove(photo), cutout.remove(photo, mask_first=True, format="webp")
    assert composed.media_type == "image/webp"
    assert (composed.width, composed.image.size, composed.model) == (1300, (1300, 1300), "cutout-s")
    difference = np.abs(np.asarray(whole.mask, float) - np.asarray(composed.mask, float)) / 255
    assert difference.mean() < 0.02
