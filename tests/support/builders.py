"""Builders of what tests feed in: proxy events, compressed bodies, and multipart bodies as a browser writes them."""

import gzip
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from local.events import HttpRequest
from local.events import proxy_event as event_of
from local.resources import Route
from local.routing import RouteTable

BOUNDARY = "cutout-test-boundary"
gzipped = partial(gzip.compress, mtime=0)
"""gzip without the time, so that every process that collects the tests has the same parameters."""


def proxy_event(
    method: str = "GET",
    path: str = "/v2",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    query: Mapping[str, str | list[str]] | None = None,
    *,
    resource: str | None = None,
) -> dict[str, Any]:
    """The event of a request; resource: the route in the template, where it is not the path itself."""
    request = HttpRequest(
        method=method,
        path=path,
        query=urlencode(query or {}, doseq=True),
        headers=tuple((name, value) for name, value in (headers or {}).items()),
        body=body,
        source_ip="127.0.0.1",
    )
    match = RouteTable([Route("ANY", resource or path, "Function")]).match(method, path)
    assert match is not None, f"{path} does not match {resource}"
    return event_of(request, match, "prod", str(uuid4()))


def multipart(
    fields: Mapping[str, str] | None = None, files: Mapping[str, tuple[str, bytes, str]] | None = None
) -> tuple[bytes, str]:
    """A form-data body and its Content-Type. files: field name to (file name, bytes, media type)."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (fields or {}).items()
    ]
    for name, (filename, data, media_type) in (files or {}).items():
        disposition = f'form-data; name="{name}"; filename="{filename}"'
        head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: {media_type}\r\n\r\n"
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
