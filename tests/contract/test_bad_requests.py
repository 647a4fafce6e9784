"""Bad requests, each to the running service: the contract's error, flat memory, nobody dies, and the next one works.

The whole table is sent once, in order, by the fixture ``record``; the tests look at what came back.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import bombs
from tests.bombs import encoded
from tests.builders import BOUNDARY, multipart
from tests.conftest import FileServer
from tests.local_service import LIVE_KEY, Service

pytestmark = pytest.mark.timeout(900)  # the first test waits for the whole table

TIMEOUT_S = 60
"""For each request: a bound on hanging, not a measurement; the contract says 2 s on a machine that is free."""
MEMORY_BYTES = 400 * 2**20
"""What the peak of a worker's memory may rise over that of one good cutout: about the largest body, a few times."""
MEGABYTE = 2**20

JPEG = encoded("JPEG")
PNG = encoded("PNG")
B64 = base64.b64encode(JPEG).decode()
FORM = f"multipart/form-data; boundary={BOUNDARY}"
TRUNCATED = dict(bombs.truncated())

Send = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A bad request, and the answer that it must get. send: arguments of httpx.request, made when they are needed."""

    name: str
    status: int
    code: str
    send: Callable[[], Send]
    method: str = "POST"
    path: str = "/v2"
    key: str | None = LIVE_KEY
    """The header x-api-key; None: there is none."""


CASES: list[Case] = []


def bad(name: str, status: int, code: str, send: Send | Callable[[], Send], **more: Any) -> None:
    assert name not in {case.name for case in CASES}
    CASES.append(Case(name, status, code, send if callable(send) else lambda: send, **more))


def raw(body: bytes, media_type: str | None = "application/octet-stream", **headers: str) -> Send:
    typed = {"content-type": media_type.encode("latin-1")} if media_type else {}
    return {"content": body, "headers": typed | headers}


def js(document: object) -> Send:
    return raw(json.dumps(document).encode(), "application/json")


def form(fields: Mapping[str, str] | None = None, image: bytes | None = None) -> Send:
    files = {} if image is None else {"image_file": ("photo.jpg", image, "image/jpeg")}
    return raw(*multipart(fields, files))


def parts(*heads_and_bodies: tuple[bytes, bytes], end: bytes = b"--\r\n") -> Send:
    """A form of parts written by hand: header lines and content."""
    boundary = b"--" + BOUNDARY.encode()
    body = b"".join(boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in heads_and_bodies)
    return raw(body + boundary + end, FORM)


def named(name: bytes, *more: bytes) -> bytes:
    return b"\r\n".join([b'Content-Disposition: form-data; name="' + name + b'"', *more])


GOOD = form(image=JPEG)
URLENCODED = "application/x-www-form-urlencoded"

# Keys
bad("no key", 401, "missing_api_key", GOOD, key=None)
bad("blank key", 401, "missing_api_key", GOOD, key="")
bad("unknown key", 403, "invalid_api_key", GOOD, key="ct_live_" + "A" * 43)
bad("most of a good key", 403, "invalid_api_key", GOOD, key="local-development-ke")
bad("good key in other case", 403, "invalid_api_key", GOOD, key="LOCAL-DEVELOPMENT-KEY")
bad("good key twice", 403, "invalid_api_key", GOOD, key="local-development-key, local-development-key")
bad("key of 5,000 characters", 403, "invalid_api_key", GOOD, key="k" * 5_000)
bad("basic authorization", 403, "invalid_api_key", {**GOOD, "auth": ("local-development-key", "")}, key=None)
bad(
    "bearer of nothing",
    401,
    "missing_api_key",
    GOOD | {"headers": GOOD["headers"] | {"authorization": "Bearer"}},
    key=None,
)
bad("key with odd bytes", 403, "invalid_api_key", {"content": JPEG, "headers": {b"x-api-key": b"k\xe9y\xff"}}, key=None)
bad("key in the query", 401, "missing_api_key", GOOD, path="/v2?api_key=local-development-key", key=None)
bad("key in the body", 401, "missing_api_key", js({"image": B64, "api_key": "local-development-key"}), key=None)
bad("bad key and bad body", 403, "invalid_api_key", js([]), key="wrong")
bad("account without a key", 401, "missing_api_key", {}, method="GET", path="/v2/account", key=None)
bad("account with a wrong key", 403, "invalid_api_key", {}, method="GET", path="/v2/account", key="wrong")

# Methods and routes
bad("GET of the removal", 405, "method_not_allowed", {}, method="GET")
bad("PUT of an image", 405, "method_not_allowed", raw(JPEG), method="PUT")
bad("DELETE", 405, "method_not_allowed", {}, method="DELETE")
bad("POST of the account", 405, "method_not_allowed", GOOD, path="/v2/account")
bad("a route that is not there", 404, "not_found", GOOD, path="/v3")
bad("the internal route", 404, "not_found", {}, method="GET", path="/internal/health")
bad("headers of 20 KB", 400, "invalid_request", raw(JPEG, "image/jpeg", **{"x-filler": "f" * 20_000}))

# Nothing to work on
bad("empty body", 400, "missing_image", raw(b"", None))
bad("empty raw body", 400, "missing_image", raw(b""))
bad("form without parts", 400, "missing_image", parts())
bad("form with options only", 400, "missing_image", form({"format": "png", "size": "full"}))
bad("empty file", 400, "missing_image", form(image=b""))
bad("empty text fields", 400, "missing_image", form({"image_url": "", "image_base64": ""}))
bad("empty object", 400, "missing_image", js({}))
bad("empty image", 400, "missing_image", js({"image": ""}))
bad("image of null", 400, "missing_image", js({"image": None, "image_url": None}))
bad("urlencoded options", 400, "missing_image", raw(b"format=png", URLENCODED))

# JSON
bad("half an object", 400, "invalid_request", raw(b'{"image": "', "application/json"))
bad("an empty JSON body", 400, "invalid_request", raw(b"", "application/json"))
bad("a list", 400, "invalid_request", js([B64]))
bad("a string", 400, "invalid_request", js(B64))
bad("a number", 400, "invalid_request", js(1))
bad("null", 400, "invalid_request", js(None))
bad("100,000 open lists", 400, "invalid_request", raw(b"[" * 100_000, "application/json"))
bad("100,000 nested objects", 400, "invalid_request", raw(b'{"a":' * 100_000, "application/json"))
bad(
    "a field nested deeply",
    400,
    "invalid_request",
    raw(b'{"image":' + b"[" * 900 + b"]" * 900 + b"}", "application/json"),
)
bad(
    "a number of a million digits",
    400,
    "invalid_request",
    raw(b'{"size":' + b"9" * 1_000_000 + b"}", "application/json"),
)
bad("an infinite number", 400, "invalid_option", raw(b'{"image":"AAAA","size":1e999}', "application/json"))
bad("JSON in latin-1", 400, "invalid_request", raw('{"image":"é"}'.encode("latin-1"), "application/json"))
bad("JSON of NUL bytes", 400, "invalid_request", raw(bytes(1_000), "application/json"))
bad("an unpaired surrogate", 400, "invalid_request", raw(b'{"image_url":"http://\\ud800/"}', "application/json"))
bad("image as an object", 400, "invalid_request", js({"image": {"data": B64}}))
bad("image as a list", 400, "invalid_request", js({"image": [B64]}))
bad("a picture called JSON", 400, "invalid_request", raw(JPEG, "application/json"))
bad("100,000 JSON fields", 400, "invalid_request", js({f"f{number}": "x" for number in range(100_000)}))
bad("a JSON name of a megabyte", 400, "invalid_option", js({"x" * MEGABYTE: "x", "image": B64}))
bad("a JSON name with NUL and surrogate", 400, "invalid_option", raw(b'{"\\u0000\\ud800":"x"}', "application/json"))

# Base64
bad("no base64", 400, "invalid_base64", js({"image": "!!!!"}))
bad("a digit too many", 400, "invalid_base64", js({"image": B64.rstrip("=") + "=A"}))
bad("five digits", 400, "invalid_base64", js({"image_base64": "abcde"}))
bad("base64 of umlauts", 400, "invalid_base64", form({"image_base64": "äöü="}))
bad("base64 with NUL", 400, "invalid_base64", js({"image": B64[:20] + "\0" + B64[20:]}))
bad("base64 in base64", 400, "unsupported_image_format", js({"image": base64.b64encode(B64.encode()).decode()}))
bad("base64 of text", 400, "unsupported_image_format", js({"image": base64.b64encode(b"hello").decode()}))
bad("an empty data URL", 400, "unsupported_image_format", js({"image": "data:image/png;base64,"}))
bad("a data URL of nothing but prefixes", 400, "invalid_base64", js({"image": "data:," * 1_000}))
bad("31 MB in base64", 413, "image_too_large", lambda: js({"image": "A" * (42 * MEGABYTE)}))

# Forms
bad("form without boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data"))
bad("form with an empty boundary", 400, "invalid_request", raw(GOOD["content"], 'multipart/form-data; boundary=""'))
bad("form with another boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data; boundary=other"))
bad("form with an odd boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data; boundary=\xe9\xff"))
bad("boundary of 5,000 characters", 400, "invalid_request", raw(b"x", "multipart/form-data; boundary=" + "b" * 5_000))
bad("form cut in a part", 400, "invalid_request", raw(GOOD["content"][:200], FORM))
bad("form without an end", 400, "invalid_request", parts((named(b"image_file"), JPEG), end=b""))
bad("JSON called a form", 400, "invalid_request", raw(json.dumps({"image": B64}).encode(), FORM))
bad("a picture called a form", 400, "invalid_request", raw(JPEG, FORM))
bad("part without headers", 400, "invalid_request", parts((b"", JPEG)))
bad("part without a name", 400, "invalid_request", parts((b"Content-Disposition: form-data", JPEG)))
bad("part that is no form-data", 400, "invalid_request", parts((b'Content-Disposition: attachment; name="a"', JPEG)))
bad("part header without colon", 400, "invalid_request", parts((b"Content-Disposition form-data", JPEG)))
bad("part header of a megabyte", 400, "invalid_request", parts((named(b"n" * MEGABYTE), JPEG)))
bad("10,000 part headers", 400, "invalid_request", parts((named(b"image_file", *[b"X-Y: z"] * 10_000), JPEG)))
bad("part header in odd bytes", 400, "invalid_request", parts((named(b"\xff\xfe\x80"), JPEG)))
bad("5,000 parts", 400, "invalid_request", form({f"f{number}": "x" for number in range(5_000)}))
bad("a field twice, differently", 400, "invalid_request", parts((named(b"size"), b"hd"), (named(b"SIZE"), b"full")))
bad("two files", 400, "invalid_request", parts((named(b"image_file"), JPEG), (named(b"image_file"), PNG)))
bad("a field in odd bytes", 400, "invalid_request", parts((named(b"image_file"), JPEG), (named(b"size"), b"\xff\xfe")))
bad("an option with NUL", 400, "invalid_option", form({"format": "png\0"}, JPEG))
bad("an option of a megabyte", 400, "invalid_option", form({"format": "p" * MEGABYTE}, JPEG))
bad("a name with NUL", 400, "invalid_option", parts((named(b"image_file\0"), JPEG)))
bad("urlencoded in odd bytes", 400, "invalid_request", raw(b"image_url=%ff%fe", URLENCODED))
bad("10,000 urlencoded fields", 400, "invalid_request", raw(b"&".join([b"a=b"] * 10_000), URLENCODED))
bad("a text as file", 400, "unsupported_image_format", form(image=b"hello"))
bad("base64 as file", 400, "unsupported_image_format", form(image=B64.encode()))

# Two sources
bad("file and URL", 400, "multiple_sources", form({"image_url": "http://example.com/"}, JPEG))
bad("file and base64", 400, "multiple_sources", form({"image_base64": B64}, PNG))
bad("image and URL", 400, "multiple_sources", js({"image": B64, "image_url": "http://example.com/"}))
bad("two base64 fields", 400, "multiple_sources", js({"image": B64, "image_base64": base64.b64encode(PNG).decode()}))

# Options
for number, (option, value) in enumerate([
    ("format", "svg"), ("format", "png,jpg"), ("format", "../../etc/passwd"), ("size", "4k"), ("size", "-1"),
    ("size", "100000"), ("channels", "cmyk"), ("crop", "maybe"), ("crop", "2"), ("despill", "truefalse"),
    ("bg_color", "notacolor"), ("bg_color", "#12"), ("bg_color", "#gggggg"), ("bg_color", "#1234567"),
    ("bg_color", "rgb(1,2,3)"), ("bg_color", "\N{PILE OF POO}"), ("bg_color", "f" * 100_000), ("formats", "png"),
    ("model", "u2net"), ("__class__", "x"),
]):  # fmt: skip
    bad(f"{option}={value[:20]} ({number})", 400, "invalid_option", form({option: value}, JPEG))
bad("a bad option in JSON", 400, "invalid_option", js({"image": B64, "crop": "perhaps"}))
bad("a bad option in the query", 400, "invalid_option", raw(JPEG, "image/jpeg"), path="/v2?format=exe")
bad("an option twice in the query", 400, "invalid_request", raw(JPEG, "image/jpeg"), path="/v2?size=hd&size=full")

# Media types
bad("plain text", 415, "unsupported_media_type", raw(b"hello", "text/plain"))
bad("XML", 415, "unsupported_media_type", raw(b"<image/>", "application/xml"))
bad("an odd media type", 415, "unsupported_media_type", raw(b"hello", "x" * 1_000))
bad("text called a picture", 400, "unsupported_image_format", raw(b"hello", "image/png"))
bad("text called bytes", 400, "unsupported_image_format", raw(b"hello"))
bad("text called nothing", 400, "unsupported_image_format", raw(b"hello", None))

# What is no picture
for name, body in {
    "HEIC": b"\0\0\0\x18ftypheic" + bytes(100),
    "PDF": b"%PDF-1.7\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "HTML": b"<!doctype html><title>404</title>",
    "ZIP": b"PK\x03\x04" + bytes(100),
    "a program": b"\x7fELF" + bytes(1_000),
    "NUL bytes": bytes(MEGABYTE),
    "a megabyte of noise": os.urandom(MEGABYTE - 1) + b"\n",
}.items():
    bad(name, 400, "unsupported_image_format", form(image=b"\x00" + body if name == "a megabyte of noise" else body))

# Broken pictures
for file_format, half in TRUNCATED.items():
    bad(f"half a {file_format}", 400, "invalid_image", raw(half))
    bad(f"the head of a {file_format}", 400, "invalid_image", raw(half[:20]))
bad("PNG without pixels", 400, "invalid_image", raw(bombs.png(0, 0, b"")))
bad("PNG of noise", 400, "invalid_image", raw(b"\x89PNG\r\n\x1a\n" + os.urandom(1_000)))
bad("PNG with a wrong sum", 400, "invalid_image", raw(PNG[:29] + b"\0\0\0\0" + PNG[33:]))
bad("PNG with a colour type of its own", 400, "invalid_image", raw(bombs.png(8, 8, b"", colour_type=5)))

# Bombs
bad("PNG: 1 GB of pixels in 1 MB", 413, "resolution_too_high", lambda: raw(bombs.png_of_a_gigabyte()))
bad("PNG: 1 GB of text in 1 MB", 400, "invalid_image", lambda: raw(bombs.png_with_text_of_a_gigabyte()))
bad("PNG: 1 GB of profile in 1 MB", 400, "invalid_image", lambda: raw(bombs.png_with_profile_of_a_gigabyte()))
bad("PNG: 2**31 by 2**31", 413, "resolution_too_high", raw(bombs.png(2**31 - 1, 2**31 - 1, b"")))
bad("PNG: 16,385 by 1", 413, "resolution_too_high", raw(bombs.png(16_385, 1, b"")))
bad("GIF: 65,535 by 65,535", 413, "resolution_too_high", raw(bombs.gif(65_535, 65_535, (1, 1))))
bad("GIF: a frame larger than its screen", 413, "resolution_too_high", raw(bombs.gif(8, 8, (65_535, 65_535))))
bad("BMP: 30,000 by 30,000", 413, "resolution_too_high", raw(bombs.bmp(30_000, 30_000)))
bad("TIFF: 30,000 by 30,000", 413, "resolution_too_high", lambda: raw(bombs.tiff(30_000, 30_000)))
bad("TIFF: pixels that do not suffice", 400, "invalid_image", lambda: raw(bombs.tiff(7_000, 7_000)))
bad("WebP: 16,384 by 16,384", 413, "resolution_too_high", raw(bombs.webp(16_384, 16_384)))
bad("JPEG: 65,500 by 65,500", 413, "resolution_too_high", raw(bombs.jpeg(65_500, 65_500)))
bad("JPEG: 10,000 scans", 400, "invalid_image", lambda: raw(bombs.jpeg_of_scans(10_000)))
bad("a bomb in a form", 413, "resolution_too_high", lambda: form(image=bombs.png_of_a_gigabyte()))
bad("31 MB", 413, "image_too_large", lambda: raw(PNG + bytes(31 * MEGABYTE)))
bad("31 MB in a form", 413, "image_too_large", lambda: form(image=PNG + bytes(31 * MEGABYTE)))
bad("an option of 20 MB", 400, "invalid_option", lambda: form({"format": "p" * (20 * MEGABYTE)}, JPEG))
bad("a body of 65 MB", 413, "image_too_large", lambda: raw(bytes(65 * MEGABYTE)))

# URLs
for url in [
    "not a url", "file:///etc/passwd", "ftp://example.com/a.jpg", "http://", "http://127.0.0.1:{service}/health",
    "http://localhost:{service}/health", "http://[::1]:{service}/", "http://2130706433:{service}/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://127.0.0.1:22/",
    "http://user:secret@127.0.0.1:{files}/good.jpg", "http://localhost:{files}/good.jpg",
    "http://127.0.0.1:{files}/missing.jpg", "http://127.0.0.1:{files}/empty.jpg", "http://" + "a" * 10_000,
]:  # fmt: skip
    bad(f"URL {url[:50]}", 400, "image_url_fetch_failed", js({"image_url": url}))
bad("URL of a page", 400, "unsupported_image_format", js({"image_url": "http://127.0.0.1:{files}/page.html"}))
bad("URL of half a picture", 400, "invalid_image", js({"image_url": "http://127.0.0.1:{files}/half.jpg"}))
bad("URL of 31 MB", 413, "image_too_large", js({"image_url": "http://127.0.0.1:{files}/large.jpg"}))
bad("URL of a bomb", 413, "resolution_too_high", form({"image_url": "http://127.0.0.1:{files}/bomb.png"}))


# Jobs, uploads, and requests done later or once
JOBS, UPLOADS = "/v2/jobs", "/v2/uploads"
NO_JOB = "/v2/jobs/job_" + "0" * 32
NO_UPLOAD = "upl_" + "0" * 32


def with_headers(send: Send, **headers: str) -> Send:
    return send | {"headers": send["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}}


bad("job without a key", 401, "missing_api_key", js({}), path=JOBS, key=None)
bad("job with a wrong key", 403, "invalid_api_key", js([]), path=JOBS, key="wrong")
bad("upload without a key", 401, "missing_api_key", js({}), path=UPLOADS, key=None)
bad("list without a key", 401, "missing_api_key", {}, method="GET", path=JOBS, key=None)
bad("PUT of jobs", 405, "method_not_allowed", js({}), method="PUT", path=JOBS)
bad("POST of a job", 405, "method_not_allowed", js({}), path=NO_JOB)
bad("GET of uploads", 405, "method_not_allowed", {}, method="GET", path=UPLOADS)
bad("a route below jobs", 404, "not_found", {}, method="GET", path=f"{NO_JOB}/result")
for number, path in enumerate((NO_JOB, "/v2/jobs/x", "/v2/jobs/%00", "/v2/jobs/%2e%2e", "/v2/jobs/" + "j" * 5_000)):
    bad(f"look at no job {number}", 404, "not_found", {}, method="GET", path=path)
    bad(f"deletion of no job {number}", 404, "not_found", {}, method="DELETE", path=path)
bad("job as a form", 415, "unsupported_media_type", form({"format": "png"}), path=JOBS)
bad("job as a picture", 415, "unsupported_media_type", raw(JPEG, "image/jpeg"), path=JOBS)
bad("job as text", 415, "unsupported_media_type", raw(b"{}", "text/plain"), path=JOBS)
bad("job of half an object", 400, "invalid_request", raw(b'{"format":', "application/json"), path=JOBS)
bad("job of a list", 400, "invalid_request", js([{}]), path=JOBS)
bad("job of nested objects", 400, "invalid_request", raw(b'{"a":' * 100_000, "application/json"), path=JOBS)
bad("job with an unknown field", 400, "invalid_option", js({"filename": "a.jpg"}), path=JOBS)
bad("job with an image in it", 400, "invalid_option", js({"image": B64}), path=JOBS)
bad("job with a wrong format", 400, "invalid_option", js({"format": "heic"}), path=JOBS)
bad("job with half a mask", 400, "invalid_option", js({"mask": "half"}), path=JOBS)
bad("job of a wrong type", 400, "invalid_option", js({"content_type": "text/html"}), path=JOBS)
bad("job of a private address", 400, "image_url_fetch_failed", js({"image_url": "http://10.0.0.1/a"}), path=JOBS)
bad("job of a file", 400, "image_url_fetch_failed", js({"image_url": "file:///etc/passwd"}), path=JOBS)
bad("job that tells a private address", 400, "invalid_option", js({"webhook_url": "http://[::1]/"}), path=JOBS)
bad("job that tells the cloud", 400, "invalid_option", js({"webhook_url": "http://169.254.169.254/"}), path=JOBS)
bad("job that tells a decimal host", 400, "invalid_option", js({"webhook_url": "http://2130706433/"}), path=JOBS)
bad("job that tells nobody", 400, "invalid_option", js({"webhook_url": "nobody"}), path=JOBS)
bad("job that tells a megabyte", 400, "invalid_option", js({"webhook_url": "http://" + "h" * MEGABYTE}), path=JOBS)
WRONG_QUERIES = ["limit=0", "limit=101", "limit=-1", "limit=ten", "status=done", "cursor=x", "cursor=%00", "cursor=e30"]
for number, query in enumerate([*WRONG_QUERIES, "cursor=" + "A" * 2_000]):
    bad(f"list with wrong query {number}", 400, "invalid_option", {}, method="GET", path=f"{JOBS}?{query}")
bad("list with two limits", 400, "invalid_request", {}, method="GET", path=f"{JOBS}?limit=1&limit=2")
bad("upload with a name", 400, "invalid_option", js({"filename": "a.jpg"}), path=UPLOADS)
bad("upload of a wrong type", 400, "invalid_option", js({"content_type": "image/*"}), path=UPLOADS)
bad("upload of bytes", 415, "unsupported_media_type", raw(JPEG, "image/jpeg"), path=UPLOADS)
bad("an upload that is not there", 404, "not_found", js({"upload_id": NO_UPLOAD}))
bad("an upload that is not there, in a form", 404, "not_found", form({"upload_id": NO_UPLOAD}))
bad("an upload by a path", 400, "invalid_request", js({"upload_id": "../../uploads/acct_local"}))
bad("an upload by a megabyte", 400, "invalid_request", js({"upload_id": "u" * MEGABYTE}))
bad("an upload and a file", 400, "multiple_sources", form({"upload_id": NO_UPLOAD}, JPEG))
bad("an empty idempotency key", 400, "invalid_request", with_headers(GOOD, idempotency_key=""))
bad("a long idempotency key", 400, "invalid_request", with_headers(GOOD, idempotency_key="k" * 256))
bad("an idempotency key of words", 400, "invalid_request", with_headers(GOOD, idempotency_key="two words"))
bad("a job with an empty idempotency key", 400, "invalid_request", with_headers(js({}), idempotency_key=""), path=JOBS)
bad("a text, once", 400, "unsupported_image_format", with_headers(form(image=b"hello"), idempotency_key="bad-1"))
bad("a text, once more", 400, "unsupported_image_format", with_headers(form(image=b"hello"), idempotency_key="bad-1"))
bad("another text, once", 422, "idempotency_mismatch", with_headers(form(image=b"other"), idempotency_key="bad-1"))
bad("nothing, later", 400, "missing_image", with_headers(form(), prefer="respond-async"))
bad("no base64, later", 400, "invalid_base64", with_headers(js({"image": "!!!!"}), prefer="respond-async"))
bad(
    "a private address, later",
    400,
    "image_url_fetch_failed",
    with_headers(js({"image_url": "http://127.0.0.1/a"}), prefer="respond-async"),
)
bad("no upload, later", 404, "not_found", with_headers(js({"upload_id": NO_UPLOAD}), prefer="respond-async"))


@dataclass(frozen=True, slots=True)
class Record:
    """What came of sending the table: answers by case, and the workers' peak memory in bytes, by process, around it."""

    answers: Mapping[str, httpx.Response | httpx.HTTPError]
    before: Mapping[int, int]
    after: Mapping[int, int]
    good: httpx.Response


