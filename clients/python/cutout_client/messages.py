"""HTTP as values, and the protocol between the logic of the client and the code that does input and output.

An operation of the client is a generator (a :data:`Flow`). It yields a :class:`Request` and is sent an
:class:`Answer` or a :class:`~cutout_client.errors.TransportError`, or yields a :class:`Pause` and is sent None. So
retries, uploads and polling are written once, without sockets, and run under blocking and asynchronous code alike.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, TypeVar, Union
from uuid import uuid4

from cutout_client.errors import TransportError, UnexpectedAnswerError

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes:
        method: HTTP method.
        url: Path of the API, or an absolute URL (presigned by the service), to which no key is sent.
        headers: Besides the key and the User-Agent.
        body: Body, whole.
        repeatable: Whether sending it twice does what sending it once does.
        stage: What it is for: ``upload``, ``remove``, ``download`` or ``other``; told to progress callbacks.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    repeatable: bool = True
    stage: str = "other"


@dataclass(frozen=True)
class Answer:
    """One HTTP response; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def request_id(self) -> str:
        """The service's name of the request; empty when there is none."""
        return self.headers.get("x-request-id", "")

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of the header Retry-After (RFC 9110, 10.2.3), from a number or a date; None without it."""
        text = self.headers.get("retry-after", "").strip()
        if not text:
            return None
        try:
            return max(0.0, float(text))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time())
        except (TypeError, ValueError):
            return None

    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            UnexpectedAnswerError: It is not one.
        """
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise UnexpectedAnswerError(f"HTTP {self.status} with a body that is not JSON") from error
        if not isinstance(document, dict):
            raise UnexpectedAnswerError(f"HTTP {self.status} with JSON that is not an object")
        return document


@dataclass(frozen=True)
class Pause:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True)
class Progress:
    """How far a call is.

    Attributes:
        stage: ``upload``, ``remove``, ``download`` or ``other``.
        direction: ``sent`` or ``received``.
        done_bytes: Bytes so far.
        total_bytes: All bytes; None when not known.
    """

    stage: str
    direction: str
    done_bytes: int
    total_bytes: int | None


Flow = Generator[Union[Request, Pause], Union[Answer, TransportError, None], T]
"""An operation; returns T."""


def json_request(method: str, url: str, document: Mapping[str, Any] | None = None, **how: Any) -> Request:
    """Return a request with a JSON body.

    Args:
        method: HTTP method.
        url: Path of the API.
        document: Body; None for no body.
        **how: Other fields of :class:`Request`.
    """
    if document is None:
        return Request(method, url, **how)
    headers = {**how.pop("headers", {}), "content-type": "application/json"}
    return Request(method, url, headers, json.dumps(document).encode(), **how)


def multipart(fields: Mapping[str, str], files: Sequence[tuple[str, str, str, bytes]] = ()) -> tuple[bytes, str]:
    """Return a multipart/form-data body (RFC 7578) and its Content-Type.

    Args:
        fields: Text fields, written first.
        files: Name of the field, name of the file, media type, bytes.
    """
    boundary = f"cutout-{uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, file_name, media_type, data in files:
        disposition = f'form-data; name="{name}"; filename="{_quotable(file_name)}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {media_type}\r\n\r\n"
        parts += [head.encode(), data, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _quotable(name: str) -> str:
    """A file name as browsers write it (WHATWG HTML, multipart/form-data encoding)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
