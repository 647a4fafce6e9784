"""The container that BEN's makers give away: ``POST /`` with JSON, base64 in and base64 out.

The original answers 200 whatever is wrong with the picture, and says so in ``error``; so do we. What it does not know,
a missing key, a limit that is reached, a fault of ours, has its HTTP status besides.
"""

from dataclasses import replace
from typing import Final

from cutout.api import answers
from cutout.api import headers as auth
from cutout.api.body import json_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source
from cutout.errors import CutoutError, InvalidOptionError, MissingImageError
from cutout.imaging.spec import CutoutSpec

_TOLD_BY_200: Final = frozenset({400, 413, 415, 422})
"""What is wrong with the request itself."""


class BenContainer(Dialect):
    """``{"image": base64}`` to ``{"image": base64 of a PNG}``."""

    name = "ben_container"
    title = "BEN Docker container"
    keyless = True
    routes = frozenset({("POST", "/")})

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """A key in our own spellings; the original has none."""
        return auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """A JSON object with ``image``; ``image_path`` names a file of the original's own disk and is refused."""
        fields = json_fields(request.body)
        if (image := fields.text("image")) is not None:
            return RemovalRequest(CutoutSpec(), Source(InputKind.BASE64, "image", image), "image")
        if "image_path" in fields:
            message = "image_path, a path on the server, is never read here; send the picture as base64 in image."
            raise InvalidOptionError(message, {"option": "image_path"})
        raise MissingImageError("No image was sent: put it, as base64, into image.")

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """``{"image": base64}``."""
        return answers.json_answer({"image": answers.base64_of(outcome.result)})

    def problem(self, error: CutoutError, request: Request) -> Response:  # noqa: ARG002
        """``{"error": text}``, by 200 where the original would say it."""
        status = status_of(error)
        response = answers.json_answer({"error": error.message}, 200 if status in _TOLD_BY_200 else status)
        return replace(response, headers=refusal_headers(error))


DIALECT = BenContainer()