@pytest.fixture(scope="module")
def files(file_server: FileServer) -> FileServer:
    folder = file_server.folder
    (folder / "good.jpg").write_bytes(JPEG)
    (folder / "half.jpg").write_bytes(TRUNCATED["JPEG"])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.html").write_bytes(b"<!doctype html><title>not found</title>")
    (folder / "bomb.png").write_bytes(bombs.png_of_a_gigabyte())
    with (folder / "large.jpg").open("wb") as file:
        file.truncate(31 * MEGABYTE)
    return file_server


@pytest.fixture(scope="module")
def record(service: Service, files: FileServer) -> Record:
    ports = {b"{service}": service.url.rpartition(":")[2].encode(), b"{files}": files.url.rpartition(":")[2].encode()}

    with httpx.Client(base_url=service.url, timeout=TIMEOUT_S) as client:
        for _ in range(2 * (os.cpu_count() or 1)):  # every worker has seen a picture
            good(client, service)
        before = peaks()
        answers = {case.name: ask(client, case, ports) for case in CASES}
        return Record(answers, before, peaks(), good(client, service))


def good(client: httpx.Client, service: Service) -> httpx.Response:
    body, media_type = multipart(files={"image_file": ("photo.jpg", JPEG, "image/jpeg")})
    headers = {"x-api-key": service.key, "content-type": media_type}
    return client.post("/v2", content=body, headers=headers, timeout=60)


