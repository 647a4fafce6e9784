import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api.body.fields import MAX_FIELDS, Fields, json_fields, urlencoded_fields
from cutout.errors import CutoutError, InvalidRequestError


def test_names_compare_without_case_and_empty_values_are_absent():
    fields = Fields([("Image_URL", "http://a"), ("format", ""), ("CROP", b"true"), ("size", b"")])
    assert sorted(fields) == ["crop", "image_url"]
    assert fields.text("image_url") == "http://a"
    assert fields.text("crop") == "true"
    assert fields.raw("image_url") == b"http://a"
    assert fields.text("format") is None


def test_the_same_value_twice_is_one_value():
    assert Fields([("crop", "1"), ("CROP", "1")]).text("crop") == "1"


def test_two_values_for_one_name_are_refused():
    with pytest.raises(InvalidRequestError, match="twice"):
        Fields([("crop", "1"), ("Crop", "0")])


def test_bytes_that_are_not_utf8_are_refused_as_text_but_not_as_bytes():
    fields = Fields([("image_file", b"\xff\xd8")])
    assert fields.raw("image_file") == b"\xff\xd8"
    with pytest.raises(InvalidRequestError, match="UTF-8"):
        fields.text("image_file")


def test_json_scalars_become_text_and_null_is_absent():
    fields = json_fields(b'{"crop": true, "despill": 0, "size": null, "format": "png"}')
    assert {name: fields.text(name) for name in fields} == {"crop": "true", "despill": "0", "format": "png"}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"3", b'"x"', b"null", b'{"a": {}}', b'{"a": [1]}', b"\xff", b'{"a": "\\ud800"}', b"[" * 100_000]
    + [json.dumps({f"f{index}": 1 for index in range(MAX_FIELDS + 1)}).encode(), b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_json_that_is_not_an_object_of_plain_values_is_refused(body):
    with pytest.raises(InvalidRequestError):
        json_fields(body)


def test_urlencoded_forms_are_decoded():
    fields = urlencoded_fields(b"image_url=http%3A%2F%2Fa%2Fb%3Fc%3D1&crop=true&format=")
    assert {name: fields.text(name) for name in fields} == {"image_url": "http://a/b?c=1", "crop": "true"}


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"&".join(b"f%d=1" % i for i in range(MAX_FIELDS + 1))])
def test_broken_urlencoded_forms_are_refused(body):
    with pytest.raises(InvalidRequestError):
        urlencoded_fields(body)


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        lambda d: json.dumps(d).encode()
    )
)
def test_any_bytes_give_fields_or_a_client_error(body):
    for parse in (json_fields, urlencoded_fields):
        try:
            fields = parse(body)
        except CutoutError:
            continue
        assert all(fields.text(name) for name in fields)
