"""The errors of remove.bg: ``{"errors": [{title, detail, code}]}``, never an empty list, even for 5xx."""

import json
from collections.abc import Mapping
from typing import Final

from cutout import errors
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Response
from cutout.errors import CutoutError

MAX_BYTES: Final = 22 * 2**20

_FIRST_5XX: Final = 500
_MAX_MP: Final = 50

_Problem = tuple[int, str, str]
"""Status, code and title."""
_PROBLEMS: Final[Mapping[type[CutoutError], _Problem]] = {
    errors.InvalidRequestError: (400, "invalid_request", "Malformed request"),
    errors.MissingImageError: (400, "missing_source", "No image given"),
    errors.MultipleSourcesError: (400, "multiple_sources", "More than one image given"),
    errors.ImageUrlFetchFailedError: (400, "failed_image_download", "Failed to download image"),
    errors.InvalidBase64Error: (400, "failed_to_read_image", "Failed to read image"),
    errors.InvalidImageError: (400, "failed_to_read_image", "Failed to read image"),
    errors.NothingFoundError: (400, "unknown_foreground", "No foreground found in the image"),
    errors.UnsupportedImageFormatError: (400, "invalid_file_type", "File type not supported"),
    errors.ImageTooLargeError: (400, "file_too_large", "File too large"),
    errors.ResolutionTooHighError: (400, "resolution_too_high", "Image resolution too high"),
    errors.QuotaExceededError: (402, "insufficient_credits", "Insufficient credits"),
    errors.MissingApiKeyError: (403, "auth_failed", "Missing API Key"),
    errors.InvalidApiKeyError: (403, "auth_failed", "API Key invalid"),
    errors.AccountSuspendedError: (403, "auth_failed", "Account not active"),
    errors.RateLimitedError: (429, "rate_limit_exceeded", "Rate limit exceeded"),
}
_CASES: Final[Mapping[tuple[type[CutoutError], str], _Problem]] = {
    (errors.MultipleSourcesError, "background"): (400, "multiple_bg_sources", "More than one background given"),
    (errors.ImageUrlFetchFailedError, "background"): (400, "failed_bg_download", "Failed to download background image"),
    (errors.InvalidOptionError, "empty"): (400, "roi_region_empty", "ROI region is empty"),
    (errors.InvalidOptionError, "exceeds_bounds"): (400, "roi_exceeds_bounds", "ROI exceeds image bounds"),
    (errors.ResolutionTooHighError, "side"): (400, "invalid_dimensions", "Image dimensions not supported"),
}
"""The problems of classes with several ones, by a value in ``details``."""


def problem_of(error: CutoutError) -> Response:
    """Write the response for an error."""
    status, code, title = _problem(error)
    entry = {"title": title, "code": code}
    if status < _FIRST_5XX:
        entry["detail"] = _detail(error)
    body = json.dumps({"errors": [entry]}).encode()
    return Response(status, "application/json; charset=utf-8", body, refusal_headers(error))


def _problem(error: CutoutError) -> _Problem:
    kind = type(error)
    status, code, title = _CASES.get((kind, _case(error))) or _PROBLEMS.get(kind) or _other(error)
    if upstream := error.details.get("upstream_status"):
        title = f"{title} ({upstream})"
    return status, code, title


def _case(error: CutoutError) -> str:
    if isinstance(error, errors.ResolutionTooHighError):
        width, height = (int(str(error.details.get(side, _MAX_MP * 1_000_000))) for side in ("width", "height"))
        return "side" if width * height <= _MAX_MP * 1_000_000 else ""
    return str(error.details.get("reason") or error.details.get("image") or "")


def _other(error: CutoutError) -> _Problem:
    if isinstance(error, errors.InvalidOptionError):
        option = error.details.get("option", "parameter")
        return 400, f"invalid_{option}", f"Invalid value of the parameter {option}"
    return status_of(error), error.code, error.code.replace("_", " ").capitalize()


def _detail(error: CutoutError) -> str:
    if isinstance(error, errors.ImageTooLargeError):
        is_background = error.details.get("image") == "background"
        limit = int(str(error.details["max_bytes"])) if is_background else MAX_BYTES
        return f"File exceeds limit of {limit // 2**20} MB"
    return error.message
