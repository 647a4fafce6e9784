"""The HTTP status and body of every error. The only such table; dialects with other bodies use :func:`status_of`."""

import json
from collections.abc import Mapping
from typing import Final

from cutout import errors
from cutout.api.request import Request, Response
from cutout.errors import CutoutError

STATUS: Final[Mapping[type[CutoutError], int]] = {
    CutoutError: 500,
    errors.InvalidRequestError: 400,
    errors.MissingImageError: 400,
    errors.MultipleSourcesError: 400,
    errors.InvalidBase64Error: 400,
    errors.InvalidImageError: 400,
    errors.UnsupportedImageFormatError: 400,
    errors.InvalidOptionError: 400,
    errors.ImageUrlFetchFailedError: 400,
    errors.MissingApiKeyError: 401,
    errors.QuotaExceededError: 402,
    errors.InvalidApiKeyError: 403,
    errors.ForbiddenError: 403,
    errors.AccountSuspendedError: 403,
    errors.NotFoundError: 404,
    errors.MethodNotAllowedError: 405,
    errors.ConflictError: 409,
    errors.JobBusyError: 409,
    errors.JobEndedError: 409,
    errors.GoneError: 410,
    errors.ImageTooLargeError: 413,
    errors.ResolutionTooHighError: 413,
    errors.AnimationTooLargeError: 413,
    errors.UnsupportedMediaTypeError: 415,
    errors.NothingFoundError: 422,
    errors.ProcessingFailedError: 422,
    errors.IdempotencyMismatchError: 422,
    errors.RateLimitedError: 429,
    errors.ServiceUnavailableError: 503,
    errors.DeadlineError: 504,
}


def status_of(error: CutoutError) -> int:
    """Return the HTTP status of an error: that of its class, or of the nearest base class."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def error_of(code: str, message: str, details: Mapping[str, object]) -> CutoutError:
    """Make an error from its stored form.

    Args:
        code: The code of the error's class.
        message: The message.
        details: The details.

    Returns:
        The error; ProcessingFailedError for a code without a class.
    """
    classes = {cls.code: cls for cls in STATUS}
    return classes.get(code, errors.ProcessingFailedError)(message, details)


def write_problem(error: CutoutError, request: Request) -> Response:
    """Write an error as ``{"error": {code, message, status, request_id, details}}``."""
    status = status_of(error)
    body = {
        "code": error.code,
        "message": error.message,
        "status": status,
        "request_id": request.request_id,
        "details": error.details if status < 500 else {},  # noqa: PLR2004 - faults of the service are only logged
    }
    return Response(status, "application/json", json.dumps({"error": body}).encode(), refusal_headers(error))


def refusal_headers(error: CutoutError) -> Mapping[str, str]:
    """Make the headers of an error in every contract: Allow, Accept-Encoding, WWW-Authenticate, Retry-After."""
    if codings := error.details.get("accept_encoding"):
        return {"accept-encoding": str(codings)}
    if isinstance(error, errors.MethodNotAllowedError):
        return {"allow": str(error.details["allow"])}
    if isinstance(error, errors.MissingApiKeyError):
        return {"www-authenticate": 'Bearer realm="cutout"'}
    if isinstance(error, errors.RateLimitedError | errors.ServiceUnavailableError | errors.JobBusyError):
        return {"retry-after": str(error.details.get("retry_after_s", 1))}
    return {}
