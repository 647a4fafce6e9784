"""Ways of breaking a request."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tests.dialects.attempts import Attempt, form, plain
from tests.dialects.hostile import IMAGES, URLS, VALUES, WORDS
from tests.support.builders import BOUNDARY

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
MEDIA_TYPES = (
    "", "text/plain", "application/xml", "multipart/form-data", 'multipart/form-data; boundary=""', "image/png",
    "image/*", "application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded",
    "multipart/mixed; boundary=x", "application/octet-stream", "*/*", ";", "a" * 2_000,
    "multipart/form-data; boundary=" + "b" * 300, "application/json; =",
    f"multipart/form-data; boundary={BOUNDARY}; charset=utf-7", "multipart/form-data; boundary=\xff",
    "APPLICATION/JSON",
)  # fmt: skip
ACCEPTS = (
    "",
    "*",
    "*/*",
    "image/*;q=0",
    "text/html",
    "application/json;q=nan",
    "image/png;q=2, ,;",
    "image/jpg",
    "\xff/\xfe",
)
HEADERS = (
    "content-encoding", "transfer-encoding", "prefer", "idempotency-key", "range", "if-none-match", "cookie", "origin",
    "expect", "x-forwarded-host", "x-http-method-override", "content-length", "accept-language", "user-agent",
    "x-fal-request-timeout", "x-fal-queue-priority", "x-fal-target-url", "x-fal-file-name", "x-rapidapi-host",
    "access-control-request-method", "forwarded", "authorization", "x-api-key",
)  # fmt: skip


def _other_method(request: Attempt, dice: random.Random) -> None:
    request.method = dice.choice(METHODS)


def _below_path(request: Attempt, dice: random.Random) -> None:
    request.path += "/" + quote(dice.choice(WORDS)[:500], safe="", errors="replace")


def _garbled_path(request: Attempt, dice: random.Random) -> None:
    place = dice.randrange(1, len(request.path) + 1)
    request.path = (
        request.path[:place]
        + dice.choice(("%00", "%", "%ff", "//", "/..", "%2f", ".", ";", "é", "%zz"))
        + request.path[place:]
    )


def _odd_query(request: Attempt, dice: random.Random) -> None:
    known = [name for name, _ in (*request.fields, *request.query)] or ["x"]
    request.query += [
        (dice.choice((*known, *WORDS))[:2_000], str(_value(dice))[:2_000]) for _ in range(dice.randrange(1, 4))
    ]


def _key(request: Attempt, dice: random.Random) -> None:
    if not request.headers:
        return
    name = dice.choice(sorted(request.headers))
    good = request.headers[name]
    spoiled = (
        "",
        " ",
        good[:-1],
        good + "x",
        good.upper(),
        good + ", " + good,
        "k" * 5_000,
        "\xff\xfe",
        "Bearer",
        "Key :",
        "%00",
    )
    request.headers[name] = dice.choice(spoiled)


def _no_key(request: Attempt, _: random.Random) -> None:
    request.headers.clear()


def _header(request: Attempt, dice: random.Random) -> None:
    words = (
        *(word for word in WORDS if word.isprintable()),
        "gzip",
        "chunked",
        "respond-async",
        "bytes=0-1",
        "0",
        "-1",
        "nan",
    )
    value = dice.choice(words).encode("utf-8", "replace").decode("latin-1")[:5_000]
    request.headers.setdefault(dice.choice(HEADERS), value.replace("\n", "").replace("\r", ""))


def _accept(request: Attempt, dice: random.Random) -> None:
    request.headers["accept"] = dice.choice(ACCEPTS)


def _media_type(request: Attempt, dice: random.Random) -> None:
    request.body = request.encoded()
    request.media_type = dice.choice((None, *MEDIA_TYPES))


def _cut(request: Attempt, dice: random.Random) -> None:
    body = request.encoded()
    request.body = body[: dice.randrange(len(body) + 1)]


def _flip(request: Attempt, dice: random.Random) -> None:
    body = bytearray(request.encoded() or b"x")
    for _ in range(dice.choice((1, 3, 30))):
        body[dice.randrange(len(body))] = dice.randrange(256)
    request.body = bytes(body)


def _insert(request: Attempt, dice: random.Random) -> None:
    body, place = request.encoded(), dice.random()
    junk = dice.choice(
        (b"\0", b"\r\n", b"--", b"\xff\xfe", b"\r\n--" + BOUNDARY.encode() + b"\r\n", b"{", b'"', b"\\ud800", b"NaN")
    )
    at = int(place * len(body))
    request.body = body[:at] + junk * dice.choice((1, 1, 50)) + body[at:]


def _other_body(request: Attempt, dice: random.Random) -> None:
    bodies = (
        b"",
        b"null",
        b"[]",
        b"[[[",
        b'{"a":' * 2_000,
        b"NaN",
        b'"x"',
        b"%ff=%fe",
        b"a=b&" * 300,
        b"--",
        b"{}" * 2,
        bytes(3_000),
    )
    request.body = dice.choice((*bodies, *IMAGES.values(), dice.randbytes(200), form([("x", "y")] * 150), form([])))


def _field(request: Attempt, dice: random.Random) -> None:
    if request.fields:
        place = dice.randrange(len(request.fields))
        request.fields[place] = (request.fields[place][0], _value(dice))


def _picture(request: Attempt, dice: random.Random) -> None:
    name = dice.choice(sorted(IMAGES))
    request.log.append(name)
    for place, (field_name, value) in enumerate(request.fields):
        if isinstance(value, bytes):
            request.fields[place] = (field_name, IMAGES[name])


def _twice(request: Attempt, dice: random.Random) -> None:
    if request.fields:
        name, value = dice.choice(request.fields)
        request.fields.append((name.upper() if dice.random() < 0.3 else name, dice.choice((value, _value(dice)))))
        if (request.media_type or "").startswith("application/json"):
            pairs = [f"{json.dumps(name)}:{json.dumps(plain(value))}" for name, value in request.fields]
            request.body = "{{{}}}".format(",".join(pairs)).encode()


def _without(request: Attempt, dice: random.Random) -> None:
    if request.fields:
        del request.fields[dice.randrange(len(request.fields))]


def _more(request: Attempt, dice: random.Random) -> None:
    request.fields += [(dice.choice(WORDS)[:2_000], _value(dice)) for _ in range(dice.choice((1, 1, 2, 120)))]


def _raw_number(request: Attempt, dice: random.Random) -> None:
    """JSON that Python's writer would not write."""
    if request.fields and (request.media_type or "").startswith("application/json"):
        word = dice.choice(
            (
                "NaN",
                "-Infinity",
                "1e999",
                "9" * 5_000,
                "-0",
                "01",
                "0x1",
                "1.",
                "[" * 500,
                '"\\ud800"',
                '"\\u0000"',
                "tru",
            )
        )
        request.body = f"{{{json.dumps(dice.choice(request.fields)[0])}:{word}}}".encode()


def _recoded(request: Attempt, dice: random.Random) -> None:
    text = request.encoded().decode("latin-1")
    request.body = text.encode(dice.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))


def _value(dice: random.Random) -> Any:
    return dice.choice(
        (dice.choice(VALUES), dice.choice(VALUES), dice.choice(URLS), dice.choice(list(IMAGES.values())))
    )


WAYS: Mapping[str, Callable[[Attempt, random.Random], None]] = {
    way.__name__.strip("_"): way
    for way in (
        _other_method, _below_path, _garbled_path, _odd_query, _key, _no_key, _header, _accept, _media_type, _cut,
        _flip, _insert, _other_body, _field, _picture, _twice, _without, _more, _raw_number, _recoded,
    )
}  # fmt: skip
