import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api.body import Fields
from cutout.api.sources import InputKind, Source, decode_base64, find_source, load, load_background
from cutout.errors import ImageTooLargeError, InvalidBase64Error, MissingImageError, MultipleSourcesError

NAMES = {
    "image_file": InputKind.BYTES,
    "image_url": InputKind.URL,
    "image_base64": InputKind.BASE64,
    "image": InputKind.BASE64,
}


def test_the_one_source_is_found():
    fields = Fields([("image_url", "http://a"), ("image_file", b""), ("crop", "1")])
    assert find_source(fields, NAMES) == Source(InputKind.URL, "image_url", "http://a")


def test_no_source_is_an_error_that_lists_the_fields():
    with pytest.raises(MissingImageError) as caught:
        find_source(Fields([("image_file", b"")]), NAMES)
    assert caught.value.details["expected_one_of"] == list(NAMES)


@pytest.mark.parametrize("second", [("image_url", "http://a"), ("image", "eHh5")])
def test_two_different_sources_are_refused(second):
    with pytest.raises(MultipleSourcesError):
        find_source(Fields([("image_base64", "eHh4"), second]), NAMES)


def test_the_same_image_under_two_aliases_is_one_source():
    assert find_source(Fields([("image_base64", "eHh4"), ("image", "eHh4")]), NAMES).value == "eHh4"


@pytest.mark.parametrize(
    "text",
    [
        "aGk_Pz8-",
        "aGk/Pz8+",
        "aGk/\nPz8+\r\n",
        "data:image/png;base64,aGk/Pz8+",
        " DATA:image/jpeg;base64,aGk/Pz8+",
        "aGk/Pz8+====",
    ],
)
def test_base64_in_every_dress(text):
    assert decode_base64(text, 100) == b"hi???>"


@given(st.binary(min_size=1, max_size=99))
def test_base64_without_padding_round_trips(data):
    assert decode_base64(base64.b64encode(data).decode().rstrip("="), 99) == data


@pytest.mark.parametrize("text", ["a", "ab!c", "data:image/png;base64,***", "aGk/é", "a" * 5])
def test_bad_base64_is_a_client_error(text):
    with pytest.raises(InvalidBase64Error):
        decode_base64(text, 100)


def test_base64_above_the_limit_is_not_decoded():
    with pytest.raises(ImageTooLargeError) as caught:
        decode_base64("A" * 1_000, 100)
    assert caught.value.details == {"max_bytes": 100}


def test_bytes_above_the_limit_are_refused():
    source = Source(InputKind.BYTES, "image_file", b"x" * 101)
    assert load(source, {}, 101) == b"x" * 101
    with pytest.raises(ImageTooLargeError):
        load(source, {}, 100)


def test_what_lies_elsewhere_is_got_by_its_kind():
    remote = {
        InputKind.URL: lambda url: b"url " + url.encode(),
        InputKind.UPLOAD: lambda name: b"up " + name.encode(),
    }
    assert load(Source(InputKind.URL, "image_url", " http://a/b "), remote, 9) == b"url http://a/b"
    assert load(Source(InputKind.UPLOAD, "upload_id", "upl_1"), remote, 9) == b"up upl_1"


def test_a_background_is_loaded_as_an_image_is_and_its_errors_say_so():
    assert load_background(None, {}, 10) is None
    assert load_background(Source(InputKind.BYTES, "bg_image_file", b"abc"), {}, 10) == b"abc"
    remote = {InputKind.URL: lambda url: url.encode()}
    assert load_background(Source(InputKind.URL, "bg_image_url", " http://b "), remote, 10) == b"http://b"
    with pytest.raises(ImageTooLargeError) as caught:
        load_background(Source(InputKind.BYTES, "bg_image_file", b"a" * 11), {}, 10)
    assert caught.value.details["image"] == "background"
