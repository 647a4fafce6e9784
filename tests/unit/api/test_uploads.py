import json
from datetime import UTC, datetime

import pytest

from cutout.api.request import Headers, Request
from cutout.api.uploads import (
    IMAGE_TYPES,
    UploadForm,
    check_upload_id,
    json_body,
    new_upload_id,
    parse_upload,
    upload_answer,
)
from cutout.errors import InvalidOptionError, InvalidRequestError, UnsupportedMediaTypeError


def request(body: object = None, media_type: str = "application/json") -> Request:
    data = b"" if body is None else json.dumps(body).encode()
    return Request("POST", "/v2/uploads", "/v2/uploads", Headers([("content-type", media_type)]), body=data)


def test_ids_are_long_and_new_each_time():
    ids = {new_upload_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(check_upload_id(one) == one for one in ids)


@pytest.mark.parametrize(
    "text",
    ["", "upl_", "../" + "0" * 32, "upl_" + "0" * 31, "upl_" + "0" * 33, "upl_" + "G" * 32, "upl_../../" + "0" * 26,
     "upl_" + "0" * 32 + "\n", "UPL_" + "0" * 32, "upl_" + "\u0660" * 32, "job_" + "0" * 32],
)  # fmt: skip
def test_what_is_no_id_is_refused_before_it_becomes_part_of_a_path(text):
    with pytest.raises(InvalidRequestError, match="upload_id"):
        check_upload_id(text)


def test_a_form_is_for_jpeg_unless_another_type_is_asked_for():
    assert parse_upload(request()) == "image/jpeg"
    assert parse_upload(request({})) == "image/jpeg"
    assert parse_upload(request({"Content_Type": " IMAGE/PNG "})) == "image/png"
    assert parse_upload(request({"content_type": ""})) == "image/jpeg"


@pytest.mark.parametrize("value", ["text/html", "image/svg+xml", "image/*", "jpeg", "i" * 10_000, 1, True])
def test_a_type_that_is_no_image_of_ours_is_refused_with_those_that_are(value):
    with pytest.raises(InvalidOptionError) as caught:
        parse_upload(request({"content_type": value}))
    assert caught.value.details["allowed"] == list(IMAGE_TYPES)
    assert len(str(caught.value.details["value"])) <= 40


def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(InvalidOptionError) as caught:
        parse_upload(request({"filename": "a.jpg"}))
    assert caught.value.details == {"unknown": ["filename"], "known": ["content_type"]}


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_is_not_called_json_is_refused(media_type):
    with pytest.raises(UnsupportedMediaTypeError):
        json_body(request({}, media_type))
    assert list(json_body(request(None, media_type))) == []


def test_the_answer_holds_all_that_a_client_needs():
    form = UploadForm("https://s3/", {"key": "k"}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 30)
    answer = upload_answer("upl_1", form)
    assert (answer.status, json.loads(answer.body)) == (
        201,
        {
            "upload_id": "upl_1",
            "url": "https://s3/",
            "fields": {"key": "k"},
            "expires_at": "2026-01-02T03:04:05+00:00",
            "max_bytes": 30,
        },
    )
