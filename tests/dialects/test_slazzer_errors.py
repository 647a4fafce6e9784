"""Slazzer: keys, limits, and every refusal in its words; none of them is charged."""

import base64
from dataclasses import replace

import pytest

from cutout.api.dialects.slazzer import DIALECT
from cutout.api.request import Headers, Request
from cutout.container import container
from cutout.errors import CutoutError, ServiceUnavailableError
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.pictures import astronaut, plain
from tests.dialects.shapes import problem_of_slazzer
from tests.support.builders import multipart
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

V2, ELDER = "/v2.0/remove_image_background", "/api/v1/remove_image_background"
ROUTES = pytest.mark.parametrize("route", [V2, ELDER])
FILE = {"source_image_file": ("photo.jpg", astronaut(), "image/jpeg")}
TEXT = base64.b64encode(astronaut()).decode()


def refused(response, status: int, text: str = "") -> str:
    """The text of a refusal of that status; text: what it must be."""
    problem_of_slazzer(response)
    error = response.json()["error"]
    assert response.status_code == status, error
    assert text in ("", error)
    return error


def send(api, route=V2, files=FILE, key: str | None = LIVE_KEY, **fields):
    return api.post(URL + route, files=files, data=fields, headers={"API-KEY": key} if key else {})


class TestKeys:
    pytestmark = pytest.mark.covers("auth")

    @pytest.mark.parametrize("name", ["API-KEY", "api-key", "Api-Key"])
    def test_the_header_is_read_in_any_spelling(self, api, name):
        assert api.post(URL + V2, files=FILE, headers={name: LIVE_KEY}).status_code == 200

    @ROUTES
    @pytest.mark.parametrize("headers", [{}, {"API-KEY": ""}, {"API-KEY": "wrong"}, {"x-api-key": LIVE_KEY}])
    def test_a_key_that_is_missing_or_wrong_is_a_401(self, api, route, headers):
        refused(api.post(URL + route, files=FILE, headers=headers), 401, "invalid api key")

    @ROUTES
    def test_no_credits_are_a_402(self, api, route):
        account, key = customer("free", used=50)
        refused(send(api, route, key=key), 402, "No credits remaining")
        assert images_of(account) == 50

    @ROUTES
    def test_too_many_requests_are_a_429(self, api, route):
        _, key = customer(rate=1)
        with second_stands_still():
            send(api, route, key=key, format="gif")
            answer = send(api, route, key=key)
        refused(answer, 429, "Api rate limit crossed")
        assert answer.headers["retry-after"] == "1"

    def test_a_suspended_account_is_told_so(self, api):
        _, key = customer(status="suspended")
        refused(send(api, key=key), 403)


