"""The web page in front of the gateway: the files of ``web/``, sample photos, and the API's documents as JSON.

``GET /`` is the page for clients that accept HTML and the API's own answer for everybody else; every path that is not a
file of the page is the API's. ``/status.json`` is made of what passes; in the cloud the canary writes it. The same
files can be served by S3 and CloudFront (``tools/export_site.py``).
"""

import asyncio
import gzip
import hashlib
import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

import yaml

from local import ROOT
from local.gateway import Scope, send_response
from local.request_bodies import Receive
from local.responses import HttpResponse
from local.site_status import StatusLog
from local.streaming import Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

WEB: Final = ROOT / "web"
SAMPLES: Final = ("astronaut", "chelsea", "coffee")
"""Photos of ``docs/images`` that the page offers; NOTICE names their authors and licences."""
STATUS: Final = "/status.json"
_TEXTS: Final = ("text/", "application/json", "image/svg+xml")
"""Media types that become smaller by compression."""
_LOOPBACK: Final = ("127.0.0.1", "localhost")


def site_files() -> dict[str, Path]:
    """The file behind each path of the page; YAML documents are answered as JSON."""
    files = {f"/{file.relative_to(WEB).as_posix()}": file for file in WEB.rglob("*") if file.is_file()}
    files |= {"/": WEB / "index.html", "/docs": WEB / "docs.html", "/status": WEB / "status.html"}
    files |= {f"/samples/{name}.jpg": ROOT / "docs" / "images" / f"{name}.jpg" for name in SAMPLES}
    files |= {f"/openapi/{file.stem}.json": file for file in (ROOT / "docs" / "openapi").glob("*.yaml")}
    return files | {"/openapi.json": ROOT / "docs" / "openapi.yaml"}


def read(file: Path) -> tuple[str, bytes]:
    """The media type and the content of a file of the page.

    Args:
        file: One of the values of :func:`site_files`.

    Returns:
        The ``Content-Type`` and the body. In a document of the API the references to other documents name those as
        they are served, in JSON.
    """
    if file.suffix == ".yaml":
        return "application/json", _document(file.read_text())
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return media_type + charset, file.read_bytes()


@lru_cache(maxsize=128)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


@cache
def _document(text: str) -> bytes:
    document = yaml.safe_load(text.replace(".yaml#", ".json#"))
    return json.dumps(document, default=str).encode()


def policy(storage: str) -> dict[str, str]:
    """The headers that keep the page to itself: no foreign script, style, frame or address.

    Args:
        storage: Origins of presigned URLs, to which large images are uploaded, separated by spaces.

    Returns:
        Header names in lower case. Sources: Content Security Policy Level 3, Permissions Policy (W3C).
    """
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        f"connect-src 'self' blob: {storage}".strip(),
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return {
        "content-security-policy": "; ".join(directives),
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(), microphone=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


class Site:
    """An ASGI application that answers the paths of the page and leaves all others to the API.

    Args:
        api: The application of the API.
        storage: Origin of presigned URLs.
        key: API key that the page offers to those who open it on this machine.
    """

    def __init__(self, api: App, storage: str, key: str) -> None:
        self._api = api
        self._files = site_files()
        self._headers = policy(storage)
        self._key = key
        self._status = StatusLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"]
        api_wanted = path == "/" and "text/html" not in headers.get("accept", "")
        known = path in self._files or path == STATUS
        if scope["method"] != "GET" or not known or api_wanted:
            removal = (scope["method"], path) == ("POST", "/v2")
            await self._api(scope, receive, self._status.watching(send) if removal else send)
        else:
            await send_response(send, partial(self._answer, path, headers))

    async def _answer(self, path: str, headers: Mapping[str, str], _request_id: str) -> HttpResponse:
        media_type, body = await asyncio.to_thread(self._read, path, headers)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        fields = {
            "content-type": media_type,
            "cache-control": "no-cache",
            "etag": tag,
            "vary": "accept, accept-encoding",
        } | self._headers
        if headers.get("if-none-match") == tag:
            return HttpResponse(304, tuple(fields.items()), b"")
        if media_type.startswith(_TEXTS) and "gzip" in headers.get("accept-encoding", ""):
            fields["content-encoding"], body = "gzip", await asyncio.to_thread(_compressed, body)
        return HttpResponse(200, tuple(fields.items()), body)

    def _read(self, path: str, headers: Mapping[str, str]) -> tuple[str, bytes]:
        if path == STATUS:
            return "application/json", self._status.document()
        return self._config(headers) if path == "/config.json" else read(self._files[path])

    def _config(self, headers: Mapping[str, str]) -> tuple[str, bytes]:
        """The page's settings, with the key where the host shows that no other site's name leads here."""
        media_type, body = read(self._files["/config.json"])
        settings: dict[str, Any] = json.loads(body)
        if headers.get("host", "").rpartition(":")[0] in _LOOPBACK:
            settings["key"] = self._key
        return media_type, json.dumps(settings).encode()
