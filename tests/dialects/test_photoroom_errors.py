"""Photoroom ``/v1/segment``: keys, limits, and every refusal in its shape; none of them is charged."""

import pytest

from cutout.api.dialects.photoroom import DIALECT
from cutout.api.request import Headers, Request
from cutout.container import container
from cutout.errors import CutoutError, DeadlineError, ProcessingFailedError, ServiceUnavailableError
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.pictures import astronaut, encoded, opened, plain
from tests.dialects.shapes import problem_of_photoroom
from tests.support.builders import multipart
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

SEGMENT = f"{URL}/v1/segment"
FILE = {"image_file": ("photo.jpg", astronaut(), "image/jpeg")}


def refused(response, status: int, kind: str) -> str:
    """The detail of a refusal of that status and type."""
    problem_of_photoroom(response)
    body = response.json()
    assert (response.status_code, body["type"]) == (status, kind), body
    return body["detail"]


def send(api, files=FILE, key: str | None = LIVE_KEY, **fields):
    return api.post(SEGMENT, files=files, data=fields, headers={"x-api-key": key} if key else {})


class TestKeys:
    pytestmark = pytest.mark.covers("auth")

    @pytest.mark.parametrize("name", ["x-api-key", "X-API-Key", "X-Api-Key", "X-API-KEY"])
    def test_the_header_is_read_in_any_spelling(self, api, name):
        assert api.post(SEGMENT, files=FILE, headers={name: f"{LIVE_KEY} "}).status_code == 200

    @pytest.mark.parametrize("key", ["ct_live_nobody", "nobody's", "\N{NO-BREAK SPACE}".encode().decode("latin-1")])
    def test_a_key_that_is_not_known_is_a_403(self, api, key):
        assert refused(send(api, key=key), 403, "unauthorized") == "The API key is not valid."

    @pytest.mark.parametrize(
        "headers", [{}, {"x-api-key": ""}, {"Authorization": f"Bearer {LIVE_KEY}"}, {"apikey": LIVE_KEY}]
    )
    def test_a_key_elsewhere_is_no_key(self, api, headers):
        assert "x-api-key" in refused(api.post(SEGMENT, files=FILE, headers=headers), 403, "unauthorized")

    def test_a_sandbox_key_is_told_that_there_is_none(self, api):
        assert "no sandbox" in refused(send(api, key=f"sandbox_{LIVE_KEY}"), 403, "unauthorized")
        assert images_of() == 0

    def test_a_suspended_account_is_forbidden(self, api):
        _, key = customer(status="suspended")
        refused(send(api, key=key), 403, "forbidden")

    def test_an_account_without_images_left_is_a_402(self, api):
        account, key = customer("free", used=50)
        refused(send(api, key=key), 402, "payment_required")
        assert images_of(account) == 50

    def test_too_many_requests_are_a_429_that_says_when_to_come_back(self, api):
        _, key = customer(rate=1)
        with second_stands_still():
            send(api, key=key, format="gif")
            answer = send(api, key=key)
        refused(answer, 429, "rate_limit_exceeded")
        assert answer.headers["retry-after"] == "1"


class TestErrors:
    pytestmark = pytest.mark.covers("errors")

    def test_the_documented_example(self, api):
        answer = send(api, files={"other": b"x"})
        refused(answer, 400, "missing_image")
        assert answer.json() == {"detail": "Please provide an image.", "status_code": 400, "type": "missing_image"}

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            (None, b""),
            ("image/jpeg", astronaut()),
            ("application/json", b'{"image_url": "https://example.com/a.png"}'),
            ("application/x-www-form-urlencoded", b"image_file=abc"),
            ("multipart/form-data; boundary=x", b"--x--\r\n"),
            (
                "multipart/form-data; boundary=x",
                b'--x\r\nContent-Disposition: form-data; name="image_file"\r\n\r\n\r\n--x--',
            ),
        ],
    )
    def test_what_is_no_form_with_an_image_has_no_image(self, api, kind, body):
        headers = {"x-api-key": LIVE_KEY} | ({"content-type": kind} if kind else {})
        refused(api.post(SEGMENT, data=body, headers=headers), 400, "missing_image")

    @pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=other"])
    def test_a_form_that_cannot_be_read_is_a_400(self, api, kind):
        body, _ = multipart(files=FILE)
        headers = {"x-api-key": LIVE_KEY, "content-type": kind}
        refused(api.post(SEGMENT, data=body, headers=headers), 400, "invalid_parameter")

    @pytest.mark.parametrize(
        "data", [b"not an image", b"%PDF-1.7", astronaut()[:900], b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
    )
    def test_what_is_no_image_is_invalid(self, api, data):
        assert refused(send(api, files={"image_file": data}), 400, "invalid_image")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("format", "gif"), ("format", "zip"), ("format", "png8"), ("channels", "rgb"), ("channels", "1"),
            ("size", "auto"), ("size", "4k"), ("bg_color", "#12345"), ("bg_color", "no colour"), ("crop", "maybe"),
            ("despill", "2"), ("size", "x" * 100_000), ("bg_color", "\N{BLACK HEART SUIT}"),
        ],
    )  # fmt: skip
    def test_a_value_that_no_option_has_is_named(self, api, name, value):
        assert name in refused(send(api, **{name: value}), 400, "invalid_parameter")

    def test_one_option_with_two_values_is_refused(self, api):
        answer = api.post(SEGMENT, files=FILE, data={"format": ["png", "jpg"]}, headers={"x-api-key": LIVE_KEY})
        refused(answer, 400, "invalid_parameter")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_other_methods_are_a_405(self, api, method):
        answer = api.request(method, SEGMENT, headers={"x-api-key": LIVE_KEY})
        refused(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["allow"]

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (CutoutError("Something went wrong."), 500),
            (ServiceUnavailableError("Later."), 503),
            (DeadlineError("Late."), 504),
        ],
    )
    def test_our_own_faults_have_the_shape_too_and_no_details(self, error, status):
        error.details["secret"] = "path"
        answer = DIALECT.problem(error, Request("POST", "/v1/segment", "/v1/segment", Headers()))
        assert answer.status == status
        assert b"internal_error" in answer.body
        assert b"path" not in answer.body

    def test_an_error_that_the_table_does_not_know_keeps_our_status_and_code(self):
        answer = DIALECT.problem(ProcessingFailedError("No."), Request("POST", "/v1/segment", "/v1/segment", Headers()))
        assert (answer.status, b"processing_failed" in answer.body) == (422, True)

    def test_nothing_of_this_is_charged(self, api):
        send(api, files={"image_file": b"not an image"})
        send(api, size="huge")
        send(api, files={"other": b"x"})
        assert images_of() == 0


class TestLimits:
    pytestmark = pytest.mark.covers("limits")

    def test_too_many_bytes(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "2000")
        container.cache_clear()
        assert len(astronaut()) > 2000
        refused(send(api), 400, "image_too_large")

    def test_more_than_thirty_megabytes_are_refused_unread(self, api):
        refused(send(api, files={"image_file": b"\xff\xd8\xff" + b"\0" * (30 * 2**20)}), 400, "image_too_large")

    def test_too_many_pixels(self, api):
        refused(send(api, files={"image_file": plain(10_001, 5_000)}), 400, "image_too_large")

    def test_a_side_that_is_too_long(self, api):
        refused(send(api, files={"image_file": plain(65_536, 1)}), 400, "image_too_large")

    def test_one_pixel_is_an_image(self, api):
        answer = send(api, files={"image_file": encoded(opened(plain(1, 1)), "PNG")})
        assert opened(answer.content).size == (1, 1)
