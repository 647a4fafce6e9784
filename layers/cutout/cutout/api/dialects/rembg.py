"""rembg's own server (``rembg s``): ``/api/remove``, an image in a form or by a URL; the answer is always a PNG.

Errors are those of FastAPI: 422 with a list of faults by field, else ``{"detail": text}``. Errors that the original
answers with 500 (an image that does not decode, a bad ``bgc``) are 400 here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from cutout import errors
from cutout.api import answers
from cutout.api import headers as auth
from cutout.api.body.fields import Fields, multipart_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source, url_source
from cutout.errors import CutoutError
from cutout.imaging.spec import Channels, CutoutSpec, Limits, Rgba

_MODELS: Final = (
    "u2net", "u2netp", "u2net_human_seg", "u2net_cloth_seg", "u2net_custom", "silueta", "isnet-general-use",
    "isnet-anime", "dis_custom", "sam", "birefnet-general", "birefnet-general-lite", "birefnet-portrait",
    "birefnet-dis", "birefnet-hrsod", "birefnet-cod", "birefnet-massive", "birefnet-general-fp16", "ben_custom",
    "bria-rmbg", "withoutbg", "atlascloud",
)  # fmt: skip
"""The models of release 2.0.86; the models' manifest decides which of them are available here."""
_MODEL: Final = re.compile("(" + "|".join(_MODELS) + ")")
_TRUE: Final = frozenset(("1", "on", "t", "true", "y", "yes"))
_FALSE: Final = frozenset(("0", "off", "f", "false", "n", "no"))
_INTEGER: Final = re.compile(r"\s*[-+]?[0-9]{1,18}(\.0{1,18})?\s*")
_SHOWN_CHARS: Final = 200
"""The most characters of a wrong value that an error repeats."""
_LIMITS: Final = Limits(max_bytes=50 * 2**20)
_PAGE: Final = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Cutout as rembg's server</title></head>
<body><h1>Cutout as rembg's server</h1>
<p>POST /api/remove with the part <code>file</code>, or GET /api/remove?url=URL: a PNG without its background.</p>
</body></html>
"""

_Fault = Mapping[str, object]
"""A fault of a value, as pydantic reports it: type, msg and, for some, ctx."""


def _wrong_model(text: str) -> _Fault | None:
    """Check the name of a model; as in the original, any text that contains a known name is accepted."""
    if _MODEL.search(text):
        return None
    msg = f"String should match pattern '{_MODEL.pattern}'"
    return {"type": "string_pattern_mismatch", "msg": msg, "ctx": {"pattern": _MODEL.pattern}}


def _wrong_boolean(text: str) -> _Fault | None:
    if text.strip().lower() in _TRUE | _FALSE:
        return None
    return {"type": "bool_parsing", "msg": "Input should be a valid boolean, unable to interpret input"}


def _wrong_integer(text: str, high: int | None = None) -> _Fault | None:
    if not _INTEGER.fullmatch(text):
        msg = "Input should be a valid integer, unable to parse string as an integer"
        return {"type": "int_parsing", "msg": msg}
    value = int(text.partition(".")[0])
    if value < 0:
        msg = "Input should be greater than or equal to 0"
        return {"type": "greater_than_equal", "msg": msg, "ctx": {"ge": 0}}
    if high is not None and value > high:
        msg = f"Input should be less than or equal to {high}"
        return {"type": "less_than_equal", "msg": msg, "ctx": {"le": high}}
    return None


_OPTIONS: Final[Mapping[str, Callable[[str], _Fault | None]]] = {
    "model": _wrong_model,
    "a": _wrong_boolean,
    "af": partial(_wrong_integer, high=255),
    "ab": partial(_wrong_integer, high=255),
    "ae": _wrong_integer,
    "om": _wrong_boolean,
    "ppm": _wrong_boolean,
    "dc": _wrong_boolean,
    "vm": _wrong_boolean,
}
"""The check of each option. The options of matting (a, af, ab, ae, vm) have no effect: edges are always refined."""


class Rembg(Dialect):
    """``POST`` with the part ``file``, ``GET`` with ``url`` in the query."""

    name = "rembg"
    title = "rembg server 2.0"
    keyless = True
    routes = frozenset({("GET", "/api/remove"), ("POST", "/api/remove")})

    def __init__(self) -> None:
        self.pages = {("GET", "/api"): show_page}

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find a key as in our own contract; the original has none."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse an image and its options; ``bgc`` and ``extras`` are in the query string, even of a form."""
        if request.method == "HEAD":  # the original has none, and it would charge an image that nobody sees
            raise errors.MethodNotAllowedError("Method Not Allowed", {"allow": "GET, OPTIONS, POST"})
        query = Fields((name, values[-1]) for name, values in request.query.items())
        if request.method == "GET":
            source, fields = _source(query, "query", "url", InputKind.URL), query
        else:
            fields = multipart_fields(request) if request.media_type.startswith("multipart/") else Fields()
            source = _source(fields, "body", "file", InputKind.BYTES)
        return RemovalRequest(_spec(fields, query), source, "png", model=fields.text("model") or "", limits=_LIMITS)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write the PNG; ``x-model`` names the model that made it, which may not be the requested one."""
        return answers.image_answer(outcome.result)

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"detail": text}``, or a list of faults; any fault of an image behind a URL is 400."""
        status, detail = status_of(error), error.details.get("detail", error.message)
        if isinstance(detail, list):
            status = 422
        elif request.method == "GET" and isinstance(error, errors.ImageTooLargeError | errors.ResolutionTooHighError):
            status = 400
        elif isinstance(error, errors.MethodNotAllowedError):
            detail = "Method Not Allowed"
        return replace(answers.json_answer({"detail": detail}, status), headers=refusal_headers(error))


