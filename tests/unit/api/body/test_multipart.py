import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api.body.fields import MAX_FIELDS, multipart_fields
from cutout.api.request import Headers, Request
from cutout.errors import InvalidRequestError


def request(body: bytes, content_type: str = "multipart/form-data; boundary=XX") -> Request:
    return Request("POST", "/v2", "/v2", Headers([("Content-Type", content_type)]), body=body)


def part(name: str, data: bytes, filename: str = "") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return b"--XX\r\n" + disposition.encode() + b"\r\n\r\n" + data + b"\r\n"


END = b"--XX--\r\n"


def test_files_and_texts_are_fields_alike():
    fields = multipart_fields(request(part("image_file", b"\xff\xd8\r\n--X", "a.jpg") + part("Format", b"webp") + END))
    assert fields.raw("image_file") == b"\xff\xd8\r\n--X"
    assert fields.text("format") == "webp"


def test_a_file_larger_than_a_chunk_arrives_whole():
    data = bytes(range(256)) * 10_000
    assert multipart_fields(request(part("image_file", data, "a") + END)).raw("image_file") == data


@pytest.mark.parametrize(
    "value", ['multipart/form-data; boundary="XX"', "Multipart/Form-Data; Boundary=XX; charset=utf-8"]
)
def test_the_boundary_may_be_quoted_and_in_any_case(value):
    assert multipart_fields(request(part("crop", b"1") + END, value)).text("crop") == "1"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (part("a", b"1") + END, "multipart/form-data"),
        (part("a", b"1") + END, "multipart/form-data; boundary="),
        (part("a", b"1") + END, "multipart/form-data; boundary=YY"),
        (part("a", b"1"), "multipart/form-data; boundary=XX"),
        (part("a", b"1")[:-3], "multipart/form-data; boundary=XX"),
        (b"--XX\r\n\r\nno header\r\n" + END, "multipart/form-data; boundary=XX"),
        (b"--XX\r\nContent-Disposition: attachment\r\n\r\n1\r\n" + END, "multipart/form-data; boundary=XX"),
        (b"--XX\r\nX: " + b"y" * 10_000 + b"\r\n\r\n1\r\n" + END, "multipart/form-data; boundary=XX"),
        (b"".join(part(f"f{i}", b"1") for i in range(MAX_FIELDS + 1)) + END, "multipart/form-data; boundary=XX"),
        (b"", "multipart/form-data; boundary=XX"),
        (b"not multipart at all", "multipart/form-data; boundary=XX"),
    ],
)
def test_a_malformed_body_is_a_client_error(body, content_type):
    with pytest.raises(InvalidRequestError):
        multipart_fields(request(body, content_type))


def test_a_boundary_in_too_many_places_costs_little_and_is_refused():
    with pytest.raises(InvalidRequestError, match="malformed"):
        multipart_fields(request(b"a" + b"--XX" * 1_000_000))


def test_a_file_may_hold_the_boundary_where_no_line_begins():
    data = b"a--XX\r\n --XX--\r\n--XXY\r\n" * 9
    assert multipart_fields(request(part("image_file", data, "a") + END)).raw("image_file") == data


@given(
    st.lists(
        st.sampled_from([b"--XX", b"--", b"\r\n", b"\n", b"Content-Disposition: form-data; name=a", b'"', b":"])
        | st.binary(max_size=9)
    )
)
def test_any_bytes_give_fields_or_a_client_error(pieces):
    with contextlib.suppress(InvalidRequestError):
        multipart_fields(request(b"".join(pieces)))
