"""Photoroom ``/v1/segment``: what comes out, and what every option does to it."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cutout.accounts import KeyMode
from cutout.container import container
from tests.dialects.callers import customer, images_of
from tests.dialects.pictures import astronaut, encoded, opened, pixels, plain
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

SEGMENT = f"{URL}/v1/segment"


def segment(api, image=None, key=LIVE_KEY, accept="*/*", **fields):
    image = astronaut() if image is None else image
    headers = {"x-api-key": key, "Accept": accept}
    return api.post(SEGMENT, files={"image_file": ("photo.jpg", image, "image/jpeg")}, data=fields, headers=headers)


def picture_of(response) -> Image.Image:
    assert response.status_code == 200, response.text
    return opened(response.content)


class TestHappyPath:
    pytestmark = pytest.mark.covers("happy")

    def test_a_photo_comes_back_as_a_png_of_its_size_with_its_subject_alone(self, api):
        answer = segment(api)
        picture = picture_of(answer)
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (160, 160))
        made, photo = np.asarray(picture).astype(int), pixels(astronaut())
        assert (made[5, 5] == 0).all()
        assert made[100, 80, 3] == 255
        assert np.abs(made[100, 80, :3] - photo[100, 80]).max() <= 2

    def test_it_is_charged_once(self, api):
        assert images_of() == 0
        assert segment(api).status_code == 200
        assert images_of() == 1

    def test_a_synthetic_key_is_not_charged(self, api):
        account, key = customer(mode=KeyMode.SYNTHETIC)
        assert segment(api, key=key).status_code == 200
        assert images_of(account) == 0

    def test_the_content_type_is_bare_so_that_clients_which_compare_it_are_content(self, api):
        for fields, kind in (({}, "image/png"), ({"format": "jpg"}, "image/jpeg"), ({"format": "webp"}, "image/webp")):
            assert segment(api, **fields).headers["content-type"] == kind

    @pytest.mark.parametrize("accept", ["application/json", "application/json;q=0.9", "application/json, text/plain"])
    def test_who_accepts_json_and_no_image_gets_base64(self, api, accept):
        answer = segment(api, accept=accept)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json().keys() == {"base64img"}
        assert base64.b64decode(answer.json()["base64img"], validate=True) == segment(api).content

    @pytest.mark.parametrize(
        "accept",
        ["", "*/*", "image/png, application/json", "application/json, text/plain, */*", "image/*", "text/html"],
    )
    def test_all_others_get_bytes(self, api, accept):
        assert segment(api, accept=accept, format="jpg").headers["content-type"] == "image/jpeg"

    def test_headers_say_where_the_subject_is_in_the_answer(self, api):
        answer = segment(api, astronaut(), crop="true")
        top, left, width, height = (int(answer.headers[f"x-foreground-{side}"]) for side in SIDES)
        firm = np.argwhere(pixels(answer.content)[..., 3] > 64)
        assert (top, left) == tuple(firm.min(axis=0))
        assert (height, width) == tuple(np.ptp(firm, axis=0) + 1)

    def test_nothing_found_has_no_place_and_is_as_uncertain_as_can_be(self, api):
        answer = segment(api, plain(64, 48))
        assert [answer.headers[f"x-foreground-{side}"] for side in SIDES] == ["0"] * 4
        assert answer.headers["x-uncertainty-score"] == "1.0000"
        assert (pixels(answer.content) == 0).all()

    def test_the_score_is_small_for_a_clear_subject_and_larger_for_a_blurred_one(self, api):
        blurred = encoded(opened(astronaut()).resize((10, 10)).resize((160, 160), Image.Resampling.BICUBIC), "PNG")
        clear, vague = (float(segment(api, data).headers["x-uncertainty-score"]) for data in (astronaut(), blurred))
        assert 0 < clear < 0.2
        assert clear * 1.3 < vague <= 1

    def test_json_carries_the_same_headers(self, api):
        both = [segment(api, accept=accept).headers for accept in ("*/*", "application/json")]
        names = ["x-uncertainty-score", *(f"x-foreground-{side}" for side in SIDES)]
        assert [both[0][name] for name in names] == [both[1][name] for name in names]

    @pytest.mark.parametrize("file_format", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
    def test_the_format_of_the_image_is_seen_and_not_believed(self, api, file_format):
        assert picture_of(segment(api, astronaut(image_format=file_format))).size == (160, 160)

    def test_an_answer_beyond_the_transport_is_a_redirect_to_it(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_INLINE_LIMIT_BYTES", "30000")
        container.cache_clear()
        answer = api.post(
            SEGMENT, files={"image_file": astronaut()}, headers={"x-api-key": LIVE_KEY}, allow_redirects=False
        )
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("https://")
        assert images_of() == 1


SIDES = ("top", "left", "width", "height")


class TestOptions:
    pytestmark = pytest.mark.covers("options")

    @pytest.mark.parametrize(
        ("value", "kind", "mode"),
        [("png", "PNG", "RGBA"), ("jpg", "JPEG", "RGB"), ("webp", "WEBP", "RGBA"), ("PNG", "PNG", "RGBA")],
    )
    def test_format(self, api, value, kind, mode):
        picture = picture_of(segment(api, format=value))
        assert (picture.format, picture.mode) == (kind, mode)
        if mode == "RGB":
            assert np.asarray(picture)[5, 5].min() > 250  # white is below where nothing else is

    def test_channels_rgba_is_the_default(self, api):
        assert segment(api, channels="rgba").content == segment(api).content

    def test_channels_alpha_is_the_mask_of_the_cutout(self, api):
        mask = picture_of(segment(api, channels="alpha"))
        assert (mask.format, mask.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(mask), pixels(segment(api).content)[..., 3])

    @pytest.mark.parametrize(("value", "kind"), [("jpg", "JPEG"), ("webp", "WEBP")])
    def test_channels_alpha_obeys_the_format(self, api, value, kind):
        mask = picture_of(segment(api, channels="alpha", format=value))
        assert mask.format == kind
        exact = pixels(segment(api, channels="alpha").content)
        assert np.abs(np.asarray(mask.convert("L")).astype(int) - exact).mean() < 3

    @pytest.mark.parametrize(
        ("value", "colour"),
        [("#FF00FF", (255, 0, 255)), ("ff00ff", (255, 0, 255)), ("tomato", (255, 99, 71)), ("Red", (255, 0, 0))],
    )
    def test_bg_color_is_behind_the_subject(self, api, value, colour):
        picture = picture_of(segment(api, bg_color=value))
        assert picture.mode == "RGB"
        assert tuple(np.asarray(picture)[5, 5]) == colour
        assert np.abs(np.asarray(picture).astype(int)[100, 80] - pixels(astronaut())[100, 80]).max() <= 2

    def test_crop_leaves_the_subject_alone(self, api):
        whole, cropped = (picture_of(segment(api, astronaut(), crop=crop)) for crop in ("false", "true"))
        assert whole.size == (160, 160)
        seen = np.argwhere(np.asarray(whole)[..., 3] > 10)
        (top, left), (bottom, right) = seen.min(axis=0), seen.max(axis=0) + 1
        assert np.array_equal(np.asarray(cropped), np.asarray(whole)[top:bottom, left:right])
        assert cropped.size != whole.size

    def test_despill_takes_the_screen_s_green_from_soft_edges_and_leaves_alpha(self, api):
        screen = green_screen()
        plain_, clean = (pixels(segment(api, screen, despill=despill).content) for despill in ("false", "true"))
        assert np.array_equal(plain_[..., 3], clean[..., 3])
        soft = (plain_[..., 3] > 20) & (plain_[..., 3] < 235)
        green = [float((made[..., 1] - made[..., [0, 2]].mean(axis=-1))[soft].mean()) for made in (plain_, clean)]
        assert soft.any()
        assert green[1] < green[0]

    @pytest.mark.parametrize(
        ("size", "megapixels", "side"), [("preview", 0.25, 600), ("medium", 1.5, 1_300), ("hd", 4.0, 2_100)]
    )
    def test_size_names_cap_the_megapixels(self, api, size, megapixels, side):
        made = picture_of(segment(api, large(side, side * 20 // 21), size=size, channels="alpha"))
        assert 0.98 * megapixels < made.width * made.height / 1e6 <= megapixels
        assert made.width / made.height == pytest.approx(2100 / 2000, rel=0.01)

    def test_full_is_the_default_and_ends_at_36_megapixels_where_the_service_allows_such_sides(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_OUTPUT_SIDE_PX", "8000")
        container.cache_clear()
        made = picture_of(segment(api, large(7900, 4700), channels="alpha"))
        assert 35.9 < made.width * made.height / 1e6 <= 36

    def test_size_never_enlarges(self, api):
        assert picture_of(segment(api, size="hd")).size == (160, 160)

    def test_empty_values_are_absent_and_unknown_fields_are_left_alone(self, api):
        empty = {"format": "", "channels": "", "bg_color": "", "size": "", "crop": "", "despill": ""}
        assert segment(api, **empty, roi="nonsense", shadow="drop").content == segment(api).content


def green_screen() -> bytes:
    """The astronaut, softly, before green."""
    photo = opened(astronaut(320))
    inside = Image.new("L", photo.size, 0)
    inside.paste(255, (90, 60, 230, 320))
    soft = inside.resize((40, 40), Image.Resampling.BOX).resize(photo.size, Image.Resampling.BICUBIC)
    return encoded(Image.composite(photo, Image.new("RGB", photo.size, (20, 200, 40)), soft), "PNG")


def large(width: int, height: int) -> bytes:
    """A large photo in few bytes."""
    data = io.BytesIO()
    opened(astronaut()).resize((width, height)).save(data, "JPEG", quality=30)
    return data.getvalue()
