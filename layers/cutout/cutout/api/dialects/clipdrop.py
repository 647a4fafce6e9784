"""Clipdrop remove-background v1: an image in ``image_file``; the answer is an image of the format in ``Accept``.

An image that is transparent already is returned unchanged, unless the request discards its transparency. Errors are
``{"error": text}``.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cutout import errors
from cutout.api import headers as auth
from cutout.api.answers import image_answer
from cutout.api.body.fields import Fields, multipart_fields
from cutout.api.dialects.base import Dialect, LoadedRemoval, Outcome, RemovalRequest
from cutout.api.headers import preferred
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source
from cutout.errors import CutoutError
from cutout.imaging.codecs.formats import require_format, sniff
from cutout.imaging.spec import CutoutSpec, ImageFormat, Limits, OwnAlpha

_OFFERS: Final[Mapping[str, ImageFormat]] = {
    "image/png": ImageFormat.PNG,
    "image/webp": ImageFormat.WEBP,
    "image/jpeg": ImageFormat.JPEG,
    "image/jpg": ImageFormat.JPEG,
}
"""The best format first; the last type is not registered, but documented by the vendor."""
_KINDS: Final = frozenset({"png", "jpeg", "webp"})
_HANDLINGS: Final = {
    "return_input_if_non_opaque": OwnAlpha.KEEP,
    "discard_alpha_layer": OwnAlpha.DISCARD,
}
_LIMITS: Final = Limits(max_bytes=30 * 2**20, max_pixels=25_000_000, max_output_side_px=Limits().max_side_px)
"""The result is as large as the image, within the service's limits."""
_BAD_REQUESTS: Final = frozenset({413, 415, 422})
"""Statuses that this contract does not have: any fault of the image is 400."""


class Clipdrop(Dialect):
    """A contract that answers with image bytes and credit headers."""

    name = "clipdrop"
    title = "Clipdrop remove-background v1"
    routes = frozenset({("POST", "/remove-background/v1")})

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the key in ``x-api-key``, or as in our own contract."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a form with ``image_file`` and ``transparency_handling``; unlike the original, also a raw image."""
        image_format = _format(request)
        fields = multipart_fields(request) if request.media_type.startswith("multipart/") else _raw_body(request)
        image = fields.raw("image_file")
        if image is None:
            raise errors.MissingImageError("image_file is missing or empty.")
        spec = CutoutSpec(format=image_format, own_alpha=_own_alpha(fields))
        return RemovalRequest(spec, Source(InputKind.BYTES, "image_file", image), image_format.value, limits=_LIMITS)

    def check_image(self, loaded: LoadedRemoval) -> None:
        """Require PNG, JPEG or WebP. Raises UnsupportedImageFormatError."""
        require_format(loaded.image, _KINDS, "PNG, JPG or WEBP")

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write the image; the unchanged bytes if they were transparent and have the requested format."""
        result = outcome.result
        image = outcome.image
        if result.own_alpha_kept and image and sniff(image) == outcome.request.spec.format.value:
            result = replace(result, file=image)
        consumed = int(outcome.charged)
        credits_ = {
            "x-remaining-credits": str(max(outcome.status.credits_left - consumed, 0)),
            "x-credits-consumed": str(consumed),
        }
        response = image_answer(result)
        return replace(response, headers={**response.headers, **credits_})

    def problem(self, error: CutoutError, request: Request) -> Response:  # noqa: ARG002
        """Write ``{"error": text}``."""
        status = 406 if error.details.get("option") == "accept" else status_of(error)
        text = "No api key provided" if isinstance(error, errors.MissingApiKeyError) else error.message
        body = json.dumps({"error": text}).encode()
        return Response(400 if status in _BAD_REQUESTS else status, "application/json", body, refusal_headers(error))


def _format(request: Request) -> ImageFormat:
    kind = preferred(request.headers.get("accept", ""), list(_OFFERS))
    if kind is None:
        known = ", ".join(list(_OFFERS)[:3])
        raise errors.InvalidOptionError(f"Accept asks for none of {known}.", {"option": "accept"})
    return _OFFERS[kind]


def _own_alpha(fields: Fields) -> OwnAlpha:
    text = fields.text("transparency_handling")
    try:
        return OwnAlpha.KEEP if text is None else _HANDLINGS[text.strip().lower()]
    except KeyError as error:
        message = f"transparency_handling must be one of {', '.join(_HANDLINGS)}."
        raise errors.InvalidOptionError(message, {"option": "transparency_handling"}) from error


def _raw_body(request: Request) -> Fields:
    """Take the body as the image, unless its Content-Type is another one, such as text or JSON."""
    kind = request.media_type
    is_image = kind in {"", "application/octet-stream"} or kind.startswith("image/") or sniff(request.body) is not None
    return Fields([("image_file", request.body)] if is_image else [])


DIALECT = Clipdrop()
