import base64
import json
from urllib.parse import urlencode

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.api.dialects.backgrounderase import DIALECT
from cutout.api.dialects.base import Outcome, RemovalRequest
from cutout.api.dialects.registry import removal_routes
from cutout.api.request import Headers, Request
from cutout.api.sources import InputKind, Source
from cutout.errors import (
    InvalidOptionError,
    InvalidRequestError,
    MissingImageError,
    MultipleSourcesError,
    UnsupportedMediaTypeError,
)
from cutout.imaging.spec import Channels, CutoutResult, CutoutSpec, ImageFormat, SizeName
from cutout.usage import UNLIMITED_CREDITS, AccountStatus, RateState

PNG = b"\x89PNG\r\n\x1a\n..."
PNG_B64 = base64.b64encode(PNG).decode()
RESULT = CutoutResult("image/png", 3, 2, 6, 4, "m", {"decode": 1.25}, file=b"bytes")
ACCOUNT = Account.on_plan("acct_1", "a@example.com", PLANS["metered"])
STATUS = AccountStatus(ACCOUNT, KeyMode.LIVE, RateState(10, 9, 1_800_000_000), UNLIMITED_CREDITS)


def outcome(removal: RemovalRequest) -> Outcome:
    return Outcome(removal, RESULT, STATUS, charged=True, publish=lambda: "https://results.example/1.png")


def request(body: bytes = b"", content_type: str = "", query: dict[str, str] | None = None, **headers: str) -> Request:
    pairs = [("content-type", content_type)] if content_type else []
    pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "/v2", "/v2", Headers(pairs), {k: (v,) for k, v in (query or {}).items()}, body=body)


def as_json(document: object, **headers: str) -> Request:
    return request(json.dumps(document).encode(), "application/json", **headers)


def form(fields: dict[str, bytes]) -> Request:
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v) for k, v in fields.items()
    ]
    return request(b"".join(parts) + b"--B--\r\n", "multipart/form-data; boundary=B")


def test_the_dialect_serves_post_v2():
    assert dict(removal_routes())["POST", "/v2"] is DIALECT


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("image_file", InputKind.BYTES),
        ("IMAGE_FILE", InputKind.BYTES),
        ("image_base64", InputKind.BASE64),
        ("image_file_b64", InputKind.BASE64),
        ("image_url", InputKind.URL),
    ],
)
def test_multipart_takes_every_field_and_is_answered_by_bytes(name, kind):
    order = DIALECT.parse(form({name: b"value", "Format": b"webp", "crop": b"yes", "bg_color": b""}))
    assert order.source == Source(kind, name.lower(), b"value" if kind is InputKind.BYTES else "value")
    assert order.spec == CutoutSpec(format=ImageFormat.WEBP, crop=True)
    assert order.reply == "bytes"


def test_the_legacy_json_field_forces_a_mask_whatever_channels_says():
    order = DIALECT.parse(as_json({"image": PNG_B64, "channels": "rgba", "size": "hd"}))
    assert order == RemovalRequest(
        CutoutSpec(channels=Channels.ALPHA, size=SizeName.HD), Source(InputKind.BASE64, "image", PNG_B64), "mask"
    )


@pytest.mark.parametrize(
    ("document", "accept", "reply"),
    [
        ({"image": "eA=="}, "", "mask"),
        ({"image": "eA=="}, "application/json, text/plain, */*", "mask"),
        ({"image": "eA=="}, "image/png", "bytes"),
        ({"image_base64": "eA=="}, "", "image"),
        ({"image_base64": "eA=="}, "*/*", "image"),
        ({"image_base64": "eA=="}, "image/*", "bytes"),
        ({"image_base64": "eA==", "channels": "alpha"}, "", "mask"),
        ({"image_url": "http://a"}, "", "bytes"),
        ({"image_url": "http://a"}, "application/json, text/plain, */*", "bytes"),
        ({"image_url": "http://a"}, "application/json", "image"),
        ({"image_url": "http://a", "channels": "alpha"}, "", "mask"),
        ({"image_url": "http://a", "channels": "alpha"}, "image/png", "bytes"),
    ],
)
def test_json_is_answered_by_json_or_bytes_as_the_contract_says(document, accept, reply):
    assert DIALECT.parse(as_json(document, **({"accept": accept} if accept else {}))).reply == reply


@pytest.mark.parametrize(
    "content_type", ["", "image/png", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"]
)
def test_a_raw_image_is_taken_under_any_type_with_options_from_the_query(content_type):
    order = DIALECT.parse(request(PNG, content_type, {"Format": "jpg", "utm": "x"}))
    assert order == RemovalRequest(CutoutSpec(format=ImageFormat.JPEG), Source(InputKind.BYTES, "body", PNG), "bytes")


def test_urlencoded_forms_are_read():
    body = urlencode({"image_url": "http://a/b.jpg", "crop": "1"}).encode()
    order = DIALECT.parse(request(body, "application/x-www-form-urlencoded"))
    assert order == RemovalRequest(CutoutSpec(crop=True), Source(InputKind.URL, "image_url", "http://a/b.jpg"), "bytes")


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (request(), MissingImageError),
        (request(b"<html>", "text/html"), UnsupportedMediaTypeError),
        (request(b"<xml/>", "application/xml"), UnsupportedMediaTypeError),
        (request(b"{", "application/json"), InvalidRequestError),
        (request(b"x", "multipart/form-data"), InvalidRequestError),
        (as_json({}), MissingImageError),
        (as_json({"image": "", "image_url": None}), MissingImageError),
        (as_json({"image": "eA==", "image_url": "http://a"}), MultipleSourcesError),
        (as_json({"image": "eA==", "colour": "red"}), InvalidOptionError),
        (as_json({"image": {"data": "eA=="}}), InvalidRequestError),
        (form({"image": b"eA=="}), InvalidOptionError),
        (form({"image_file": b"x", "image_url": b"http://a"}), MultipleSourcesError),
        (form({"image_file": b"x", "format": b"heic"}), InvalidOptionError),
        (request(PNG, "image/png", {"format": "heic"}), InvalidOptionError),
    ],
)
def test_what_the_contract_refuses_is_refused(bad, error):
    with pytest.raises(error):
        DIALECT.parse(bad)