def ask(client: httpx.Client, case: Case, ports: Mapping[bytes, bytes]) -> httpx.Response | httpx.HTTPError:
    send = dict(case.send())
    for placeholder, port in ports.items():
        if "URL" in case.name:
            send["content"] = send["content"].replace(placeholder, port)
    if case.key is not None:
        send["headers"] = send.get("headers", {}) | {"x-api-key": case.key}
    try:
        return client.request(case.method, case.path, **send)
    except httpx.HTTPError as error:  # no answer in time, or no whole one: for the case's own test to tell
        return error


def peaks() -> dict[int, int]:
    """Peak resident memory of every process below this one that runs a function, in bytes; Linux only."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            command = (folder / "cmdline").read_bytes()
        except OSError:  # gone meanwhile
            continue
        if b"runtime.py" in command and descends(int(folder.name)):
            found[int(folder.name)] = int(status["VmHWM"].split()[0]) * 1024
    return found


def descends(process: int) -> bool:
    while process > 1:
        if process == os.getpid():
            return True
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_the_table_is_long_enough():
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_request_is_answered_in_the_contract_s_words(record, case):
    answer = record.answers[case.name]

    assert isinstance(answer, httpx.Response), repr(answer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (case.status, case.code), answer.text[:500]
    error = answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    assert error.keys() == {"code", "message", "status", "request_id", "details"}
    assert error["status"] == case.status
    assert error["request_id"].startswith("req_")
    assert error["message"]
    assert isinstance(error["details"], dict)
    assert len(answer.content) < 4_096


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_error_tells_neither_keys_nor_insides(record, case):
    answer = record.answers[case.name]

    assert isinstance(answer, httpx.Response), repr(answer)
    for secret in ("local-development-key", "Traceback", ".py", "/var/", "cutout.", "PIL", "numpy", "secret@"):
        assert secret not in answer.text


def test_the_next_good_request_works(record):
    assert (record.good.status_code, record.good.headers["content-type"]) == (200, "image/png")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which is Linux's")
def test_no_worker_dies_or_grows(record):
    assert len(record.before) >= 3
    assert record.before.keys() == record.after.keys()
    grown = {process: (record.after[process] - peak) // MEGABYTE for process, peak in record.before.items()}
    assert max(grown.values()) * MEGABYTE < MEMORY_BYTES, grown
