"""The errors of this contract: a list with 422 for faults of the input, one sentence for all others.

Clients retry some statuses by themselves: 408, 409 and 429 (Python), 429, 502, 503 and 504 (JavaScript). None of these
is used where a retry cannot help.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cutout import errors
from cutout.api.answers import json_answer
from cutout.api.dialects.fal.addresses import RUN, id_for_answer
from cutout.api.dialects.fal.inputs import DETAIL, fault
from cutout.api.problems import refusal_headers
from cutout.api.request import Request, Response
from cutout.errors import CutoutError

IMAGE: Final = ("body", "image_url")
_INPUT: Final[Mapping[type[CutoutError], str]] = {
    errors.InvalidRequestError: "json_invalid",
    errors.MissingImageError: "missing",
    errors.InvalidBase64Error: "image_load_error",
    errors.InvalidImageError: "image_load_error",
    errors.ProcessingFailedError: "image_load_error",
    errors.UnsupportedImageFormatError: "unsupported_image_format",
    errors.ImageUrlFetchFailedError: "file_download_error",
    errors.ImageTooLargeError: "file_too_large",
    errors.ResolutionTooHighError: "image_too_large",
    errors.InvalidOptionError: "value_error",
}
"""The machine-readable codes of faults of the input."""


class _Plain(NamedTuple):
    status: int
    kind: str = ""
    """The machine-readable code, for faults of the service."""


_PLAIN: Final[Mapping[type[CutoutError], _Plain]] = {
    CutoutError: _Plain(500, "internal_error"),
    errors.MissingApiKeyError: _Plain(401),
    errors.InvalidApiKeyError: _Plain(401),
    errors.QuotaExceededError: _Plain(403),
    errors.ForbiddenError: _Plain(403),
    errors.AccountSuspendedError: _Plain(403),
    errors.NotFoundError: _Plain(404),
    errors.MethodNotAllowedError: _Plain(405),
    errors.GoneError: _Plain(410),
    errors.ConflictError: _Plain(400),
    errors.JobBusyError: _Plain(400),
    errors.JobEndedError: _Plain(400),
    errors.RateLimitedError: _Plain(429),
    errors.ServiceUnavailableError: _Plain(503, "runner_scheduling_failure"),
    errors.DeadlineError: _Plain(504, "request_timeout"),
}
_RETRYABLE: Final = frozenset({429, 503})
_SENTENCES: Final[Mapping[type[CutoutError], str]] = {
    CutoutError: "Internal server error",
    errors.ServiceFaultError: "Internal server error",
    errors.MissingApiKeyError: "Authentication is required: send the header Authorization: Key YOUR_KEY.",
}
"""The messages that differ from our own contract."""


def write_problem(error: CutoutError, request: Request) -> Response:
    """Write the response for an error."""
    if isinstance(error, errors.NotFoundError) and request.route.endswith(RUN):  # an upload does not exist
        error = missing_file(error)
    stored = request.route.startswith(("/storage/", "/files/"))
    status, document = problem_document(error, ("body",) if stored else IMAGE)
    response = json_answer(document, status)
    headers = {
        **refusal_headers(error),
        "x-fal-request-id": id_for_answer(request),
        "x-fal-retryable": str(status in _RETRYABLE).lower(),
        "x-fal-billable-units": "0",
    }
    if kind := _kind(document):
        headers["x-fal-error-type"] = kind
    if isinstance(error, errors.DeadlineError):
        headers["x-fal-request-timeout-type"] = "user"  # a retry would take as long: this header prevents it
    return Response(status, response.media_type, response.body, headers)


def problem_document(error: CutoutError, place: tuple[str, ...] = IMAGE) -> tuple[int, dict[str, object]]:
    """Write an error, for a response or a webhook.

    Args:
        error: The error.
        place: The path of the faulty input.

    Returns:
        The HTTP status, and the body as JSON.
    """
    if DETAIL in error.details:
        return 422, {"detail": error.details[DETAIL]}
    for cls in type(error).__mro__:
        if cls in _INPUT:
            return 422, {"detail": [_item(_INPUT[cls], error, place)]}
        if cls in _PLAIN:
            break
    status, kind = next(_PLAIN[cls] for cls in type(error).__mro__ if cls in _PLAIN)
    document: dict[str, object] = {"detail": _SENTENCES.get(type(error), error.message)}
    return status, document | ({"error_type": kind} if kind else {})


def missing_file(error: errors.NotFoundError) -> CutoutError:
    """Make the error for an ``image_url`` that names an upload that does not exist."""
    return errors.ImageUrlFetchFailedError(error.message)


def _item(kind: str, error: CutoutError, place: tuple[str, ...]) -> dict[str, object]:
    hook = error.details.get("option") == "webhook_url"
    item = fault(kind, error.message, *(("query", "fal_webhook") if hook else place))
    context = {name: value for name, value in error.details.items() if name not in {"option", "value"}}
    return item | ({"ctx": context} if context else {})


def _kind(document: Mapping[str, object]) -> str:
    detail = document["detail"]
    return str(detail[0]["type"]) if isinstance(detail, list) else str(document.get("error_type", ""))
