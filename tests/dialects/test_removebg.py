"""remove.bg: what comes out and what is told of it; the account, and donated images."""

import base64
import io
import zipfile
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.api.body.fields import Fields
from cutout.api.dialects.base import AccountStatus, Outcome
from cutout.api.dialects.removebg import DIALECT
from cutout.api.dialects.removebg.options import parse_removal
from cutout.api.request import Request
from cutout.container import container
from cutout.imaging.spec import Box, CutoutResult
from cutout.usage import RateState
from tests.dialects.callers import customer, images_of
from tests.dialects.pictures import astronaut, cat, opened, pixels, plain
from tests.dialects.removebg_client import ACCOUNT, IMPROVE, PHOTO, REMOVE, SIDE, ask, key_header, made
from tests.dialects.shapes import success_of_removebg
from tests.support.builders import multipart

TEXT = base64.b64encode(astronaut()).decode()
CLI_FIELDS = [
    "size",
    "type",
    "type_level",
    "format",
    "roi",
    "crop",
    "crop_margin",
    "scale",
    "position",
    "channels",
    "add_shadow",
    "semitransparency",
    "bg_color",
]
"""What the vendor's command line sends each time, most of it empty."""


class TestHappyPath:
    pytestmark = pytest.mark.covers("happy")

    def test_a_photo_comes_back_as_a_png_with_its_subject_alone(self, api):
        answer = ask(api)
        success_of_removebg(answer)
        picture = opened(answer.content)
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (SIDE, SIDE))
        result = np.asarray(picture).astype(int)
        assert (result[5, 5] == 0).all()
        assert result[100, 80, 3] == 255
        assert np.abs(result[100, 80, :3] - PHOTO[100, 80]).max() <= 2

    @pytest.mark.parametrize("kind", ["urlencoded", "json", "multipart"])
    @pytest.mark.parametrize("source", ["image_file_b64", "image_url"])
    def test_text_sources_come_in_every_kind_of_body(self, api, file_server, monkeypatch, kind, source):
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        container.cache_clear()
        (file_server.folder / "astronaut.jpg").write_bytes(astronaut())
        fields = {source: TEXT if source == "image_file_b64" else f"{file_server.url}/astronaut.jpg", "size": "auto"}
        body = {"json": {"json": fields}, "urlencoded": {"data": fields}}.get(
            kind, {"files": {name: (None, value) for name, value in fields.items()}}
        )
        answer = api.post(REMOVE, headers=key_header(), **body)
        success_of_removebg(answer)
        assert np.array_equal(pixels(answer.content), made(api))

    def test_json_knows_booleans_and_numbers(self, api):
        answer = api.post(
            REMOVE, headers=key_header(), json={"image_file_b64": TEXT, "crop": True, "type_level": 2, "scale": None}
        )
        success_of_removebg(answer)
        assert opened(answer.content).height < SIDE

    def test_it_is_charged_once_and_says_so(self, api):
        assert ask(api, size="full").headers["x-credits-charged"] == "1"
        assert images_of() == 1

    @pytest.mark.parametrize("size", ["preview", "small", "regular"])
    def test_a_preview_is_told_as_a_quarter_credit_and_counted_as_an_image(self, api, size):
        assert ask(api, size=size).headers["x-credits-charged"] == "0.25"
        assert images_of() == 1

    def test_a_key_that_is_never_charged_is_told_so(self, api):
        account, key = customer(mode=KeyMode.SYNTHETIC)
        assert ask(api, key=key, size="full").headers["x-credits-charged"] == "0"
        assert images_of(account) == 0

    def test_an_answer_above_the_transport_s_limit_stands_elsewhere_with_its_headers(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_INLINE_LIMIT_BYTES", "9000")
        container.cache_clear()
        container.cache_clear()
        answer = api.post(REMOVE, files={"image_file": astronaut()}, headers=key_header(), allow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("https://")
        assert answer.headers["x-width"] == str(SIDE)


class TestHeaders:
    pytestmark = pytest.mark.covers("happy")

    def test_size_box_rate_and_best_size_are_told(self, api):
        answer = ask(api, image=cat(1200, 800, "JPEG"))
        picture = opened(answer.content)
        left, top, right, bottom = picture.getchannel("A").point(lambda a: 255 if a > 64 else 0).getbbox()
        told = {name.removeprefix("x-"): value for name, value in answer.headers.items() if name.startswith("x-")}
        assert (told["width"], told["height"]) == (str(picture.width), str(picture.height)) == ("612", "408")
        assert (told["max-width"], told["max-height"]) == ("1200", "800")
        box = {"left": left, "top": top, "width": right - left, "height": bottom - top}
        assert {name: int(told[f"foreground-{name}"]) for name in box} == box
        assert int(told["ratelimit-remaining"]) < int(told["ratelimit-limit"]) == 1_000
        assert int(told["ratelimit-reset"]) > 1_700_000_000
        assert answer.headers["access-control-allow-origin"] == "*"

    def test_the_box_of_an_input_above_25_megapixels_counts_in_its_own_pixels_unless_it_is_cropped(self):
        box = Box(10, 20, 100, 200)
        result = CutoutResult("image/png", 500, 500, 5_500, 5_500, "m", {}, box, file=b"")
        assert told_of(result) == [20 * 11, 10 * 11, 100 * 11, 200 * 11]
        assert told_of(result, crop="true") == [20, 10, 100, 200]
        assert told_of(replace(result, source_width=5_000, source_height=5_000)) == [20, 10, 100, 200]

    @pytest.mark.parametrize(
        ("fields", "best"),
        [
            ({"format": "png"}, "3873x2581"),
            ({"format": "auto"}, "3873x2581"),
            ({"format": "jpg"}, "6000x4000"),
            ({"format": "auto", "bg_color": "fff"}, "6000x4000"),
            ({"size": "50MP", "format": "zip"}, "6000x4000"),
        ],
    )
    def test_the_best_size_is_that_of_the_format(self, fields, best):
        result = CutoutResult("image/png", 612, 408, 8_000, 5_333, "m", {}, Box(0, 0, 1, 1), file=b"")
        headers = answer_of(result, **fields).headers
        assert f"{headers['x-max-width']}x{headers['x-max-height']}" == best


def answer_of(result, **fields):
    removal = parse_removal(Fields({"image_file": b"x", **fields}.items()))
    account = Account.on_plan("a", "a@example.com", PLANS["metered"])
    status = AccountStatus(account, KeyMode.LIVE, RateState(1, 0, 1), 5)
    outcome = Outcome(removal, result, status, charged=True, publish=lambda: "")
    return DIALECT.answer(Request("POST", "", ""), outcome)


def told_of(result, **fields) -> list[int]:
    headers = answer_of(result, **fields).headers
    return [int(headers[f"x-foreground-{name}"]) for name in ("top", "left", "width", "height")]


class TestJson:
    pytestmark = pytest.mark.covers("happy")

    @pytest.mark.parametrize("fields", [{}, {"format": "jpg"}, {"format": "zip"}])
    def test_who_accepts_json_alone_gets_base64_with_the_box_and_the_same_headers(self, api, fields):
        answer = ask(api, accept="application/json", **fields)
        success_of_removebg(answer)
        assert answer.headers["content-type"] == "application/json"
        plain_answer = ask(api, **fields)
        assert base64.b64decode(answer.json()["data"]["result_b64"]) == plain_answer.content
        for name in ("x-type", "x-width", "x-credits-charged", "x-foreground-top"):
            assert answer.headers[name] == plain_answer.headers[name]

    @pytest.mark.parametrize("accept", ["", "*/*", "image/*", "application/json, text/plain, */*", "text/html"])
    def test_everyone_else_gets_bytes(self, api, accept):
        assert ask(api, accept=accept).headers["content-type"] == "image/png"


class TestAccount:
    pytestmark = pytest.mark.covers("happy")

    def test_it_has_exactly_the_names_that_clients_unpack_and_costs_nothing(self, api):
        account, key = customer("free", used=3)
        answer = api.get(ACCOUNT, headers=key_header(key))
        success_of_removebg(answer)
        assert answer.json() == {
            "data": {
                "attributes": {
                    "credits": {"total": 47, "subscription": 47, "payg": 0, "enterprise": 0},
                    "api": {"free_calls": 0, "sizes": "all"},
                }
            }
        }
        assert images_of(account) == 3

    def test_an_account_without_a_quota_has_plenty(self, api):
        assert api.get(ACCOUNT, headers=key_header()).json()["data"]["attributes"]["credits"]["total"] == 1_000_000


class TestImprove:
    pytestmark = pytest.mark.covers("happy")

    @pytest.mark.parametrize(
        "body",
        [
            {"files": {"image_file": astronaut()}, "data": {"tag": "t", "image_filename": "a.jpg"}},
            {"json": {"image_file_b64": TEXT}},
            {"data": {"image_url": "https://example.com/never-fetched.jpg"}},
        ],
    )
    def test_a_donated_image_is_received_and_not_kept(self, api, body):
        answer = api.post(IMPROVE, headers=key_header(), **body)
        success_of_removebg(answer)
        assert str(UUID(answer.json()["id"])) == answer.json()["id"]
        assert answer.headers["x-image-kept"] == "no"
        assert images_of() == 0


class TestAsClientsSend:
    """What the vendor's command line and its Ruby client put on the wire."""

    pytestmark = pytest.mark.covers("happy")

    def command_line(self, api, **fields):
        values = {**dict.fromkeys(CLI_FIELDS, ""), "size": "auto", "type": "auto", "channels": "rgba", **fields}
        files = {"image_file": ("cat.jpg", astronaut(), "image/jpeg"), "bg_image_file": ("", b"", "image/png")}
        body, kind = multipart(values, files)
        headers = {**key_header(), "Content-Type": kind, "User-Agent": "remove-bg-cli"}
        return api.post(REMOVE, data=body, headers=headers)

    def test_the_command_line_gets_a_zip_that_is_the_png_again(self, api):
        answer = self.command_line(api, format="zip")
        success_of_removebg(answer)
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        rgba = np.dstack([pixels(archive.read("color.jpg")), pixels(archive.read("alpha.png"))])
        direct = pixels(self.command_line(api, format="png").content)
        assert np.array_equal(rgba[..., 3], direct[..., 3])
        solid = direct[..., 3] == 255
        assert np.abs(rgba[solid] - direct[solid]).mean() < 3

    def test_the_ruby_client_sends_a_url_as_a_plain_form(self, api, file_server, monkeypatch):
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        container.cache_clear()
        (file_server.folder / "astronaut.jpg").write_bytes(astronaut())
        fields = {"size": "auto", "format": "zip", "image_url": f"{file_server.url}/astronaut.jpg"}
        answer = api.post(REMOVE, data=fields, headers={**key_header(), "User-Agent": "remove-bg-ruby-2.0.2"})
        success_of_removebg(answer)
        assert "application/zip" in answer.headers["Content-Type"]
        assert float(answer.headers["X-Credits-Charged"]) == 1
        assert (answer.headers["X-Type"], int(answer.headers["X-Width"])) == ("other", SIDE)

    def test_the_newer_python_client_sends_all_of_its_defaults(self, api):
        fields = {
            "size": "regular", "type": "auto", "type_level": "none", "format": "auto", "roi": "0 0 100% 100%",
            "scale": "original", "position": "original", "channels": "rgba", "shadow": "False",
            "semitransparency": "True", "bg_color": "",
        }  # fmt: skip
        answer = ask(api, **fields)
        success_of_removebg(answer)
        assert "x-type" not in answer.headers
        assert np.array_equal(pixels(answer.content), made(api))
        cropped = ask(api, **fields, crop="true", crop_margin="5px")
        assert int(cropped.headers["x-foreground-top"]) >= 5

    def test_an_account_that_is_out_of_images_is_told_so_in_the_title_that_clients_show(self, api):
        _, key = customer("free", used=50)
        answer = ask(api, key=key, image=plain(20, 20))
        assert (answer.status_code, answer.json()["errors"][0]["title"]) == (402, "Insufficient credits")
