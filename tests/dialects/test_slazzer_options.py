"""Slazzer v2.0: every option, seen in the picture."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cutout.container import container
from tests.dialects.pictures import astronaut, encoded, opened, pixels, plain
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

V2 = f"{URL}/v2.0/remove_image_background"

pytestmark = pytest.mark.covers("options")


@pytest.fixture
def cut(api):
    """The answer's picture as an array, for these fields."""

    def post(image: bytes = b"", files=None, **fields) -> np.ndarray:
        parts = {"source_image_file": ("photo.jpg", image or astronaut(), "image/jpeg"), **(files or {})}
        answer = api.post(V2, files=parts, data=fields, headers={"API-KEY": LIVE_KEY})
        assert answer.status_code == 200, answer.text
        return pixels(answer.content)

    return post


def box_of(alpha: np.ndarray, above: int = 10) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is seen."""
    seen = np.argwhere(alpha > above)
    (top, left), (bottom, right) = seen.min(axis=0), seen.max(axis=0) + 1
    return int(left), int(top), int(right), int(bottom)


def small_subject() -> bytes:
    """The astronaut in a wide plain room: 96 of 240 pixels, with space on all sides."""
    room = Image.new("RGB", (240, 240), (205, 205, 200))
    figure = opened(astronaut(160)).crop((20, 0, 130, 160)).resize((77, 112))
    room.paste(figure, (80, 60))
    return encoded(room, "PNG")


@pytest.mark.parametrize(
    ("value", "kind", "mode"), [("png", "PNG", "RGBA"), ("jpg", "JPEG", "RGB"), ("JPG", "JPEG", "RGB")]
)
def test_format(api, value, kind, mode):
    files = {"source_image_file": astronaut()}
    made = opened(api.post(V2, files=files, data={"format": value}, headers={"API-KEY": LIVE_KEY}).content)
    assert (made.format, made.mode) == (kind, mode)


def test_channel_alpha_is_the_mask(cut):
    assert np.array_equal(cut(channel="alpha"), cut(channel="rgba")[..., 3])


def test_bg_color_code_is_behind_the_subject(cut):
    made = cut(bg_color_code="#72E4B3")
    assert tuple(made[5, 5]) == (0x72, 0xE4, 0xB3)
    assert np.abs(made[100, 80] - pixels(astronaut())[100, 80]).max() <= 2


def test_a_background_image_fills_the_answer(cut):
    behind = Image.new("RGB", (400, 100), "red")
    behind.paste((0, 0, 255), (200, 0, 400, 100))
    made = cut(files={"bg_image_file": ("b.png", encoded(behind, "PNG"), "image/png")})
    assert made.shape == (160, 160, 3)
    assert tuple(made[5, 5]) == (255, 0, 0)
    assert tuple(made[5, 154]) == (0, 0, 255)
    assert np.abs(made[100, 80] - pixels(astronaut())[100, 80]).max() <= 2


def test_a_background_image_may_be_base64_or_a_url(cut, file_server, monkeypatch):
    (file_server.folder / "green.png").write_bytes(plain(20, 20, colour="lime"))
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    container.cache_clear()
    text = "data:image/png;base64," + base64.b64encode(plain(20, 20, colour="lime")).decode()
    assert tuple(cut(bg_image_base64=text)[5, 5]) == (0, 255, 0)
    assert tuple(cut(bg_image_url=f"{file_server.url}/green.png")[5, 5]) == (0, 255, 0)


@pytest.mark.parametrize(("value", "cropped"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_crop_leaves_no_empty_rim(cut, value, cropped):
    made, whole = cut(small_subject(), crop=value), cut(small_subject())
    left, top, right, bottom = box_of(whole[..., 3])
    assert np.array_equal(made, whole[top:bottom, left:right] if cropped else whole)


@pytest.mark.parametrize(
    ("margin", "rim"),
    [
        ("20px", (20, 20, 20, 20)),
        ("20", (20, 20, 20, 20)),
        ("10px, 20px", (10, 20, 10, 20)),
        ("4px, 8px, 12px, 16px", (4, 8, 12, 16)),
        ("4px,8px,12px,16px", (4, 8, 12, 16)),
    ],
)
def test_crop_margin_counts_from_the_left(cut, margin, rim):
    plain_, made = (cut(small_subject(), crop="true", **extra) for extra in ({}, {"crop_margin": margin}))
    height, width = plain_.shape[:2]
    left, top, right, bottom = rim
    assert made.shape[:2] == (height + top + bottom, width + left + right)
    assert np.array_equal(made[top : top + height, left : left + width], plain_)


def test_crop_margin_in_percent_is_of_the_subject(cut):
    height, width = cut(small_subject(), crop="true").shape[:2]
    made = cut(small_subject(), crop="true", crop_margin="10%, 20%")
    assert made.shape[1] == pytest.approx(width * 1.2, abs=1)
    assert made.shape[0] == pytest.approx(height * 1.4, abs=1)


def test_crop_margin_without_crop_does_nothing(cut):
    assert np.array_equal(cut(small_subject(), crop_margin="20px"), cut(small_subject()))


@pytest.mark.parametrize("scale", ["50%", "100%", "25"])
def test_scale_is_the_share_that_the_subject_takes_and_centres_it(cut, scale):
    made = cut(small_subject(), scale=scale)
    left, top, right, bottom = box_of(made[..., 3], 64)
    assert max(right - left, bottom - top) == pytest.approx(240 * float(scale.rstrip("%")) / 100, abs=3)
    assert (left + right) / 2 == pytest.approx(120, abs=2)
    assert (top + bottom) / 2 == pytest.approx(120, abs=2)


@pytest.mark.parametrize(
    ("position", "left", "top"), [("0%,0%", 0, 0), ("0%", 0, 0), ("100%,0%", 1, 0), ("25%,75%", 0.25, 0.75)]
)
def test_position_is_the_share_of_the_free_space(cut, position, left, top):
    made = cut(small_subject(), scale="50%", position=position)
    x, y, right, bottom = box_of(made[..., 3], 64)
    assert x == pytest.approx(left * (240 - (right - x)), abs=3)
    assert y == pytest.approx(top * (240 - (bottom - y)), abs=3)


def test_position_without_scale_does_nothing(cut):
    assert np.array_equal(cut(small_subject(), position="0%,0%"), cut(small_subject()))


@pytest.mark.parametrize("preview", ["true", "false"])
def test_preview_is_a_quarter_of_a_megapixel(cut, preview):
    data = io.BytesIO()
    opened(astronaut()).resize((900, 600)).save(data, "JPEG")
    height, width = cut(data.getvalue(), preview=preview).shape[:2]
    assert (width * height <= 250_000) == (preview == "true")
    assert width / height == pytest.approx(1.5, rel=0.01)
    assert width * height > 245_000


@pytest.mark.parametrize("roi", ["0px, 0px, 80px, 160px", "0%, 0%, 50%, 100%", "0 0 80 160"])
def test_outside_the_region_of_interest_all_is_background(cut, roi):
    made = cut(roi=roi)
    assert (made[:, 80:] == 0).all()
    assert made[:, :80, 3].max() == 255


def test_car_shadow_lies_on_the_ground_below_the_subject(cut):
    bare, shaded = cut(small_subject(), car_shadow="false"), cut(small_subject(), car_shadow="true")
    assert bare.shape == shaded.shape
    darker = (shaded[..., 3] > bare[..., 3] + 20) & (shaded[..., :3].max(axis=-1) < 60)
    assert darker.sum() > 50
    _, top, _, bottom = box_of(bare[..., 3])
    rows = np.flatnonzero(darker.any(axis=1))
    assert rows.min() > (top + bottom) / 2


def test_fields_that_the_contract_does_not_know_are_left_alone(cut):
    assert np.array_equal(cut(despill="what", type="car", width="100"), cut())
