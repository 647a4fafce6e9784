"""A request that is on its way to be broken, and how its body is written."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.support.builders import BOUNDARY


@dataclass
class Attempt:
    """A request that is being broken. Of body and fields one is empty; ``log`` says what was done to it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    media_type: str | None
    fields: list[tuple[str, Any]]
    body: bytes | None = None
    log: list[str] = field(default_factory=list)

    def encoded(self) -> bytes:
        """The body as it is sent."""
        if self.body is not None:
            return self.body
        kind = (self.media_type or "").partition(";")[0]
        if kind == "multipart/form-data":
            return form(self.fields)
        if kind == "application/json":
            return json.dumps({name: plain(value) for name, value in self.fields}).encode()
        if kind == "application/x-www-form-urlencoded":
            return urlencode([(name, plain(value)) for name, value in self.fields], errors="replace").encode()
        return next((value for _, value in self.fields if isinstance(value, bytes)), b"")

    def target(self) -> str:
        """Path and query of the request line."""
        return self.path + ("?" + urlencode(self.query, errors="replace") if self.query else "")


def plain(value: Any) -> Any:
    """As JSON or a urlencoded form can hold it."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def form(fields: Sequence[tuple[str, Any]], boundary: str = BOUNDARY) -> bytes:
    """A multipart body; what is bytes goes as a file."""
    parts = []
    for name, value in fields:
        data = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
        more = '; filename="photo.png"\r\nContent-Type: image/png' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        parts.append(head.encode("utf-8", "replace") + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()
