"""Picsart's refusals: status, shape and words; none of them costs anything."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cutout.container import container
from cutout.errors import ServiceUnavailableError
from tests.dialects import shapes
from tests.dialects.callers import LOCAL, customer, images_of, second_stands_still
from tests.dialects.picsart_client import KEY, REMOVE, ask
from tests.dialects.pictures import astronaut, plain
from tests.dialects.test_picsart import DATA_URI
from tests.support import decompression_bombs as bombs
from tests.support.builders import multipart
from tests.support.in_process_api import URL

pytestmark = pytest.mark.covers("errors")


class _Saying(BaseHTTPRequestHandler):
    """Answers by the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The authority of a server whose URLs say by which status they are answered."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Saying) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        authority = f"127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("CUTOUT_URL_ALLOW", authority)
        yield authority
        server.shutdown()
        thread.join()


def refused(response, status: int, *words: str) -> None:
    """It is that refusal, whose detail names the words."""
    shapes.problem_of_picsart(response)
    assert response.status_code == status, response.text
    assert all(word in response.json()["detail"] for word in words), response.json()["detail"]
    assert images_of(LOCAL) == 0


# ---------------------------------------------------------------- 400, 415, 406, 405, 404


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'{"image_url": {"a": 1}}'),
        ("application/x-www-form-urlencoded", b"image_url=%ff"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(api, media_type, body):
    refused(api.post(REMOVE, data=body, headers={**KEY, "Content-Type": media_type}), 400)


@pytest.mark.parametrize(
    "body", [{"json": {}}, {"data": {"bg_color": "red"}}, {"files": {"image": ("image", b"")}}, {}]
)
def test_without_an_image_the_fields_are_named_that_may_bring_one(api, body):
    refused(api.post(REMOVE, headers=KEY, **body), 400, "image", "image_url", "image_id")


def test_an_id_that_none_can_be_is_a_bad_request(api):
    refused(api.post(REMOVE, headers=KEY, json={"image_id": "../x"}), 400)


@pytest.mark.parametrize("media_type", ["text/plain", "image/jpeg", "application/octet-stream", "application/xml"])
def test_a_body_that_is_no_form_and_no_json_is_of_an_unsupported_type(api, media_type):
    refused(api.post(REMOVE, data=astronaut(), headers={**KEY, "Content-Type": media_type}), 415, "multipart/form-data")


@pytest.mark.parametrize("accept", ["image/png", "text/html;q=1, application/json;q=0"])
def test_who_accepts_no_json_cannot_be_answered(api, accept):
    refused(ask(api, headers={"Accept": accept}), 406, "application/json")


@pytest.mark.parametrize("route", ["removebg", "balance", f"image/job_{'0' * 32}"])
def test_another_method_is_not_allowed_and_told_which_is(api, route):
    response = api.delete(f"{URL}/tools/1.0/{route}", headers=KEY)
    refused(response, 405)
    assert ("POST" if route == "removebg" else "GET") in response.headers["allow"]


# ---------------------------------------------------------------- 422: what is wrong with values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output_type", "sticker"),
        ("format", "GIF"),
        ("format", "bmp"),
        ("bg_color", "#12345"),
        ("bg_color", "no colour"),
        ("bg_blur", "-1"),
        ("bg_blur", "101"),
        ("bg_blur", "1.5"),
        ("bg_blur", "much"),
        ("bg_width", "0"),
        ("bg_width", "6001"),
        ("bg_height", "-5"),
        ("bg_height", "12px"),
        ("scale", "cover"),
        ("auto_center", "maybe"),
        ("stroke_size", "101"),
        ("stroke_size", "-1"),
        ("stroke_color", "#gg0000"),
        ("stroke_opacity", "101"),
        ("shadow", "below"),
        ("shadow_opacity", "101"),
        ("shadow_opacity", "20%"),
        ("shadow_blur", "-1"),
        ("shadow_offset_x", "101"),
        ("shadow_offset_y", "-101"),
    ],
)
def test_a_value_out_of_its_range_is_named(api, name, value):
    refused(api.post(REMOVE, headers=KEY, json={"image_url": DATA_URI, name: value}), 422, name)


@pytest.mark.parametrize("missing", ["shadow_offset_x", "shadow_offset_y"])
def test_a_custom_shadow_needs_both_offsets(api, missing):
    offsets = {"shadow_offset_x": "1", "shadow_offset_y": "1", missing: ""}
    refused(ask(api, shadow="custom", **offsets), 422, missing, "custom")


@pytest.mark.parametrize("name", ["image", "bg_image"])
def test_of_the_ways_to_give_an_image_only_one_may_be_taken(api, name):
    twice = {f"{name}_url": DATA_URI, f"{name}_id": f"upl_{'0' * 32}"}
    refused(api.post(REMOVE, headers=KEY, json={"image_url": DATA_URI} | twice), 422, f"{name}_url", f"{name}_id")


def test_a_file_and_the_same_image_by_url_are_two(api):
    refused(ask(api, image_url=DATA_URI), 422, "image", "image_url")


@pytest.mark.parametrize("name", ["image_url", "bg_image_url"])
@pytest.mark.parametrize("uri", ["data:image/png;base64,!!!!", "data:image/png,%89PNG"])
def test_a_data_uri_that_is_no_base64_is_refused(api, name, uri):
    refused(api.post(REMOVE, headers=KEY, json={"image_url": DATA_URI} | {name: uri}), 422)


