"""API4AI: images that fail, with status 200; requests that are refused; limits. Neither is charged."""

import hashlib
from typing import Any

import pytest
import requests

from cutout import errors
from cutout.api.dialects.api4ai import DIALECT
from cutout.api.request import Request
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.pictures import cat, plain
from tests.dialects.shapes import problem_of_api4ai, success_of_api4ai
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

KEY = {"X-API-KEY": LIVE_KEY}
RESULTS = f"{URL}/v1/results"
PHOTO = cat()
FILE = {"image": ("img.png", PHOTO)}
EMPTY = hashlib.md5(b"").hexdigest()
MISSING = "Missing image or url field."
JPEG = cat(image_format="JPEG")
MIB = 2**20


def post(api: requests.Session, **request: Any) -> requests.Response:
    return api.post(RESULTS, **{"headers": KEY} | request)


def padded(size: int) -> bytes:
    """A JPEG of this many bytes; what stands behind its end is nobody's."""
    return JPEG.ljust(size, b"\0")


def failure_of(response: requests.Response) -> dict[str, Any]:
    success_of_api4ai(response)
    result: dict[str, Any] = response.json()["results"][0]
    assert (result["status"]["code"], result["entities"]) == ("failure", [])
    assert images_of() == 0
    return result


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"hello", "is text, not an image", id="text"),
        pytest.param(PHOTO[:400], "incomplete", id="truncated"),
        pytest.param(b"\xff\xd8\xff" + b"x" * 200, "incomplete", id="corrupt"),
        pytest.param(cat(image_format="WEBP"), "WEBP images are not supported", id="webp"),
        pytest.param(cat(image_format="GIF"), "GIF images are not supported", id="gif"),
        pytest.param(cat(image_format="BMP"), "BMP images are not supported", id="bmp"),
        pytest.param(b"%PDF-1.7 ...", "PDF", id="pdf"),
        pytest.param(b"\0\0\0\x18ftypheic", "HEIC", id="heic"),
    ],
)
def test_a_file_that_is_no_image_of_theirs_is_a_failure_with_its_name_and_hash(api, data, reason):
    failure = failure_of(post(api, files={"image": ("file.jpg", data)}))
    assert failure["name"] == "file.jpg"
    assert failure["md5"] == hashlib.md5(data).hexdigest()
    assert reason in failure["status"]["reason"]


@pytest.mark.covers("limits")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(plain(4097, 2), "too long: a side of 4097 px is more than 4096", id="4097 wide"),
        pytest.param(plain(2, 4097, "JPEG"), "too long", id="4097 high"),
        pytest.param(padded(16 * MIB), "less than 16 MB", id="16 MiB"),
        pytest.param(padded(20 * MIB), "less than 16 MB", id="20 MiB"),
    ],
)
def test_a_file_beyond_the_limits_is_a_failure_too(api, data, reason):
    failure = failure_of(post(api, files={"image": ("big.jpg", data)}))
    assert reason in failure["status"]["reason"]
    assert failure["md5"] == hashlib.md5(data).hexdigest()


@pytest.mark.covers("limits")
@pytest.mark.parametrize("data", [plain(4096, 3), plain(3, 4096), padded(16 * MIB - 1)], ids=["wide", "high", "bytes"])
def test_what_is_just_within_the_limits_is_worked_on(api, data):
    response = post(api, files={"image": ("big.jpg", data)})
    assert response.json()["results"][0]["status"]["code"] == "ok"
    success_of_api4ai(response)


@pytest.mark.covers("limits")
@pytest.mark.parametrize(("size", "status"), [(32 * MIB - 1000, 200), (32 * MIB + 1, 413)])
def test_a_request_of_more_than_32_mib_is_refused_in_html(api, size, status):
    response = post(api, files={"image": ("big.jpg", padded(size))})
    assert response.status_code == status
    if status == 413:
        problem_of_api4ai(response)
        assert b"413" in response.content
    else:
        failure_of(response)


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/cat.jpg",
        "http://169.254.169.254/latest/cat.jpg",
        "file:///etc/cat.jpg",
        "ftp://example.com/cat.jpg",
        "http://[::1/cat.jpg",
        "/cat.jpg",
        "cat.jpg",
    ],
)
def test_a_url_that_cannot_be_fetched_is_a_failure_of_no_bytes(api, url):
    failure = failure_of(post(api, data={"url": url}))
    assert (failure["name"], failure["md5"]) == ("cat.jpg", EMPTY)


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("path", "content"), [("never-there.jpg", None), ("page.jpg", b"<html>"), ("webp.jpg", cat(image_format="WEBP"))]
)
def test_a_url_that_leads_to_no_image_is_a_failure_with_the_hash_of_what_came(
    api, file_server, monkeypatch, path, content
):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    if content is not None:
        (file_server.folder / path).write_bytes(content)
    failure = failure_of(post(api, files={"url": (None, f"{file_server.url}/{path}")}))
    assert (failure["name"], failure["md5"]) == (path, hashlib.md5(content or b"").hexdigest())


