"""Requests as bytes on the wire, written by hand as no library writes them; and the routes that take a form."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

import requests

from tests.dialects.fal_bench import stored
from tests.support.in_process_api import URL

KEY = "local-development-key"
KEYS = {"x-api-key": KEY, "api-key": KEY, "x-picsart-api-key": KEY}
"""The key under every name that a contract has for it."""
FORMS = {
    "/v2": "image_file",
    "/v1.0/removebg": "image_file",
    "/v1/segment": "image_file",
    "/remove-background/v1": "image_file",
    "/v2.0/remove_image_background": "source_image_file",
    "/tools/1.0/removebg": "image",
    "/v1/results": "image",
    "/api/remove": "file",
}
"""By route of every contract that takes multipart forms: the field of the file."""

_SHORT_CHARS = 60
"""Names and checksums are shorter than URLs and pictures."""


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body in which every detail of the framing is open.

    Attributes:
        field: The name of the file's field.
        data: The file, as it stands in the body.
        file_name: The name of the file, as it stands in the header.
        content_type: The header of the request.
        boundary: The boundary in the body.
        line: How lines end.
        padding: What stands between a boundary and the end of its line.
        headers: More headers of the file's part.
    """

    field: str
    data: bytes
    file_name: bytes = b"a.png"
    content_type: str = "multipart/form-data; boundary=XX"
    boundary: bytes = b"XX"
    line: bytes = b"\r\n"
    padding: bytes = b""
    headers: tuple[bytes, ...] = (b"Content-Type: image/png",)

    def body(self) -> bytes:
        """Write the body."""
        name = b'form-data; name="%s"; filename="%s"' % (self.field.encode(), self.file_name)
        head = [b"--" + self.boundary + self.padding, b"Content-Disposition: " + name, *self.headers, b""]
        return self.line.join([*head, self.data, b"--" + self.boundary + b"--" + self.padding, b""])


def spread(kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Pair kinds of input with routes: every kind with ``/v2``, and every route with one kind at least."""
    names = list(kinds)
    others = [(route, names[index % len(names)]) for index, route in enumerate(FORMS) if route != "/v2"]
    return [*(("/v2", name) for name in names), *others]


def post_form(api: requests.Session, route: str, form: Form) -> requests.Response:
    """Send a form to a route, with every contract's key."""
    return api.post(f"{URL}{route}", data=form.body(), headers={**KEYS, "content-type": form.content_type})


def post_raw(api: requests.Session, file: Path) -> requests.Response:
    """Send a recorded request: its request line, headers and body."""
    head, _, body = file.read_bytes().partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    method, target = re.fullmatch(rb"(\w+) (\S+) HTTP/1.1", line).groups()
    headers: Message = BytesHeaderParser().parsebytes(fields)
    sent = {name: value for name, value in headers.items() if name.lower() not in {"host", "connection"}}
    return api.request(method.decode(), f"{URL}{target.decode()}", data=body, headers=sent)


def picture_of(answer: requests.Response) -> bytes:
    """Find the picture in an answer of any contract: its body, base64 in JSON, or what a URL in JSON leads to."""
    assert answer.status_code == 200, answer.text
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.content
    texts = [text for text in _texts(answer.json()) if len(text) > _SHORT_CHARS]
    assert len(texts) == 1
    return stored(texts[0]) if texts[0].startswith("https://") else base64.b64decode(texts[0])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
