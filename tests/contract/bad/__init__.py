"""A table of bad requests, and what they are written with."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.builders import BOUNDARY, multipart
from tests.support.decompression_bombs import encoded
from tests.support.local_service import LIVE_KEY

MEGABYTE = 2**20
JPEG = encoded("JPEG")
PNG = encoded("PNG")
B64 = base64.b64encode(JPEG).decode()
FORM = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "application/x-www-form-urlencoded"

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


class Table:
    """Cases, in the order in which they are sent: called with a case's fields, takes it up."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def __call__(self, name: str, status: int, code: str, send: Send | Callable[[], Send], **more: Any) -> None:
        self.cases.append(Case(name, status, code, send if callable(send) else lambda: send, **more))


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


def with_headers(send: Send, **headers: str) -> Send:
    return send | {"headers": send["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}}


GOOD = form(image=JPEG)