@pytest.mark.covers("errors")
def test_text_that_is_no_base64_is_a_failure(api):
    assert failure_of(post(api, json={"image": "not/base64!"}))["md5"] == EMPTY


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        pytest.param({}, 422, MISSING, id="nothing"),
        pytest.param({"data": {"url": ""}}, 422, MISSING, id="empty url"),
        pytest.param({"files": {"picture": ("img.jpg", PHOTO)}}, 422, MISSING, id="another field"),
        pytest.param({"json": {}}, 422, MISSING, id="json of nothing"),
        pytest.param({"data": PHOTO, "headers": KEY | {"content-type": "image/png"}}, 422, MISSING, id="raw image"),
        pytest.param({"files": FILE, "params": {"mode": "fg"}}, 422, "Unknown mode", id="mode"),
        pytest.param({"files": FILE, "params": {"mode": "FG-IMAGE"}}, 422, "Unknown mode", id="capital mode"),
        pytest.param({"json": [1]}, 400, "must be an object", id="json list"),
        pytest.param({"json": {"url": {"a": 1}}}, 400, "must be a plain value", id="json object"),
        pytest.param(
            {"data": b"--x", "headers": KEY | {"content-type": "multipart/form-data; boundary=x"}},
            400,
            "malformed",
            id="broken form",
        ),
        pytest.param(
            {"data": b"--x--", "headers": KEY | {"content-type": "multipart/form-data"}}, 400, "boundary", id="boundary"
        ),
        pytest.param({"data": b"url=%ff", "headers": KEY | {"content-type": "application/x-www-form-urlencoded"}}, 400,
                     "urlencoded", id="not utf-8"),
    ],
)  # fmt: skip
def test_a_request_that_is_no_order_has_a_detail(api, request_, status, detail):
    response = post(api, **request_)
    assert response.status_code == status, response.content
    problem_of_api4ai(response)
    assert detail in response.json()["detail"]
    assert images_of() == 0


@pytest.mark.covers("errors")
def test_the_words_for_a_missing_image_are_theirs(api):
    assert post(api).content == b'{"detail": "Missing image or url field."}'


@pytest.mark.covers("auth")
def test_who_may_not_work_is_told_so_in_a_detail(api):
    _, suspended = customer(status="suspended")
    account, spent = customer("free", used=50)
    for key, status in ((suspended, 403), (spent, 402)):
        response = post(api, files=FILE, headers={"X-API-KEY": key})
        assert response.status_code == status
        problem_of_api4ai(response)
    assert images_of(account) == 50


@pytest.mark.covers("limits")
def test_beyond_the_rate_there_is_a_429_that_says_when_to_come_back(api):
    account, key = customer(rate=1)
    with second_stands_still():
        first, second = (post(api, files=FILE, headers={"X-RapidAPI-Key": key}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    problem_of_api4ai(second)
    assert second.headers["retry-after"] == "1"
    assert images_of(account) == 1


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/v1/results", "POST"), ("POST", "/v1/modes", "GET"), ("DELETE", "/img-bg-removal/v1/version", "GET")],
)
def test_another_method_is_refused_in_their_shape(api, method, path, allow):
    response = api.request(method, f"{URL}{path}", headers=KEY)
    assert response.status_code == 405
    problem_of_api4ai(response)
    assert allow in response.headers["allow"]


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.CutoutError("Something went wrong on our side."), 500),
        (errors.ServiceUnavailableError("Not just now.", {"retry_after_s": 3, "table": "accounts"}), 503),
        (errors.DeadlineError("Too slow."), 504),
    ],
)
def test_our_own_faults_are_no_failure_of_the_image_and_tell_nothing_more(error, status):
    request = Request("POST", "/v1/results", "/v1/results")
    response = DIALECT.problem(error, request)
    assert (response.status, response.body) == (status, b'{"detail": "%s"}' % error.message.encode())
    assert response.headers == ({"retry-after": "3"} if status == 503 else {})
