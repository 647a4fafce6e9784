"""BEN's public Docker container: ``POST /`` with JSON; base64 in and base64 out.

Like the original, this contract answers 200 for a faulty image, with the message in ``error``. Errors that the original
does not have (a missing key, a limit, a fault of the service) have their HTTP status.
"""

from dataclasses import replace
from typing import Final

from cutout.api import answers
from cutout.api import headers as auth
from cutout.api.body.fields import json_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source
from cutout.errors import CutoutError, InvalidOptionError, MissingImageError
from cutout.imaging.spec import CutoutSpec

_REPORTED_WITH_200: Final = frozenset({400, 413, 415, 422})
"""The statuses of faults of the request."""


class BenContainer(Dialect):
    """``{"image": base64}`` to ``{"image": base64 of a PNG}``."""

    name = "ben_container"
    title = "BEN Docker container"
    keyless = True
    routes = frozenset({("POST", "/")})

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find a key as in our own contract; the original has none."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a JSON object with ``image``; ``image_path``, a file on the original's own disk, is refused."""
        fields = json_fields(request.body)
        if (image := fields.text("image")) is not None:
            return RemovalRequest(CutoutSpec(), Source(InputKind.BASE64, "image", image), "image")
        if "image_path" in fields:
            message = "image_path, a path on the server, is never read here; send the picture as base64 in image."
            raise InvalidOptionError(message, {"option": "image_path"})
        raise MissingImageError("No image was sent: put it, as base64, into image.")

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write ``{"image": base64}``."""
        return answers.json_answer({"image": answers.base64_of(outcome.result)})

    def problem(self, error: CutoutError, request: Request) -> Response:  # noqa: ARG002
        """Write ``{"error": text}``, with 200 for the errors of the original."""
        status = status_of(error)
        response = answers.json_answer({"error": error.message}, 200 if status in _REPORTED_WITH_200 else status)
        return replace(response, headers=refusal_headers(error))


DIALECT = BenContainer()
