"""Picsart's options, each with its effect on the picture."""

import base64
from functools import cache

import numpy as np
import pytest
from PIL import Image

from cutout.container import container
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, Limits
from tests.dialects.fal_bench import stored
from tests.dialects.picsart_client import DEFAULTS, ask, made
from tests.dialects.pictures import astronaut, cat, encoded, opened, pixels, plain

pytestmark = pytest.mark.covers("options")

SIDE = 160
BLACK = plain(SIDE, SIDE, colour="black")
PHOTO = pixels(astronaut())


@cache
def plain_cutout() -> np.ndarray:
    return pixels(cut_out(astronaut(), CutoutSpec(), container().segmenter, Limits()).data)


@pytest.fixture
def cutout(api):
    """What comes without any option: int [160, 160, 4]."""
    return plain_cutout()


def middle_of(alpha: np.ndarray) -> tuple[float, float]:
    """Of the bounds of what is firmly there: x, y."""
    rows, columns = np.nonzero(alpha > 64)
    return (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2


def stripes(width: int, height: int) -> bytes:
    """Upright stripes of two pixels, red and blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = 255
    picture[:, np.arange(width) % 4 < 2] = (255, 0, 0)
    return encoded(Image.fromarray(picture))


def test_the_whole_set_of_defaults_changes_nothing(api, cutout):
    model = {"model": "urn:air:picsart:model:picsart:sod@10"}
    assert np.array_equal(made(api), cutout)
    assert np.array_equal(made(api, **DEFAULTS, **model), cutout)
    assert np.array_equal(made(api, **dict.fromkeys(DEFAULTS, "")), cutout)


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("PNG", "PNG", "RGBA"),
        ("png", "PNG", "RGBA"),
        ("WEBP", "WEBP", "RGBA"),
        ("webp", "WEBP", "RGBA"),
        ("JPG", "JPEG", "RGB"),
        ("jpg", "JPEG", "RGB"),
    ],
)
def test_formats_in_either_case(api, name, kind, mode):
    url = ask(api, format=name).json()["data"]["url"]
    picture = opened(stored(url))
    assert (picture.format, picture.mode, picture.size) == (kind, mode, (SIDE, SIDE))
    assert url.partition("?")[0].endswith(f".{name.lower()}")
    if mode == "RGB":
        assert np.asarray(picture)[2, 2].min() > 250


@pytest.mark.parametrize(("name", "kind", "mode"), [("PNG", "PNG", "L"), ("JPG", "JPEG", "L"), ("WEBP", "WEBP", "RGB")])
def test_a_mask_is_white_where_the_subject_is_in_the_wanted_format(api, cutout, name, kind, mode):
    response = ask(api, output_type="mask", format=name)
    picture = opened(stored(response.json()["data"]["url"]))
    assert (picture.format, picture.mode, picture.size) == (kind, mode, (SIDE, SIDE))
    assert np.abs(np.asarray(picture.convert("L")).astype(int) - cutout[..., 3]).max() < (1 if name == "PNG" else 22)


def test_a_mask_obeys_no_option_of_the_cutout(api):
    more = {"stroke_size": "10", "shadow": "top", "auto_center": "true", "bg_width": "80", "bg_blur": "50"}
    assert np.array_equal(made(api, output_type="mask", **more), made(api, output_type="mask"))


def test_a_background_makes_a_picture_of_what_was_to_be_a_mask(api):
    assert made(api, background=BLACK, output_type="mask").shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ("#82d5fa", (0x82, 0xD5, 0xFA, 255)),
        ("82d5fa", (0x82, 0xD5, 0xFA, 255)),
        ("#fff", (255, 255, 255, 255)),
        ("f00", (255, 0, 0, 255)),
        ("0f08", (0, 255, 0, 0x88)),
        ("#18d4ff87", (0x18, 0xD4, 0xFF, 0x87)),
        ("blue", (0, 0, 255, 255)),
        ("Tomato", (255, 99, 71, 255)),
    ],
)
def test_bg_color_is_what_lies_behind(api, cutout, colour, expected):
    picture = made(api, bg_color=colour)
    behind = cutout[..., 3] == 0
    assert (picture[behind][:, :3] == expected[:3]).all()
    assert expected[3] == (255 if picture.shape[2] == 3 else picture[behind][0, 3])
    solid = cutout[..., 3] == 255
    assert np.array_equal(picture[solid][:, :3], cutout[solid][:, :3])


def test_a_plain_colour_is_not_blurred(api):
    assert np.array_equal(made(api, bg_color="red", bg_blur="80"), made(api, bg_color="red"))


def test_bg_blur_softens_the_photo_s_own_background_and_nothing_else(api, cutout):
    behind, solid = cutout[..., 3] == 0, cutout[..., 3] == 255

    def roughness(picture: np.ndarray) -> float:
        steps = np.abs(np.diff(picture[..., :3], axis=1)).mean(axis=2)
        return float(steps[behind[:, 1:] & behind[:, :-1]].mean())

    none, some, much = PHOTO, made(api, bg_blur="20"), made(api, bg_blur="100")
    assert some.shape == much.shape == (SIDE, SIDE, 3)
    assert roughness(none) > 1.5 * roughness(some) > 2 * roughness(much)
    assert np.abs(some[solid] - cutout[solid][:, :3]).max() <= 1


def test_bg_blur_softens_a_background_image(api, cutout):
    sharp, soft = (made(api, background=stripes(SIDE, SIDE), bg_blur=blur) for blur in ("0", "60"))
    behind = cutout[..., 3] == 0
    assert {tuple(pixel) for pixel in sharp[behind].tolist()} == {(255, 0, 0), (0, 0, 255)}
    behind[:, :30] = behind[:, -30:] = False  # where the stripe at the edge goes on
    assert np.abs(soft[behind] - (188, 0, 188)).max() < 5  # half of each, mixed as light


@pytest.mark.parametrize("given", ["file", "url", "data"])
def test_the_answer_is_as_large_as_the_background_unless_told_otherwise(api, given, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    (file_server.folder / "navy.png").write_bytes(plain(300, 200))
    data = "data:image/png;base64," + base64.b64encode(plain(300, 200)).decode()
    options = {"file": {}, "url": {"bg_image_url": f"{file_server.url}/navy.png"}, "data": {"bg_image_url": data}}
    picture = made(api, background=plain(300, 200) if given == "file" else None, **options[given])
    assert picture.shape == (200, 300, 3)
    assert (picture[5, 5] == (0, 0, 128)).all()
    assert np.abs(picture[125, 140] - PHOTO[100, 72]).max() < 60  # the photo lies in the middle, 200 x 200


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"bg_width": "90", "bg_height": "240"}, (90, 240)),
        ({"bg_width": "90"}, (90, 200)),
        ({"bg_height": "50"}, (300, 50)),
    ],
)
def test_bg_width_and_bg_height_are_the_size_of_the_answer(api, options, size):
    assert made(api, background=plain(300, 200), **options).shape == (size[1], size[0], 3)


def test_bg_width_and_bg_height_work_without_a_background_image_too(api):
    clear = made(api, bg_width="200", bg_height="100")
    assert clear.shape == (100, 200, 4)
    assert (clear[:, :40, 3] == 0).all()
    assert (made(api, bg_width="200", bg_color="red")[:, :10] == (255, 0, 0)).all()


def test_scale_fits_the_whole_photo_into_the_background_or_fills_it(api, cutout):
    wide = plain(320, 160, colour="lime")
    fit, fill = made(api, background=wide, scale="fit"), made(api, background=wide, scale="fill")
    solid = cutout[..., 3] == 255
    assert np.abs(fit[:, 80:240][solid] - cutout[solid][:, :3]).max() <= 1
    assert (fit[:, :80] == (0, 255, 0)).all()
    is_green = lambda picture: (picture == (0, 255, 0)).all(axis=2).sum()  # noqa: E731
    assert is_green(fit) > 1.3 * is_green(fill)  # twice as large, its upper and lower quarter cut off
    assert not (fill[:, 80:240] == (0, 255, 0)).all(axis=2).all()


def test_auto_center_puts_the_subject_into_the_middle(api):
    plainly, centred = (made(api, astronaut(), **options)[..., 3] for options in ({}, {"auto_center": "true"}))
    assert middle_of(plainly)[0] < 78, "else nothing would tell that it was moved"
    assert middle_of(centred) == pytest.approx((79.5, 79.5), abs=1)
    on_black = made(api, cat(), background=plain(200, 100, colour="black"), auto_center="1")
    assert middle_of(on_black.max(axis=2) * 3)[0] == pytest.approx(99.5, abs=4)


def test_a_stroke_surrounds_the_subject_by_its_size(api, cutout):
    wide, narrow = (made(api, stroke_size=size, stroke_color="00ff00") for size in ("12", "3"))
    empty, row = cutout[..., 3] == 0, 40  # of the head, whose edge is at column 87
    assert (wide[row, 92:98] == (0, 255, 0, 255)).all()
    assert wide[row, 107:, 3].max() < 8
    assert narrow[row, 96:, 3].max() < 8
    assert (wide[empty][:, 3] > 128).sum() > 2 * (narrow[empty][:, 3] > 128).sum()
    solid = cutout[..., 3] == 255
    assert np.array_equal(wide[solid], cutout[solid])


@pytest.mark.parametrize(
    ("options", "alpha"),
    [
        ({}, 255),
        ({"stroke_opacity": "50"}, 128),
        ({"stroke_opacity": "0"}, 0),
        ({"stroke_color": "ffffff80"}, 128),
        ({"stroke_color": "transparent"}, 0),
    ],
)
def test_a_stroke_is_white_and_as_opaque_as_its_colour_and_its_opacity(api, cutout, options, alpha):
    picture = made(api, stroke_size="10", **options)
    row = 60
    place = row, int(np.argmax(cutout[row, :, 3] > 200)) - 5
    assert cutout[place][3] < 64
    assert picture[place][3] == pytest.approx(max(alpha, cutout[place][3]), abs=8)
    if alpha == 255:
        assert picture[place].min() > 230


DIRECTIONS = {
    "bottom-right": (1, 1),
    "bottom": (0, 1),
    "bottom-left": (-1, 1),
    "left": (-1, 0),
    "right": (1, 0),
    "top-left": (-1, -1),
    "top": (0, -1),
    "top-right": (1, -1),
}
SHARP = {"shadow_blur": "0", "shadow_opacity": "100"}


def shifted(alpha: np.ndarray, across: int, down: int) -> np.ndarray:
    """As far as it stays inside, 0 elsewhere."""
    moved = np.zeros_like(alpha)
    height, width = alpha.shape
    moved[max(down, 0) : height + min(down, 0), max(across, 0) : width + min(across, 0)] = alpha[
        max(-down, 0) : height + min(-down, 0), max(-across, 0) : width + min(-across, 0)
    ]
    return moved


def over(front: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The alpha of both together."""
    return np.rint(front + back * (255 - front) / 255).astype(int)


@pytest.mark.parametrize(("name", "direction"), DIRECTIONS.items())
def test_a_shadow_lies_ten_pixels_in_its_direction(api, cutout, name, direction):
    picture = made(api, shadow=name, **SHARP)
    expected = over(cutout[..., 3], shifted(cutout[..., 3], *(10 * step for step in direction)))
    inner = np.s_[10:-10, 10:-10]  # beyond the edges the subject is taken to go on
    assert np.abs(picture[..., 3] - expected)[inner].max() <= 2
    shade = ((cutout[..., 3] == 0) & (expected > 250))[inner]
    assert shade.sum() > 20
    assert (picture[inner][shade][:, :3] == 0).all()


def test_a_custom_shadow_lies_where_its_offsets_say(api, cutout):
    alpha = cutout[..., 3]
    picture = made(api, shadow="custom", shadow_offset_x="-25", shadow_offset_y="4", **SHARP)
    inner = np.s_[4:-4, 0:-25]
    assert np.abs(picture[..., 3] - over(alpha, shifted(alpha, -25, 4)))[inner].max() <= 2
    below = made(api, shadow="custom", shadow_offset_x="0", shadow_offset_y="0", **SHARP)
    assert np.abs(below[..., 3] - over(alpha, alpha)).max() <= 2


def test_offsets_of_a_shadow_with_a_direction_are_left_alone(api):
    offsets = {"shadow_offset_x": "60", "shadow_offset_y": "60"}
    assert np.array_equal(made(api, shadow="left", **offsets), made(api, shadow="left"))


def test_a_shadow_is_as_dark_as_its_opacity_and_twenty_percent_by_default(api, cutout):
    far = {"shadow": "custom", "shadow_offset_x": "20", "shadow_offset_y": "0", "shadow_blur": "0"}
    shade = (cutout[..., 3] == 0) & (shifted(cutout[..., 3], 20, 0) == 255)
    for given, share in (({}, 0.2), ({"shadow_opacity": "75"}, 0.75), ({"shadow_opacity": "0"}, 0)):
        assert np.abs(made(api, **far, **given)[shade][:, 3] - 255 * share).max() <= 1


def test_the_blur_of_a_shadow_spreads_it(api, cutout):
    empty = cutout[..., 3] == 0
    spread = [
        (made(api, shadow="right", shadow_opacity="100", **blur)[empty][:, 3] > 4).sum()
        for blur in ({"shadow_blur": "0"}, {"shadow_blur": "20"}, {}, {"shadow_blur": "100"})
    ]
    assert spread == sorted(set(spread))


def test_shadow_stroke_colour_and_subject_lie_in_this_order(api, cutout):
    options = {"stroke_size": "12", "stroke_color": "lime", "shadow": "right", "bg_color": "red", **SHARP}
    picture, row = made(api, **options), 40
    assert (picture[row, 92:98] == (0, 255, 0)).all()
    assert picture[row, 107:109].max() < 40
    assert (picture[row, 120:] == (255, 0, 0)).all()
    solid = cutout[..., 3] == 255
    assert np.array_equal(picture[solid], cutout[solid][:, :3])
