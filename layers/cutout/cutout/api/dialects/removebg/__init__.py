"""remove.bg v1.0: ``/removebg`` answers with image bytes or, if only JSON is accepted, with base64.

Facts are in headers. ``/account`` reports credits; ``/improve`` accepts a donated image and stores nothing.
"""

from dataclasses import replace
from typing import Final

from cutout.api import headers as auth
from cutout.api.answers import base64_of, facts, json_answer
from cutout.api.body.fields import form_fields
from cutout.api.dialects.base import Dialect, LoadedRemoval, Outcome, RemovalRequest
from cutout.api.dialects.removebg.options import LIMITS, parse_removal, parse_source
from cutout.api.dialects.removebg.problems import problem_of
from cutout.api.headers import preferred
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, load
from cutout.errors import CutoutError
from cutout.imaging.codecs.formats import require_format
from cutout.imaging.spec import Box, CutoutResult, SizeName, fit_size
from cutout.usage import AccountStatus

_KINDS: Final = frozenset({"jpeg", "png", "webp"})
_KIND_NAMES: Final = "JPG, PNG or WebP"
_MAX_FRAME_PX: Final = 25_000_000
"""For a larger image, the foreground's box is in pixels of the image; else in pixels of the answer."""
_BYTES, _JSON = "bytes", "json"


class RemoveBg(Dialect):
    """The contract of the clients in ``tests/clients``."""

    name = "removebg"
    title = "remove.bg v1.0"
    routes = frozenset({("POST", "/v1.0/removebg")})

    def __init__(self) -> None:
        self.status_routes = {("GET", "/v1.0/account"): account, ("POST", "/v1.0/improve"): improve}

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the key in ``X-API-Key`` or ``Authorization: Bearer``, or as in our own contract."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a multipart, urlencoded or JSON body."""
        return replace(parse_removal(form_fields(request)), reply=_JSON if _wants_json(request) else _BYTES)

    def check_image(self, loaded: LoadedRemoval) -> None:
        """Require JPEG, PNG or WebP. Raises UnsupportedImageFormatError."""
        require_format(loaded.image, _KINDS, _KIND_NAMES)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write the image, or ``{"data": {result_b64, foreground_*}}``."""
        result, removal = outcome.result, outcome.request
        frame = _frame(result, result.foreground or Box(0, 0, 0, 0), removal)
        headers = facts(result) | _headers(result, removal) | {f"x-foreground-{name}": str(px) for name, px in frame}
        headers["x-credits-charged"] = removal.notes["credits"] if outcome.charged else "0"
        if removal.reply == _BYTES:
            return Response(200, result.media_type, result.file, headers)
        data = {"result_b64": base64_of(result), **{f"foreground_{name}": px for name, px in frame}}
        return replace(json_answer({"data": data}), headers=headers)

    def problem(self, error: CutoutError, request: Request) -> Response:  # noqa: ARG002
        """Write ``{"errors": [{title, detail, code}]}``."""
        return problem_of(error)


def account(_: Request, status: AccountStatus) -> Response:
    """Report the credits: the images left this month, on every plan; there are no free calls."""
    left = status.credits_left
    credits_ = {"total": left, "subscription": left, "payg": 0, "enterprise": 0}
    return json_answer({"data": {"attributes": {"credits": credits_, "api": {"free_calls": 0, "sizes": "all"}}}})


def improve(request: Request, _: AccountStatus) -> Response:
    """Answer a donation of a training image: it is checked, but nothing is fetched or stored.

    Args:
        request: The request.

    Returns:
        ``{"id": ...}``, the id of the request.

    Raises:
        ClientFaultError: The image is missing, or has a wrong form.
    """
    source = parse_source(form_fields(request))
    if source.kind is not InputKind.URL:
        require_format(load(source, {}, LIMITS.max_bytes), _KINDS, _KIND_NAMES)
    return replace(json_answer({"id": request.request_id.removeprefix("req_")}), headers={"x-image-kept": "no"})


def _wants_json(request: Request) -> bool:
    """Report whether JSON is accepted and ``*/*`` is not: many clients send both and expect bytes."""
    accept = request.headers.get("accept", "").lower()
    return "*/*" not in accept and preferred(accept, ["image/png", "application/json"]) == "application/json"


def _headers(result: CutoutResult, removal: RemovalRequest) -> dict[str, str]:
    best = fit_size(result.source_width, result.source_height, SizeName.FULL, removal.limits)
    size = {"x-width": result.width, "x-height": result.height, "x-max-width": best[0], "x-max-height": best[1]}
    headers = {name: str(px) for name, px in size.items()}
    return headers | {"x-type": removal.notes["type"]} if removal.notes["type"] else headers


def _frame(result: CutoutResult, box: Box, removal: RemovalRequest) -> list[tuple[str, int]]:
    """Compute top, left, width and height of the foreground; after a crop always in pixels of the answer."""
    sides = [("top", box.top), ("left", box.left), ("width", box.width), ("height", box.height)]
    if removal.spec.crop or result.source_width * result.source_height <= _MAX_FRAME_PX:
        return sides
    scale = result.source_width / result.width
    return [(name, round(px * scale)) for name, px in sides]


DIALECT = RemoveBg()
