import base64
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cutout.api.body.fields import Fields
from cutout.api.sources import InputKind, Source, decode_data, find_source, load, load_background
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
    assert decode_data(text, 100) == b"hi???>"


PICTURE = random.Random(5).randbytes(3_000)
LOST = base64.b64encode(PICTURE).decode().replace("+", " ")


def wrapped(data: bytes, width: int, between: str) -> str:
    text = base64.b64encode(data).decode()
    return between.join(text[start : start + width] for start in range(0, len(text), width))


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (LOST, PICTURE),
        (f"data:image/png;base64,{LOST}", PICTURE),
        (base64.b64encode(PICTURE[:-1]).decode().replace("+", " "), PICTURE[:-1]),
        (base64.b64encode(PICTURE[:-1]).decode().replace("+", " ").rstrip("="), PICTURE[:-1]),
        (base64.b64encode(b"aa\xfe" + b"a" * 9).decode().replace("+", " "), b"aa\xfe" + b"a" * 9),
        ("aGk/Pz8 ", b"hi???>"),
        (wrapped(PICTURE, 76, "\n").replace("+", " "), PICTURE),
        (wrapped(PICTURE, 76, " "), PICTURE),
        (wrapped(PICTURE, 64, "\r\n    "), PICTURE),
        (f"  {wrapped(PICTURE, 64, ' ')}  ", PICTURE),
        ("aGk/ Pz8+", b"hi???>"),
    ],
)
def test_a_plus_that_became_a_space_is_one_again_and_wrapping_is_not(text, data):
    assert decode_data(text, 10_000) == data


@given(st.binary(min_size=40, max_size=300), st.booleans())
def test_base64_of_anything_survives_unescaped_forms(data, padded):
    text = base64.b64encode(data).decode()
    assume(text.count("+") > 1 and "+" not in {text[0], text.rstrip("=")[-1]})
    lost = (text if padded else text.rstrip("=")).replace("+", " ")
    assume(len({len(line) for line in lost.split()[:-1]}) > 1)
    assert decode_data(lost, 1_000) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("data:image/png;base64,aGk%2FPz8%2B", b"hi???>"),
        ("data:image/png;base64,aGk%2fPz8%2b%0A", b"hi???>"),
        ("data:image/png;charset=utf-8;base64,aGk_Pz8-", b"hi???>"),
        ("data:image/png;BASE64,aGk/Pz8%2B%3D%3D", b"hi???>"),
        ("data:image/png,%89PNG%0D%0A%1A%0A+ x", b"\x89PNG\r\n\x1a\n+ x"),
        ("data:image/svg+xml;utf8,<svg xmlns='x'>é</svg>", "<svg xmlns='x'>é</svg>".encode()),
        ("data:image/png,aGk/Pz8+", b"hi???>"),
        ("data:,%00%FF", b"\x00\xff"),
    ],
)
def test_a_data_url_may_be_percent_encoded(text, data):
    assert decode_data(text, 100) == data


def test_a_data_url_in_a_field_for_urls_is_the_image_itself():
    source = find_source(Fields([("image_url", " data:image/png;base64,aGk/Pz8+")]), NAMES)
    assert (source.kind, source.name) == (InputKind.BASE64, "image_url")
    assert load(source, {}, 100) == b"hi???>"


@given(st.binary(min_size=1, max_size=99))
def test_base64_without_padding_round_trips(data):
    assert decode_data(base64.b64encode(data).decode().rstrip("="), 99) == data


@pytest.mark.parametrize("text", ["a", "ab!c", "data:image/png;base64,***", "aGk/é", "a" * 5])
def test_bad_base64_is_a_client_error(text):
    with pytest.raises(InvalidBase64Error):
        decode_data(text, 100)


def test_base64_above_the_limit_is_not_decoded():
    with pytest.raises(ImageTooLargeError) as caught:
        decode_data("A" * 1_000, 100)
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
