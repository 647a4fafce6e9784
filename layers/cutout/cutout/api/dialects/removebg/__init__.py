"""remove.bg v1.0: an image in, by ``/removebg``; out, image bytes or, where only JSON is accepted, base64.

Facts stand in headers. ``/account`` tells credits; ``/improve`` takes a donated image and keeps nothing of it.
"""

from dataclasses import replace
from typing import Final

from cutout.api import headers as auth
from cutout.api.answers import base64_of, facts, json_answer
from cutout.api.body import form_fields
from cutout.api.dialects.base import Dialect, LoadedRemoval, Outcome, RemovalRequest
from cutout.api.dialects.removebg.options import LIMITS, read_order, read_source
from cutout.api.dialects.removebg.problems import NOTHING_FOUND, problem_of
from cutout.api.headers import preferred
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, load
from cutout.errors import CutoutError, InvalidImageError
from cutout.imaging.codecs.formats import require_format
from cutout.imaging.spec import Box, CutoutResult, SizeName, fit_size
from cutout.usage import AccountStatus

_KINDS: Final = frozenset({"jpeg", "png", "webp"})
_KIND_NAMES: Final = "JPG, PNG or WebP"
_MAX_FRAME_PX: Final = 25_000_000
"""Of an input above this, the foreground's box is told in pixels of the input; else in those of the answer."""
_BYTES, _JSON = "bytes", "json"


class RemoveBg(Dialect):
    """The contract that the clients in ``tests/clients`` speak."""

    name = "removebg"
    title = "remove.bg v1.0"
    routes = frozenset({("POST", "/v1.0/removebg")})

    def __init__(self) -> None:
        self.status_routes = {("GET", "/v1.0/account"): account, ("POST", "/v1.0/improve"): improve}

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """``X-API-Key`` or ``Authorization: Bearer``, or what we take elsewhere."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Multipart, urlencoded or JSON to an order."""
        return replace(read_order(form_fields(request)), reply=_JSON if _wants_json(request) else _BYTES)

    def check_image(self, loaded: LoadedRemoval) -> None:
        """Raises UnsupportedImageFormatError."""
        require_format(loaded.image, _KINDS, _KIND_NAMES)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """The image, or ``{"data": {result_b64, foreground_*}}``. Raises InvalidImageError where nothing was found."""
        result = outcome.result
        if result.foreground is None:
            raise InvalidImageError("Nothing in the image stands out as its subject.", {"reason": NOTHING_FOUND})
        wanted = outcome.request
        frame = _frame(result, result.foreground, wanted)
        headers = facts(result) | _headers(result, wanted) | {f"x-foreground-{name}": str(px) for name, px in frame}
        headers["x-credits-charged"] = wanted.notes["credits"] if outcome.charged else "0"
        if wanted.reply == _BYTES:
            return Response(200, result.media_type, result.data, headers)
        data = {"result_b64": base64_of(result), **{f"foreground_{name}": px for name, px in frame}}
        return replace(json_answer({"data": data}), headers=headers)

    def problem(self, error: CutoutError, request: Request) -> Response:  # noqa: ARG002
        """``{"errors": [{title, detail, code}]}``."""
        return problem_of(error)


def account(_: Request, status: AccountStatus) -> Response:
    """Credits: the images that are left this month, whatever the plan; there are no free calls besides."""
    left = status.credits_left
    credits_ = {"total": left, "subscription": left, "payg": 0, "enterprise": 0}
    return json_answer({"data": {"attributes": {"credits": credits_, "api": {"free_calls": 0, "sizes": "all"}}}})


def improve(request: Request, _: AccountStatus) -> Response:
    """``{"id": ...}`` for an image that is sent to be learned from; nothing is fetched and nothing is kept.

    The id is that of the request. Raises what is wrong with the image as it was sent.
    """
    source = read_source(form_fields(request))
    if source.kind is not InputKind.URL:
        require_format(load(source, {}, LIMITS.max_bytes), _KINDS, _KIND_NAMES)
    return replace(json_answer({"id": request.request_id.removeprefix("req_")}), headers={"x-image-kept": "no"})


def _wants_json(request: Request) -> bool:
    """JSON where it is accepted and anything is not: many clients send ``application/json, */*`` and expect bytes."""
    accept = request.headers.get("accept", "").lower()
    return "*/*" not in accept and preferred(accept, ["image/png", "application/json"]) == "application/json"


def _headers(result: CutoutResult, wanted: RemovalRequest) -> dict[str, str]:
    best = fit_size(result.source_width, result.source_height, SizeName.FULL, wanted.limits)
    size = {"x-width": result.width, "x-height": result.height, "x-max-width": best[0], "x-max-height": best[1]}
    headers = {name: str(px) for name, px in size.items()}
    return headers | {"x-type": wanted.notes["type"]} if wanted.notes["type"] else headers


def _frame(result: CutoutResult, box: Box, wanted: RemovalRequest) -> list[tuple[str, int]]:
    """Top, left, width and height of the foreground. A crop has its own frame whatever the input's size."""
    sides = [("top", box.top), ("left", box.left), ("width", box.width), ("height", box.height)]
    if wanted.spec.crop or result.source_width * result.source_height <= _MAX_FRAME_PX:
        return sides
    scale = result.source_width / result.width
    return [(name, round(px * scale)) for name, px in sides]


DIALECT = RemoveBg()
