"""Multipart as real clients frame it, on every route that takes forms: a cutout of the very file, charged once."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialects.callers import images_of
from tests.dialects.pictures import cat, opened
from tests.dialects.wire import FORMS, KEYS, Form, picture_of, post_form, post_raw, spread
from tests.support.builders import multipart
from tests.support.in_process_api import URL

PHOTO = cat()
RAW = Path(__file__).parent / "raw"

BOUNDARIES = {
    "ab/cd": ("multipart/form-data; boundary=ab/cd", b"ab/cd"),
    "a:b?c": ("multipart/form-data; boundary=a:b?c", b"a:b?c"),
    "x=y=z": ("multipart/form-data; boundary=x=y=z", b"x=y=z"),
    "spaces": ("multipart/form-data; boundary=a b\tc", b"a b\tc"),
    "brackets": ("multipart/form-data; boundary=[a],(b)@{c}<d>", b"[a],(b)@{c}<d>"),
    "Latin-1": ("multipart/form-data; boundary=ü-ä", "ü-ä".encode("latin-1")),
    "white space after": ("multipart/form-data; boundary=XX  \t", b"XX"),
    "white space before": ("multipart/form-data; boundary =  XX", b"XX"),
    "another parameter after": ("multipart/form-data; boundary=X/X ; charset=utf-8", b"X/X"),
    "quoted with a semicolon": ('multipart/form-data; boundary="X;X"', b"X;X"),
    "quoted with an escape": (r'multipart/form-data; boundary="X\"X"', b'X"X'),
}
NAMES = {
    "Latin-1": "Müller.png".encode("latin-1"),
    "cp1252": "Preis 5 €.png".encode("cp1252"),
    "Shift-JIS": "写真テスト.png".encode("shift-jis"),
    "Shift-JIS that ends with a backslash": "表".encode("shift-jis"),
    "UTF-8": "größe.png".encode(),
    "percent": b"100%22.png",
    "a path": rb"C:\pictures\a.png",
}
FRAMES = {
    "LF": Form("", PHOTO, line=b"\n"),
    "LF after a CR": Form("", PHOTO + b"\r", line=b"\n"),
    "padding": Form("", PHOTO, padding=b"  \t"),
    "LF and padding": Form("", PHOTO, line=b"\n", padding=b" "),
    "almost a boundary": Form("", PHOTO + b"\r\n--XXY\r\n--X\r\n"),
    "a folded header": Form("", PHOTO, headers=(b"Content-Type: image/png;\r\n  name=a",)),
}
ENCODED = {
    "base64": base64.b64encode(PHOTO),
    "Base64 in lines": base64.encodebytes(PHOTO),
    "BASE64 in lines with CRLF": base64.encodebytes(PHOTO).replace(b"\n", b"\r\n"),
    "quoted-printable": b"=\r\n".join(b"=%02X" % byte for byte in PHOTO),
    "binary": PHOTO,
    "8bit": PHOTO,
}


@pytest.mark.parametrize(("route", "kind"), spread(BOUNDARIES))
def test_a_boundary_is_whatever_stands_there(api, route, kind):
    content_type, boundary = BOUNDARIES[kind]
    answer = post_form(api, route, Form(FORMS[route], PHOTO, content_type=content_type, boundary=boundary))
    assert opened(picture_of(answer)).size == (120, 80)
    assert images_of() == 1


@pytest.mark.parametrize(("route", "kind"), spread(NAMES))
def test_a_file_may_have_any_name(api, route, kind):
    answer = post_form(api, route, Form(FORMS[route], PHOTO, NAMES[kind]))
    assert opened(picture_of(answer)).size == (120, 80)
    assert images_of() == 1


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("Müller.png".encode("latin-1"), "Müller.png"),
        ("Preis 5 €.png".encode("cp1252"), "Preis 5 €.png"),
        ("写真テスト.png".encode("shift-jis"), "写真テスト.png"),
        ("ソース表.png".encode("shift-jis"), "ソース表.png"),
        ("größe.png".encode(), "größe.png"),
        (b"a%22b.png", 'a"b.png'),
        (rb"C:\pictures\a.png", "a.png"),
    ],
)
def test_the_name_of_a_file_comes_back_as_it_was_meant(api, sent, told):
    answer = post_form(api, "/v1/results", Form("image", PHOTO, sent))
    assert answer.json()["results"][0]["name"] == told


@pytest.mark.parametrize(("route", "kind"), spread(FRAMES))
def test_lines_may_end_in_every_way(api, route, kind):
    answer = post_form(api, route, replace(FRAMES[kind], field=FORMS[route]))
    assert opened(picture_of(answer)).size == (120, 80)
    assert images_of() == 1


@pytest.mark.parametrize("cut", [1, 40, 4_000])
def test_a_form_that_was_cut_off_is_still_refused(api, cut):
    body, kind = multipart({}, {"image_file": ("a.png", PHOTO, "image/png")})
    whole = body.rstrip()[:-2]
    answer = api.post(f"{URL}/v2", data=whole[:-cut], headers={**KEYS, "content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(("route", "kind"), spread(ENCODED))
def test_a_part_may_have_a_transfer_encoding(api, route, kind):
    headers = (b"Content-Transfer-Encoding: " + kind.partition(" ")[0].encode(), b"Content-Type: image/png")
    answer = post_form(api, route, Form(FORMS[route], ENCODED[kind], headers=headers))
    assert opened(picture_of(answer)).size == (120, 80)
    assert images_of() == 1


@pytest.mark.parametrize(
    ("encoding", "data", "reason"),
    [
        (b"base64", PHOTO, "not valid base64"),
        (b"base64", b"iVBOR*", "not valid base64"),
        (b"x-uuencode", PHOTO, "'x-uuencode' is not supported"),
        (b"gzip", PHOTO, "'gzip' is not supported"),
        (b"\xff", PHOTO, "is not supported"),
    ],
)
def test_a_transfer_encoding_that_cannot_be_undone_is_named(api, encoding, data, reason):
    answer = post_form(api, "/v2", Form("image_file", data, headers=(b"Content-Transfer-Encoding: " + encoding,)))
    assert (answer.status_code, images_of()) == (400, 0)
    assert reason in answer.json()["error"]["message"]


@pytest.mark.parametrize("route", FORMS)
def test_a_form_that_is_none_is_refused_and_not_charged(api, route):
    headers = {**KEYS, "content-type": "multipart/form-data; boundary=XX"}
    for body in (b"", b"--XX", b"--XX\r\n", b"--XX\r\n\r\n", b"--XX--", b"--XX\r\nA: b\r\n\r\nc\r\n", b"\n--XX--\n"):
        assert 400 <= api.post(f"{URL}{route}", data=body, headers=headers).status_code < 500
    assert images_of() == 0


@pytest.mark.parametrize("file", sorted(RAW.glob("*.request")), ids=lambda file: file.stem)
def test_recorded_requests_are_answered_with_a_picture(api, file):
    assert opened(post_raw(api, file).content).size == (160, 106)
    assert images_of() == 1
