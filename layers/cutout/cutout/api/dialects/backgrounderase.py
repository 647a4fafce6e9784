"""BackgroundErase / BEN v2: ``POST /v2``. The service's own contract."""

from dataclasses import replace
from typing import Final

from cutout.api import answers, problems
from cutout.api import headers as auth
from cutout.api.body.fields import Fields, json_fields, multipart_fields, urlencoded_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest, Route
from cutout.api.dialects.registry import every_dialect
from cutout.api.headers import idempotency_key, wants_async
from cutout.api.options import OPTIONS, parse_options, refuse_unknown
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source, find_source
from cutout.errors import CutoutError, MissingImageError, UnsupportedMediaTypeError
from cutout.imaging.codecs.formats import sniff
from cutout.imaging.spec import Channels

_FORM_SOURCES: Final = {
    "image_file": InputKind.BYTES,
    "image_url": InputKind.URL,
    "image_base64": InputKind.BASE64,
    "image_file_b64": InputKind.BASE64,
    "upload_id": InputKind.UPLOAD,
}
_JSON_SOURCES: Final = {
    "image": InputKind.BASE64,
    "image_url": InputKind.URL,
    "image_base64": InputKind.BASE64,
    "image_file_b64": InputKind.BASE64,
    "upload_id": InputKind.UPLOAD,
}
_JSON_BACKGROUNDS: Final = {"bg_image_url": InputKind.URL, "bg_image_base64": InputKind.BASE64}
_FORM_BACKGROUNDS: Final = {"bg_image_file": InputKind.BYTES, **_JSON_BACKGROUNDS}
_LEGACY_FIELD: Final = "image"
_RAW_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})

_BYTES, _MASK, _IMAGE = "bytes", "mask", "image"


class BackgroundErase(Dialect):
    """The contract in ``docs/openapi.yaml``; answers are image bytes or JSON, depending on the request."""

    name = "backgrounderase"
    title = "BackgroundErase / BEN v2"
    routes = frozenset({("POST", "/v2")})

    def __init__(self) -> None:
        self.pages = {("GET", "/v2/dialects"): list_dialects}

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the key in the headers; if ``legacy``, in the query string or a field of the body too."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse multipart, JSON, urlencoded or raw bytes; options may also be in the query string."""
        removal = self._parse_body(request)
        return replace(removal, respond_async=wants_async(request), idempotency_key=idempotency_key(request))

    def _parse_body(self, request: Request) -> RemovalRequest:
        query = _query_options(request)
        if request.media_type.startswith("multipart/"):
            fields = multipart_fields(request).merged(query)
            return _request_of(fields, _FORM_SOURCES, _FORM_BACKGROUNDS, _BYTES)
        if request.media_type == "application/json" or request.media_type.endswith("+json"):
            return _json_request(json_fields(request.body).merged(query), request)
        if request.media_type == "application/x-www-form-urlencoded" and sniff(request.body) is None:
            return _request_of(urlencoded_fields(request.body).merged(query), _FORM_SOURCES, _FORM_BACKGROUNDS, _BYTES)
        return RemovalRequest(parse_options(query), _raw_source(request), _BYTES)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write image bytes, or ``{"mask"|"image": base64, "width", "height", ...}``."""
        result = outcome.result
        reply, spec = outcome.request.reply, outcome.request.spec
        if reply == _BYTES:
            return answers.image_answer(result)
        document: dict[str, object] = {
            reply: answers.base64_of(result),
            "width": result.width,
            "height": result.height,
            "foreground": answers.foreground_of(result.foreground),
        }
        if reply == _IMAGE:
            document |= {"format": spec.format.value, "channels": spec.channels.value}
        return replace(answers.json_answer(document), headers=answers.facts(result))

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"error": {...}}``."""
        return problems.write_problem(error, request)


def list_dialects(_: Request) -> Response:
    """List every contract of this service: ``{"dialects": [{name, title, routes}]}``."""
    listed = [
        {
            "name": dialect.name,
            "title": dialect.title,
            "routes": [f"{method} {route}" for method, route in _all_routes(dialect)],
        }
        for dialect in every_dialect()
    ]
    return answers.json_answer({"dialects": listed})


def _all_routes(dialect: Dialect) -> list[Route]:
    return sorted(dialect.every_route(), key=lambda route: (route[1], route[0]))


def _request_of(
    fields: Fields, sources: dict[str, InputKind], backgrounds: dict[str, InputKind], reply: str
) -> RemovalRequest:
    refuse_unknown(fields, OPTIONS | sources.keys() | backgrounds.keys() | frozenset(auth.LEGACY_NAMES))
    background = find_source(fields, backgrounds) if backgrounds.keys() & set(fields) else None
    return RemovalRequest(parse_options(fields), find_source(fields, sources), reply, background=background)


def _json_request(fields: Fields, request: Request) -> RemovalRequest:
    """Parse a JSON body. The legacy field forces a mask; ``Accept`` decides between bytes and JSON."""
    removal = _request_of(fields, _JSON_SOURCES, _JSON_BACKGROUNDS, _IMAGE)
    spec = removal.spec
    if removal.source.name == _LEGACY_FIELD:
        spec = replace(spec, channels=Channels.ALPHA)
    reply = _MASK if spec.channels is Channels.ALPHA else _IMAGE
    return replace(removal, spec=spec, reply=_BYTES if _wants_bytes(removal, reply, request) else reply)


def _wants_bytes(removal: RemovalRequest, reply: str, request: Request) -> bool:
    accept = request.headers.get("accept", "").lower()
    is_remote = removal.source.name in {"image_url", "upload_id"}
    if "application/json" in accept:  # many clients always add */*, so it means nothing
        return "*/*" in accept and reply == _IMAGE and is_remote
    return "image/" in accept or (reply == _IMAGE and is_remote)


def _query_options(request: Request) -> Fields:
    """Read the options in the query string; other parameters are ignored."""
    return Fields(
        (name, value) for name, values in request.query.items() if name.lower() in OPTIONS for value in values
    )


def _raw_source(request: Request) -> Source:
    """Take the body as the image. Raises MissingImageError, or UnsupportedMediaTypeError for neither form nor image."""
    kind = request.media_type
    if not request.body:
        raise MissingImageError("The body is empty; send an image.", {"expected_one_of": list(_FORM_SOURCES)})
    if sniff(request.body) is None and kind not in _RAW_TYPES and not kind.startswith("image/"):
        expected = ["multipart/form-data", "application/json", "image/*", "application/octet-stream"]
        raise UnsupportedMediaTypeError("Use multipart form data or valid JSON.", {"expected_one_of": expected})
    return Source(InputKind.BYTES, "body", request.body)


DIALECT = BackgroundErase()