def show_page(_: Request) -> Response:
    """Write what stands where the original has its documentation; people ask it whether the server is up."""
    return Response(200, "text/html", _PAGE)


def _source(fields: Fields, place: str, name: str, kind: InputKind) -> Source:
    """Find the image. Raises InvalidOptionError with all faults of the fields, including a missing image."""
    value = fields.raw(name) if kind is InputKind.BYTES else fields.text(name)
    faults: list[_Fault] = []
    if value is None:
        faults.append({"type": "missing", "loc": [place, name], "msg": "Field required", "input": None})
    for option, fault_of in _OPTIONS.items():
        text = fields.text(option)
        if text is not None and (fault := fault_of(text)) is not None:
            faults.append({"loc": [place, option], "input": text[:_SHOWN_CHARS], **fault})
    if faults or value is None:
        raise errors.InvalidOptionError("The request does not fit the contract.", {"detail": faults})
    return Source(kind, name, value) if isinstance(value, bytes) else url_source(name, value)


def _spec(fields: Fields, query: Fields) -> CutoutSpec:
    return CutoutSpec(
        channels=Channels.ALPHA if _is_on(fields, "om") else Channels.RGBA,
        binary=_is_on(fields, "ppm"),
        despill=_is_on(fields, "dc"),
        bg_color=_background(query.text("bgc") or fields.text("bgc")),
    )


def _is_on(fields: Fields, name: str) -> bool:
    return (fields.text(name) or "").strip().lower() in _TRUE


def _background(text: str | None) -> Rgba | None:
    """Parse ``r,g,b,a``. Raises InvalidOptionError."""
    if text is None:
        return None
    parts = [part.strip() for part in text[:_SHOWN_CHARS].split(",")]
    values = [int(part) for part in parts if part.isascii() and part.isdigit() and int(part) <= 255]  # noqa: PLR2004
    if len(values) != len(parts) or len(values) != 4:  # noqa: PLR2004
        raise errors.InvalidOptionError("bgc must be four integers r,g,b,a, each from 0 to 255.", {"option": "bgc"})
    red, green, blue, alpha = values
    return red, green, blue, alpha


DIALECT = Rembg()