@pytest.mark.parametrize("as_background", [False, True])
@pytest.mark.parametrize("data", [b"no image at all", astronaut()[:200], b"%PDF-1.4 and so on"])
def test_bytes_that_are_no_image_are_refused(api, data, as_background):
    refused(ask(api, background=data) if as_background else ask(api, data), 422)


def test_an_upload_that_is_not_there_is_refused_although_the_route_is(api):
    refused(api.post(REMOVE, headers=KEY, json={"image_id": f"upl_{'0' * 32}"}), 422)


# ---------------------------------------------------------------- URLs


@pytest.mark.parametrize("name", ["image_url", "bg_image_url"])
@pytest.mark.parametrize(("said", "status"), [(404, 422), (429, 422), (500, 400), (403, 400)])
def test_what_the_server_of_a_url_says_decides_the_status(api, name, said, status, upstream):
    options = {"image_url": DATA_URI} | {name: f"http://{upstream}/{said}"}
    refused(api.post(REMOVE, headers=KEY, json=options), status, str(said))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.png", "http://10.0.0.1/x.png", "ftp://example.test/x", "words"])
def test_a_url_that_leads_to_no_public_server_is_a_bad_request(api, url):
    refused(api.post(REMOVE, headers=KEY, json={"image_url": url}), 400)


@pytest.mark.covers("limits")
@pytest.mark.parametrize("name", ["image_url", "bg_image_url"])
def test_a_url_has_2083_characters_at_most_and_a_data_uri_any_number(api, name):
    url = "http://10.0.0.1/".ljust(2083, "x")
    fields = {"image_url": DATA_URI}
    assert len(DATA_URI) > 2083
    refused(api.post(REMOVE, headers=KEY, json=fields | {name: url}), 400)
    refused(api.post(REMOVE, headers=KEY, json=fields | {name: f"{url}x"}), 422, name, "2083")


# ---------------------------------------------------------------- 413


@pytest.mark.covers("limits")
@pytest.mark.parametrize("as_background", [False, True])
def test_too_many_bytes_are_too_large(api, as_background, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "3000")
    image, other = plain(8, 8), astronaut()
    refused(ask(api, image, background=other) if as_background else ask(api, other), 413)


@pytest.mark.covers("limits")
@pytest.mark.parametrize("as_background", [False, True])
def test_too_many_pixels_are_too_large(api, as_background):
    bomb = bombs.png(65_536, 1, b"")
    refused(ask(api, background=bomb) if as_background else ask(api, bomb), 413)


# ---------------------------------------------------------------- 402, 403, 429, 5xx


def test_an_account_without_images_left_has_to_pay_and_is_told_so(api):
    account, key = customer("free", used=50)
    response = ask(api, headers={"X-Picsart-API-Key": key})
    refused(response, 402)
    assert response.json()["message"] == "Payment Required"
    assert response.headers["x-picsart-credit-available"] == "0"
    assert images_of(account) == 50


def test_a_suspended_account_is_forbidden(api):
    _, key = customer(status="suspended")
    refused(ask(api, headers={"X-Picsart-API-Key": key}), 403)


@pytest.mark.covers("limits")
def test_beyond_the_rate_the_answer_says_when_to_come_again(api):
    _, key = customer(rate=1)
    headers = {"X-Picsart-API-Key": key}
    with second_stands_still():
        assert api.get(f"{URL}/tools/1.0/balance", headers=headers).status_code == 200
        response = ask(api, headers=headers)
    refused(response, 429)
    assert response.json()["message"] == "Too Many Requests"
    assert response.headers["retry-after"] == "1"
    assert response.headers["x-picsart-ratelimit-limit"] == "1"
    assert response.headers["x-picsart-ratelimit-available"] == "0"
    assert int(response.headers["x-picsart-ratelimit-reset-time"]) >= 1


def test_what_breaks_on_our_side_tells_nothing_of_it_and_costs_nothing(api, monkeypatch):
    def broken(*_args: object) -> None:
        raise RuntimeError("secret of the machine room")

    monkeypatch.setattr(container().results, "publish", broken)
    response = ask(api)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert {"code", "message", "detail"} == response.json().keys()
    assert images_of() == 0


def test_storage_that_is_away_is_a_503_with_a_time_to_come_again(api, monkeypatch):
    def away(*_args: object) -> None:
        raise ServiceUnavailableError("Results cannot be stored just now.")

    monkeypatch.setattr(container().results, "publish", away)
    response = ask(api)
    assert response.status_code == 503
    assert response.json() == {
        "code": 503,
        "message": "Service Unavailable",
        "detail": "Results cannot be stored just now.",
    }
    assert int(response.headers["retry-after"]) >= 0
    assert images_of() == 0


def test_a_problem_in_a_form_has_the_same_shape(api):
    body, media_type = multipart({"stroke_size": "7000"}, {"image": ("image", astronaut(), "image/jpeg")})
    response = api.post(REMOVE, data=body, headers={**KEY, "Content-Type": media_type})
    refused(response, 422)
    assert json.loads(response.content)["message"] == "Unprocessable Entity"