class TestErrors:
    pytestmark = pytest.mark.covers("errors")

    @ROUTES
    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            (None, b""),
            ("image/jpeg", astronaut()),
            ("application/json", b"{}"),
            ("application/json", b'{"source_image_url": ""}'),
            ("application/x-www-form-urlencoded", b"format=png"),
            ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ],
    )
    def test_no_image_at_all(self, api, route, kind, body):
        headers = {"API-KEY": LIVE_KEY} | ({"content-type": kind} if kind else {})
        refused(api.post(URL + route, data=body, headers=headers), 400, "Source image file not found")

    @pytest.mark.parametrize(
        "fields",
        [
            {"source_image_base64": TEXT},
            {"source_image_url": "https://example.com/a.png"},
            {"bg_image_base64": TEXT, "bg_image_url": "https://example.com/a.png"},
        ],
    )
    def test_more_than_one_image_of_a_kind(self, api, fields):
        refused(send(api, **fields), 400, "Only one source image and one background image can be used")

    @ROUTES
    @pytest.mark.parametrize("name", ["format", "output_image_format"])
    @pytest.mark.parametrize("value", ["gif", "webp", "x" * 100_000])
    def test_a_format_that_there_is_not(self, api, route, name, value):
        refused(send(api, route, **{name: value}), 400, "Wrong output format")

    @pytest.mark.parametrize("value", ["72E4B3", "#72E4B3#", "red", "#zzzzzz"])
    def test_a_colour_s_error_has_the_vendor_s_words(self, api, value):
        refused(send(api, bg_color_code=value), 400, "Invalid background color code format")

    @pytest.mark.parametrize(
        "fields",
        [
            {"channel": "red"}, {"crop": "maybe"}, {"preview": "2"}, {"car_shadow": "x"}, {"scale": "9%"},
            {"scale": "101%"}, {"scale": "50px"}, {"scale": "50%", "position": "0%,0%,0%"},
            {"scale": "50%", "position": "101%"}, {"crop": "true", "crop_margin": "501px"},
            {"crop": "true", "crop_margin": "51%"}, {"crop": "true", "crop_margin": "1px,2px,3px"},
            {"roi": "1px,2px"}, {"roi": "0%,0%,0%,101%"},
        ],
    )  # fmt: skip
    def test_a_value_that_no_option_has_is_told_by_the_vendor_s_name(self, api, fields):
        assert list(fields)[-1] in refused(send(api, **fields), 400)

    def test_a_region_outside_the_picture(self, api):
        refused(send(api, roi="500px 500px 600px 600px"), 400)

    @pytest.mark.parametrize("data", [b"not an image", b"%PDF-1.7", astronaut()[:900]])
    def test_what_is_no_image(self, api, data):
        refused(send(api, files={"source_image_file": data}), 400)

    def test_what_is_no_background_image(self, api):
        refused(send(api, files={**FILE, "bg_image_file": b"not an image"}), 400)

    @pytest.mark.parametrize("text", ["not base64!", "data:image/png;base64,====x", "\N{SNOWMAN}"])
    def test_what_is_no_base64(self, api, text):
        refused(api.post(URL + V2, data={"source_image_base64": text}, headers={"API-KEY": LIVE_KEY}), 400)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.png", "ftp://example.com/a", "http://169.254.169.254/", "x"])
    def test_a_url_that_may_not_be_fetched(self, api, url):
        refused(api.post(URL + ELDER, json={"source_image_url": url}, headers={"API-KEY": LIVE_KEY}), 400)

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"source_image_url": {}}', b"\xff", b'{"crop": NaN, "a": [1]}'])
    def test_json_that_is_none(self, api, body):
        headers = {"API-KEY": LIVE_KEY, "content-type": "application/json"}
        refused(api.post(URL + ELDER, data=body, headers=headers), 400)

    def test_a_form_that_cannot_be_read(self, api):
        body, _ = multipart(files=FILE)
        headers = {"API-KEY": LIVE_KEY, "content-type": "multipart/form-data"}
        refused(api.post(URL + V2, data=body, headers=headers), 400)

    @ROUTES
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_other_methods_are_a_405(self, api, route, method):
        answer = api.request(method, URL + route, headers={"API-KEY": LIVE_KEY})
        refused(answer, 405)
        assert "POST" in answer.headers["allow"]

    @pytest.mark.parametrize(
        ("error", "status"), [(CutoutError("Ours."), 500), (ServiceUnavailableError("Later."), 503)]
    )
    def test_our_own_faults_have_the_shape_too_and_no_details(self, error, status):
        error.details["secret"] = "path"
        answer = DIALECT.problem(error, Request("POST", V2, V2, Headers()))
        assert answer.status == status
        assert b"path" not in answer.body

    def test_nothing_of_this_is_charged(self, api):
        for fields in ({"format": "gif"}, {"source_image_base64": TEXT}):
            send(api, **fields)
        send(api, ELDER, files={"source_image_file": b"not an image"})
        assert images_of() == 0

    def test_a_result_that_cannot_be_kept_is_not_charged(self, api, monkeypatch):
        results = container().results
        monkeypatch.setattr(results, "_bucket", replace(results._bucket, name="no-such-bucket"))
        answer = send(api, ELDER)
        assert answer.status_code == 503
        assert answer.json()["status"] is False
        assert images_of() == 0


class TestLimits:
    pytestmark = pytest.mark.covers("limits")

    @ROUTES
    def test_too_many_bytes(self, api, route):
        files = {"source_image_file": b"\xff\xd8\xff" + b"\0" * (30 * 2**20)}
        refused(send(api, route, files=files), 400, "Source image file can not be greater than 30mb")

    def test_too_many_bytes_as_base64(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", str(2**20))
        container.cache_clear()
        fields = {"source_image_base64": base64.b64encode(b"\xff\xd8\xff" + b"\0" * 2**20).decode()}
        answer = api.post(URL + V2, data=fields, headers={"API-KEY": LIVE_KEY})
        refused(answer, 400, "Source image file can not be greater than 1mb")

    def test_a_background_that_is_too_large_is_not_called_the_source(self, api):
        files = {**FILE, "bg_image_file": b"\xff\xd8\xff" + b"\0" * (30 * 2**20)}
        assert "Source" not in refused(send(api, files=files), 400)

    def test_too_many_pixels(self, api):
        refused(send(api, files={"source_image_file": plain(10_001, 5_000)}), 400)

    def test_a_side_that_is_too_long(self, api):
        refused(send(api, files={"source_image_file": plain(65_536, 1)}), 400)
