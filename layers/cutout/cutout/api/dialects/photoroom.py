"""Photoroom's Remove Background (basic plan): ``POST /v1/segment``, a form with ``image_file``; image bytes or JSON.

``GET /v1/account`` reports the images left. Errors are ``{"detail", "status_code", "type"}``. The score -1, for humans,
is never sent: no model here detects them.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cutout import errors
from cutout.api import measures
from cutout.api.answers import base64_of, facts, json_answer
from cutout.api.body.fields import Fields, multipart_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.headers import preferred
from cutout.api.options import parse_options
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source
from cutout.errors import CutoutError
from cutout.imaging.spec import Box, CutoutResult, Limits
from cutout.usage import AccountStatus

_OPTIONS: Final = frozenset({"format", "channels", "bg_color", "size", "crop", "despill"})
_VALUES: Final = {"format": ("png", "jpg", "webp"), "size": ("preview", "medium", "hd", "full")}
"""Options with fewer values in this contract than in our own."""
_LIMITS: Final = Limits(max_output_mp=36.0, max_output_side_px=Limits().max_side_px)
"""The contract limits the area of an answer; the service limits its sides besides."""
_IMAGES: Final = ("image/png", "image/jpeg", "image/webp")
_JSON: Final = "application/json"
_BYTES, _BASE64 = "bytes", "base64"

_SANDBOX: Final = "sandbox_"
_NO_SANDBOX: Final = f"There is no sandbox here: send your key without {_SANDBOX}, or a key that is never charged."

_PROBLEMS: Final[Mapping[type[CutoutError], tuple[int, str]]] = {
    errors.InvalidRequestError: (400, "invalid_parameter"),
    errors.InvalidOptionError: (400, "invalid_parameter"),
    errors.MissingImageError: (400, "missing_image"),
    errors.InvalidImageError: (400, "invalid_image"),
    errors.UnsupportedImageFormatError: (400, "invalid_image"),
    errors.ImageTooLargeError: (400, "image_too_large"),
    errors.ResolutionTooHighError: (400, "image_too_large"),
    errors.QuotaExceededError: (402, "payment_required"),
    errors.MissingApiKeyError: (403, "unauthorized"),
    errors.InvalidApiKeyError: (403, "unauthorized"),
    errors.AccountSuspendedError: (403, "forbidden"),
    errors.RateLimitedError: (429, "rate_limit_exceeded"),
}
"""Status and type. The schema has 400, 402 and 403, and of the types only ``missing_image``."""
_SERVICE_FAULT: Final = "internal_error"


class Photoroom(Dialect):
    """The contract of the vendor's OpenAPI document."""

    name = "photoroom"
    title = "Photoroom Remove Background v1"
    routes = frozenset({("POST", "/v1/segment")})

    def __init__(self) -> None:
        self.status_routes = {("GET", "/v1/account"): show_account}

    def credential(self, request: Request, *, legacy: bool) -> str | None:  # noqa: ARG002
        """Find the key in ``x-api-key``."""
        return request.headers.get("x-api-key", "").strip() or None

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a multipart form; fields that the contract does not know are ignored."""
        fields = multipart_fields(request) if request.media_type.startswith("multipart/") else Fields()
        image = fields.raw("image_file")
        if image is None:
            raise errors.MissingImageError("Please provide an image.")
        options = Fields((name, value) for name, value in fields.items() if name in _OPTIONS)
        for name, values in _VALUES.items():
            text = options.text(name)
            if text is not None and text.strip().lower() not in values:
                raise measures.wrong(name, text, f"one of {', '.join(values)}")
        source = Source(InputKind.BYTES, "image_file", image)
        spec = parse_options(options)
        return RemovalRequest(replace(spec, mask_format=spec.format), source, _reply(request), limits=_LIMITS)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write the image, or ``{"base64img": text}`` for clients that accept no image."""
        result = outcome.result
        headers = {**facts(result), **_measured(result)}
        if outcome.request.reply == _BASE64:
            return Response(200, _JSON, json.dumps({"base64img": base64_of(result)}).encode(), headers)
        return Response(200, result.media_type, result.file, headers)

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"detail", "status_code", "type"}``."""
        status, kind = _PROBLEMS.get(type(error), (status_of(error), error.code))
        detail = error.message
        if isinstance(error, errors.InvalidApiKeyError) and request.headers.get("x-api-key", "").startswith(_SANDBOX):
            detail = _NO_SANDBOX
        body = {"detail": detail, "status_code": status, "type": kind if status < 500 else _SERVICE_FAULT}  # noqa: PLR2004
        return Response(status, _JSON, json.dumps(body).encode(), refusal_headers(error))


def show_account(_: Request, status: AccountStatus) -> Response:
    """Write the plan and the images left: ``images`` as of the vendor's v2, ``credits`` as of its v1."""
    quota = status.account.monthly_quota
    images = {"available": status.credits_left, "subscription": status.credits_left if quota is None else quota}
    return json_answer({"plan": status.account.plan, "images": images, "credits": images})


def _reply(request: Request) -> str:
    """Choose JSON for clients that accept no image; the vendor's own example accepts both, and gets bytes."""
    accept = request.headers.get("accept", "")
    return _BASE64 if preferred(accept, _IMAGES) is None and preferred(accept, [_JSON]) else _BYTES


def _measured(result: CutoutResult) -> dict[str, str]:
    """Write the score, if a model was run, and the subject's box in the answer (pixels; all 0: nothing found)."""
    box = result.foreground or Box(0, 0, 0, 0)
    score = {} if result.uncertainty is None else {"x-uncertainty-score": f"{result.uncertainty:.4f}"}
    return score | {f"x-foreground-{side}": str(getattr(box, side)) for side in ("top", "left", "width", "height")}


DIALECT = Photoroom()
