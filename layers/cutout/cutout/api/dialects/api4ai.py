"""API4AI background removal v1: ``POST /v1/results``, and the pages ``/v1/version`` and ``/v1/modes``.

A request is refused with ``{"detail": ...}``. An image that cannot be processed is a result with the status
``failure`` in an answer with 200. The format of a file is read from its first bytes, because the vendor's samples send
names without an ending and parts without a type.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from cutout import errors
from cutout.api import headers as auth
from cutout.api.answers import base64_of, json_answer
from cutout.api.body.fields import form_fields
from cutout.api.dialects.base import Dialect, LoadedRemoval, Outcome, RemovalRequest
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source, url_source
from cutout.errors import CutoutError
from cutout.imaging.codecs.formats import require_format
from cutout.imaging.spec import Channels, CutoutSpec, Length, LengthUnit, Limits, Shadow

_PREFIXES: Final = ("/v1", "/img-bg-removal/v1")
"""The prefixes of the routes: behind RapidAPI, and at the vendor's own host."""
_VERSION: Final = "v1.5.0"
"""The version of the API."""
_SHADOW: Final = Shadow(
    offset_x=Length(1.5, LengthUnit.PERCENT),
    offset_y=Length(2.5, LengthUnit.PERCENT),
    blur=Length(7, LengthUnit.PERCENT),
    opacity=0.5,
)
"""The look of the original's shadow is not documented; this one is soft and nearly below the subject."""
_MODES: Final[Mapping[str, CutoutSpec]] = {
    "fg-image": CutoutSpec(),
    "fg-image-shadow": CutoutSpec(shadow=_SHADOW),
    "fg-mask": CutoutSpec(channels=Channels.ALPHA),
}
_DEFAULT_MODE: Final = "fg-image"
_LIMITS: Final = Limits(max_bytes=16 * 2**20 - 1, max_pixels=4096 * 4096, max_side_px=4096)
_TOO_MANY_BYTES: Final = "It must have less than 16 MB."
_CANNOT_LOAD: Final = "Can not load image."
"""The vendor's sentence, by itself, since clients compare it; the reason stands in a member of its own."""
_MAX_BODY_BYTES: Final = 32 * 2**20
_KINDS: Final = frozenset({"jpeg", "png"})
_FAILURES: Final = (
    errors.InvalidBase64Error,
    errors.InvalidImageError,
    errors.UnsupportedImageFormatError,
    errors.ImageTooLargeError,
    errors.ResolutionTooHighError,
    errors.ImageUrlFetchFailedError,
)
"""Errors that are faults of the image."""
_UNPROCESSABLE: Final = (errors.MissingImageError, errors.InvalidOptionError)
_TOO_LARGE: Final = (
    b"<html><head><title>413 Request Entity Too Large</title></head>"
    b"<body><h1>Error: Request Entity Too Large</h1>"
    b"<h2>Your client issued a request that was too large.</h2></body></html>\n"
)


class Api4Ai(Dialect):
    """A contract that answers with base64 PNG in a list of one result. The original's demo host needs no key."""

    name = "api4ai"
    title = "API4AI Background Removal v1"
    keyless = True
    routes = frozenset(("POST", f"{prefix}{path}") for prefix in _PREFIXES for path in ("/results", "/cars/results"))

    def __init__(self) -> None:
        self.pages = {("GET", f"{prefix}/version"): show_version for prefix in _PREFIXES} | {
            ("GET", f"{prefix}/modes"): list_modes for prefix in _PREFIXES
        }

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the key of the marketplace (RapidAPI), or a key as in our own contract."""
        return request.headers.get("x-rapidapi-key", "").strip() or auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse ``mode`` in the query, and ``image`` or else ``url`` in a multipart, urlencoded or JSON body."""
        if len(request.body) > _MAX_BODY_BYTES:
            raise errors.ImageTooLargeError("The request is too large.", {"max_bytes": _MAX_BODY_BYTES})
        mode = _mode(request)
        return RemovalRequest(_MODES[mode], _source(request), mode, limits=_LIMITS)

    def check_image(self, loaded: LoadedRemoval) -> None:
        """Require JPEG or PNG. Raises UnsupportedImageFormatError."""
        require_format(loaded.image, _KINDS, "JPEG or PNG")

    def answer(self, request: Request, outcome: Outcome) -> Response:
        """Write the cutout or the mask as the only entity of the only result."""
        image = base64_of(outcome.result)
        entity = {"kind": "image", "name": f"general-{outcome.request.reply}", "image": image, "format": "PNG"}
        return _result(request, outcome.image, {"code": "ok", "message": "Success"}, entity)

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write a result that is a failure, or ``{"detail": text}``; for a large body HTML, as the original."""
        if isinstance(error, _FAILURES) and len(request.body) <= _MAX_BODY_BYTES:
            reason = _TOO_MANY_BYTES if isinstance(error, errors.ImageTooLargeError) else error.message
            return _result(request, error.image, {"code": "failure", "message": _CANNOT_LOAD, "reason": reason})
        if isinstance(error, errors.ImageTooLargeError):
            return Response(413, "text/html", _TOO_LARGE)
        status = 422 if isinstance(error, _UNPROCESSABLE) else status_of(error)
        return Response(
            status, "application/json", json.dumps({"detail": error.message}).encode(), refusal_headers(error)
        )


def show_version(_: Request) -> Response:
    """Write the version as plain text."""
    return Response(200, "text/plain", _VERSION.encode())


def list_modes(_: Request) -> Response:
    """Write the modes as a JSON array."""
    return Response(200, "application/json", json.dumps(list(_MODES)).encode())


def _mode(request: Request) -> str:
    given = [mode for mode in request.query.get("mode", ()) if mode]
    mode = given[-1] if given else _DEFAULT_MODE
    if mode not in _MODES:
        raise errors.InvalidOptionError(f"Unknown mode; use one of {', '.join(_MODES)}.", {"option": "mode"})
    return mode


def _source(request: Request) -> Source:
    """Find the image, which may be an empty file."""
    fields = form_fields(request)
    kind = InputKind.BYTES if request.media_type.startswith("multipart/") else InputKind.BASE64
    if "image" in fields or "image" in fields.file_names:
        value = fields.raw("image") if kind is InputKind.BYTES else fields.text("image")
        return Source(kind, "image", value or (b"" if kind is InputKind.BYTES else ""))
    if url := fields.text("url"):
        return url_source("url", url)
    raise errors.MissingImageError("Missing image or url field.")


def _result(request: Request, image: bytes | None, status: Mapping[str, str], *entities: Mapping[str, str]) -> Response:
    """Write the only result; ``image``: the received bytes, for their hash."""
    source = _source(request)
    if image is None and source.kind is InputKind.BYTES:
        image = bytes(source.value) if isinstance(source.value, bytes) else b""
    result = {
        "status": status,
        "name": _file_name(request, source),
        "md5": hashlib.md5(image or b"", usedforsecurity=False).hexdigest(),
        "entities": list(entities),
    }
    return json_answer({"results": [result]})


def _file_name(request: Request, source: Source) -> str:
    if source.kind is InputKind.URL:
        path = str(source.value).partition("#")[0].partition("?")[0]
        return path.rpartition("/")[2]
    return form_fields(request).file_names.get("image", "image")


DIALECT = Api4Ai()