def test_bytes_are_answered_with_facts_as_headers():
    response = DIALECT.answer(
        request(), outcome(RemovalRequest(CutoutSpec(), Source(InputKind.BYTES, "body", b""), "bytes"))
    )
    assert (response.status, response.media_type, response.body) == (200, "image/png", b"bytes")
    assert response.headers == {
        "x-image-width": "3",
        "x-image-height": "2",
        "x-model": "m",
        "server-timing": "decode;dur=1.2",
    }


@pytest.mark.parametrize(
    ("reply", "document"),
    [
        ("mask", {"mask": "Ynl0ZXM=", "width": 3, "height": 2, "foreground": "none"}),
        (
            "image",
            {"image": "Ynl0ZXM=", "width": 3, "height": 2, "foreground": "none", "format": "png", "channels": "rgba"},
        ),
    ],
)
def test_json_answers_have_the_fields_of_the_contract(reply, document):
    response = DIALECT.answer(
        request(), outcome(RemovalRequest(CutoutSpec(), Source(InputKind.BYTES, "body", b""), reply))
    )
    assert (response.status, response.media_type) == (200, "application/json")
    assert json.loads(response.body) == document


@pytest.mark.parametrize("name", ["api_key", "apikey", "key", "token", "x-api-key"])
def test_a_legacy_key_counts_only_where_it_is_allowed_and_is_never_an_unknown_field(name):
    old = as_json({"image": "eA==", name: "K"})
    assert DIALECT.credential(old, legacy=True) == "K"
    assert DIALECT.credential(old, legacy=False) is None
    assert DIALECT.parse(old).reply == "mask"
    assert DIALECT.credential(request(PNG, query={name: "K"}), legacy=True) == "K"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bg_image_file", InputKind.BYTES),
        ("bg_image_url", InputKind.URL),
        ("bg_image_base64", InputKind.BASE64),
    ],
)
def test_a_background_image_comes_as_a_file_a_url_or_base64(name, kind):
    order = DIALECT.parse(form({"image_url": b"http://a", name: b"value"}))
    assert order.background == Source(kind, name, b"value" if kind is InputKind.BYTES else "value")
    assert order.source == Source(InputKind.URL, "image_url", "http://a")


def test_json_takes_a_background_by_url_or_base64_and_none_is_none():
    order = DIALECT.parse(as_json({"image_base64": PNG_B64, "bg_image_url": "http://b"}))
    assert order.background == Source(InputKind.URL, "bg_image_url", "http://b")
    assert DIALECT.parse(as_json({"image_base64": PNG_B64, "bg_image_url": ""})).background is None


def test_two_backgrounds_are_refused():
    with pytest.raises(MultipleSourcesError) as caught:
        DIALECT.parse(form({"image_url": b"http://a", "bg_image_url": b"http://b", "bg_image_file": b"c"}))
    assert caught.value.details["fields"] == ["bg_image_file", "bg_image_url"]


def test_an_order_for_later_takes_its_background_along():
    order = DIALECT.parse(as_json({"image_url": "http://a", "bg_image_url": "http://b"}, prefer="respond-async"))
    assert order.respond_async
    assert order.background == Source(InputKind.URL, "bg_image_url", "http://b")


UPLOAD_ID = "upl_" + "0" * 32


@pytest.mark.parametrize(
    ("document", "accept", "reply"),
    [
        ({}, "", "bytes"),
        ({"channels": "alpha"}, "", "mask"),
        ({}, "application/json", "image"),
        ({"channels": "alpha"}, "image/*", "bytes"),
    ],
)
def test_an_upload_is_named_in_json_and_answered_like_a_url(document, accept, reply):
    order = DIALECT.parse(as_json({"upload_id": UPLOAD_ID, **document}, accept=accept))
    assert (order.source, order.reply) == (Source(InputKind.UPLOAD, "upload_id", UPLOAD_ID), reply)


def test_an_upload_is_named_in_forms_too_but_not_beside_another_image():
    assert DIALECT.parse(form({"upload_id": UPLOAD_ID.encode()})).source.value == UPLOAD_ID
    urlencoded = request(urlencode({"upload_id": UPLOAD_ID}).encode(), "application/x-www-form-urlencoded")
    assert DIALECT.parse(urlencoded).source.kind is InputKind.UPLOAD
    with pytest.raises(MultipleSourcesError):
        DIALECT.parse(form({"upload_id": UPLOAD_ID.encode(), "image_file": PNG}))


def test_a_request_says_whether_it_may_be_answered_later_and_under_which_name_it_is_done_once():
    plain = DIALECT.parse(request(PNG))
    assert (plain.respond_async, plain.idempotency_key) == (False, None)
    order = DIALECT.parse(request(PNG, prefer="wait=9, respond-async", idempotency_key="k-1"))
    assert (order.respond_async, order.idempotency_key) == (True, "k-1")
    with pytest.raises(InvalidRequestError):
        DIALECT.parse(request(PNG, idempotency_key="two words"))
