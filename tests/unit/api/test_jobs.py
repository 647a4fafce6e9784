import json

import pytest

from cutout.api.jobs import KNOWN, JobPageRequest, JobRequest, job_id_of, parse_job, parse_job_page
from cutout.api.request import Headers, Request
from cutout.errors import (
    CutoutError,
    ImageUrlFetchFailedError,
    InvalidOptionError,
    InvalidRequestError,
    NotFoundError,
    UnsupportedMediaTypeError,
)
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobOptions

ID = "job_" + "0" * 32


def request(body: object = None, media_type: str = "application/json", data: bytes | None = None) -> Request:
    if data is None:
        data = b"" if body is None else json.dumps(body).encode()
    return Request("POST", "/v2/jobs", "/v2/jobs", Headers([("content-type", media_type)]), body=data)


def parse(body: object = None) -> JobRequest:
    return parse_job(request(body), frozenset(), 1_000)


def listing(**query: str) -> JobPageRequest:
    return parse_job_page(Request("GET", "/v2/jobs", "/v2/jobs", query={name: (v,) for name, v in query.items()}))


@pytest.mark.parametrize("body", [None, {}, {"image_url": None, "mask": "", "format": ""}])
def test_nothing_asks_for_an_upload_with_the_usual_options(body):
    assert parse(body) == JobRequest(JobOptions(), None, None, "image/jpeg")


def test_everything_that_can_be_asked_for():
    order = parse(
        {"Format": "webp", "channels": "alpha", "crop": True, "mask": 1, "image_url": " https://example.com/a.jpg ",
         "webhook_url": "https://example.com/hook"}
    )  # fmt: skip
    spec = CutoutSpec(format=ImageFormat.WEBP, channels=Channels.ALPHA, crop=True)
    assert order.options == JobOptions(spec, mask=True)
    background = parse({"bg_image_url": " https://example.com/b.jpg "}).options
    assert background == JobOptions(background_url="https://example.com/b.jpg")
    assert (order.image_url, order.webhook_url) == ("https://example.com/a.jpg", "https://example.com/hook")
    assert parse({"content_type": "image/webp"}).content_type == "image/webp"


def test_private_addresses_are_allowed_only_by_name_and_port():
    private = {"image_url": "http://127.0.0.1:8000/a", "webhook_url": "http://127.0.0.1:8000/b"}
    assert parse_job(request(private), frozenset({"127.0.0.1:8000"}), 1_000).webhook_url == "http://127.0.0.1:8000/b"
    with pytest.raises(ImageUrlFetchFailedError):
        parse(private)


@pytest.mark.parametrize(
    ("body", "error", "code_word"),
    [
        ({"formt": "png"}, InvalidOptionError, "formt"),
        ({"filename": "a.jpg"}, InvalidOptionError, "filename"),
        ({"format": "heic"}, InvalidOptionError, "format"),
        ({"mask": "maybe"}, InvalidOptionError, "mask"),
        ({"mask": "m" * 100_000}, InvalidOptionError, "mask"),
        ({"content_type": "text/html"}, InvalidOptionError, "content_type"),
        ({"content_type": "image/png", "image_url": "http://example.com"}, InvalidOptionError, "content_type"),
        ({"image_url": "ftp://example.com/a"}, ImageUrlFetchFailedError, "image URL"),
        ({"image_url": "http://10.0.0.1/a"}, ImageUrlFetchFailedError, "image URL"),
        ({"image_url": "http://example.com/#\ud800"}, InvalidRequestError, "surrogate"),
        ({"image_url": 7}, ImageUrlFetchFailedError, "image URL"),
        ({"image_url": "http://e.com/" + "a" * 9_000}, ImageUrlFetchFailedError, "image URL"),
        ({"bg_image_url": "http://10.0.0.1/a"}, ImageUrlFetchFailedError, "image URL"),
        ({"webhook_url": "http://169.254.169.254/"}, InvalidOptionError, "webhook URL"),
        ({"webhook_url": "https://localhost/"}, InvalidOptionError, "webhook URL"),
        ({"webhook_url": "hook"}, InvalidOptionError, "webhook URL"),
        ({"webhook_url": "https://u:p@example.com/"}, InvalidOptionError, "webhook URL"),
        ({"webhook_url": {"url": "https://example.com"}}, InvalidRequestError, "webhook_url"),
        ([], InvalidRequestError, "must be an object"),
        ("x", InvalidRequestError, "must be an object"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(body, error, code_word):
    with pytest.raises(error, match=code_word) as caught:
        parse(body)
    assert len(json.dumps(caught.value.details)) < 2_000


def test_an_unknown_field_is_answered_with_all_that_are_known():
    with pytest.raises(InvalidOptionError) as caught:
        parse({"image_base64": "AAAA"})
    assert caught.value.details == {"unknown": ["image_base64"], "known": sorted(KNOWN)}


@pytest.mark.parametrize(
    ("body", "media_type", "error"),
    [
        (b"format=png", "application/x-www-form-urlencoded", UnsupportedMediaTypeError),
        (b"{}", "", UnsupportedMediaTypeError),
        (b"{", "application/json", InvalidRequestError),
        (b"\xff", "application/json", InvalidRequestError),
        (b"[" * 100_000, "application/json", InvalidRequestError),
    ],
)
def test_only_json_is_read(body, media_type, error):
    with pytest.raises(error):
        parse_job(request(data=body, media_type=media_type), frozenset(), 1_000)


def test_a_list_is_of_twenty_unless_told_otherwise():
    assert listing() == JobPageRequest(20, None, None)
    assert listing(limit="", cursor="", status="", page="7") == JobPageRequest(20, None, None)
    assert listing(limit=" 100 ", cursor="abc", Status="RUNNING") == JobPageRequest(100, "abc", JobState.RUNNING)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "1e2", "9" * 5_000, "٣", "0x10", "1_0", "+5"])
def test_a_limit_outside_its_bounds_is_refused(limit):
    with pytest.raises(InvalidOptionError) as caught:
        listing(limit=limit)
    assert (caught.value.details["minimum"], caught.value.details["maximum"]) == (1, 100)


def test_a_status_that_no_job_has_is_refused_with_those_there_are():
    with pytest.raises(InvalidOptionError) as caught:
        listing(status="done")
    assert caught.value.details["allowed"] == ["queued", "running", "succeeded", "failed", "cancelled"]


def test_a_cursor_that_cannot_be_one_is_refused_unread():
    with pytest.raises(InvalidOptionError):
        listing(cursor="c" * 1_001)


def test_two_different_limits_are_refused():
    with pytest.raises(InvalidRequestError):
        parse_job_page(Request("GET", "/v2/jobs", "/v2/jobs", query={"limit": ("1", "2")}))


def test_an_id_is_taken_from_the_path():
    assert job_id_of(Request("GET", "/v2/jobs/{id}", f"/v2/jobs/{ID}", path_parameters={"id": ID})) == ID


@pytest.mark.parametrize("text", ["", "x", ID[:-1], ID + "0", ID.upper(), "../" + ID, "j" * 5_000, ID + "\n"])
def test_what_no_job_can_be_called_is_not_found(text):
    with pytest.raises(NotFoundError) as caught:
        job_id_of(Request("GET", "/v2/jobs/{id}", "/v2/jobs/x", path_parameters={"id": text}))
    assert isinstance(caught.value, CutoutError)
