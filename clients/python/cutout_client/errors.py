"""Every exception that the client raises on purpose: one class per error code of the API, and those of the transport.

CutoutError
├── ApiError             the service refused or failed; one child per ``code``
├── TransportError       no whole answer came
│   ├── ConnectionFailedError
│   ├── TimedOutError
│   └── IncompleteAnswerError
├── UnexpectedAnswerError  an answer that is none of the API's
└── JobCancelledError, WaitTimeoutError
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar


class CutoutError(Exception):
    """Root of all errors of this package."""


class ApiError(CutoutError):
    """The service answered with an error.

    Attributes:
        code: Stable name of the error, for instance ``rate_limited``.
        message: One English sentence.
        status: HTTP status; 0 for the error of a job that failed.
        request_id: Name of the request in the service's logs; empty when unknown.
        details: Facts that help to fix the request.
        retry_after_s: Seconds after which another try makes sense; None when the service did not say.
    """

    known_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int = 0,
        request_id: str = "",
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.known_code
        self.status = status
        self.request_id = request_id
        self.details: dict[str, Any] = dict(details or {})
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        named = f" ({self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.message}{named}"


class InvalidRequestError(ApiError):
    """The request cannot be understood."""

    known_code = "invalid_request"


class MissingImageError(ApiError):
    """No image was sent."""

    known_code = "missing_image"


class MultipleSourcesError(ApiError):
    """Two images of different kinds were sent."""

    known_code = "multiple_sources"


class InvalidBase64Error(ApiError):
    """A base64 field does not decode."""

    known_code = "invalid_base64"


class InvalidImageError(ApiError):
    """The image is damaged or incomplete."""

    known_code = "invalid_image"


class UnsupportedImageFormatError(ApiError):
    """The bytes are not an image of a supported format."""

    known_code = "unsupported_image_format"


class NothingFoundError(ApiError):
    """Nothing in the image stands out as its subject (with ``on_empty="error"``)."""

    known_code = "nothing_found"


class InvalidOptionError(ApiError):
    """An option is unknown or its value is out of range."""

    known_code = "invalid_option"


class ImageUrlFetchFailedError(ApiError):
    """The service could not fetch the image's URL."""

    known_code = "image_url_fetch_failed"


class ImageTooLargeError(ApiError):
    """The image has more bytes than the limit (30 MB by default)."""

    known_code = "image_too_large"


class ResolutionTooHighError(ApiError):
    """The image has more pixels than the limit (50 megapixels by default)."""

    known_code = "resolution_too_high"


class AnimationTooLargeError(ApiError):
    """The animation has more frames, or pixels in all, than the limit; a job takes three times as many."""

    known_code = "animation_too_large"


class UnsupportedMediaTypeError(ApiError):
    """The Content-Type is not accepted."""

    known_code = "unsupported_media_type"


class MissingApiKeyError(ApiError):
    """No API key was sent."""

    known_code = "missing_api_key"


class InvalidApiKeyError(ApiError):
    """The API key is unknown or revoked."""

    known_code = "invalid_api_key"


class ForbiddenError(ApiError):
    """The key may not do this."""

    known_code = "forbidden"


class AccountSuspendedError(ApiError):
    """The key's account is not active."""

    known_code = "account_suspended"


class RateLimitedError(ApiError):
    """The account sends too many requests per second."""

    known_code = "rate_limited"


class QuotaExceededError(ApiError):
    """The account's images of this month are used up."""

    known_code = "quota_exceeded"


class NotFoundError(ApiError):
    """There is no such job, key or route."""

    known_code = "not_found"


class MethodNotAllowedError(ApiError):
    """The route does not take this method."""

    known_code = "method_not_allowed"


class ConflictError(ApiError):
    """The key or account is not in a state that allows this."""

    known_code = "conflict"


class JobRunningError(ApiError):
    """A request under the same idempotency key is still being worked on."""

    known_code = "job_running"


class JobEndedError(ApiError):
    """The job has ended already."""

    known_code = "job_ended"


class GoneError(ApiError):
    """The result was deleted."""

    known_code = "gone"


class ProcessingFailedError(ApiError):
    """Every attempt on this image failed, and no more will be made."""

    known_code = "processing_failed"


class IdempotencyMismatchError(ApiError):
    """The idempotency key was used before, for another request."""

    known_code = "idempotency_mismatch"


class InternalError(ApiError):
    """The service failed."""

    known_code = "internal_error"


class ServiceUnavailableError(ApiError):
    """A part of the service is not available for the moment."""

    known_code = "service_unavailable"


class ServiceTimeoutError(ApiError):
    """The work did not end within the service's time limit."""

    known_code = "timeout"


class TransportError(CutoutError):
    """No whole answer came.

    Attributes:
        may_have_arrived: Whether the service may have received the request.
    """

    may_have_arrived = True

    def __init__(self, message: str, *, may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke."""


class TimedOutError(TransportError):
    """The service did not answer in time."""


class IncompleteAnswerError(TransportError):
    """The answer ended too early."""


class UnexpectedAnswerError(CutoutError):
    """The answer is none of the API's: something else listens at the base URL, or stands between."""


class JobCancelledError(CutoutError):
    """The job was deleted before it ended."""


class WaitTimeoutError(CutoutError):
    """The job did not end within the time that the caller wanted to wait."""


CODES: Mapping[str, type[ApiError]] = {cls.known_code: cls for cls in ApiError.__subclasses__()}
"""Error code to exception class."""


def api_error(code: str, message: str, **facts: Any) -> ApiError:
    """Return the exception of an error code; :class:`ApiError` itself for a code that this version does not know.

    Args:
        code: Error code.
        message: Sentence of the service.
        **facts: Attributes of :class:`ApiError`.
    """
    return CODES.get(code, ApiError)(message, code=code, **facts)


def error_of(status: int, body: bytes, request_id: str, retry_after_s: float | None) -> CutoutError:
    """Return the exception for an answer of status 400 or above.

    Args:
        status: HTTP status.
        body: Body of the answer; ``{"error": {...}}`` if it is the API's.
        request_id: Header ``x-request-id``.
        retry_after_s: Header ``Retry-After`` in seconds.
    """
    try:
        error = json.loads(body)["error"]
        code, message = str(error["code"]), str(error["message"])
        details, named = error.get("details"), str(error.get("request_id") or request_id)
    except (ValueError, TypeError, KeyError, AttributeError):
        text = body[:200].decode("utf-8", "replace").strip()
        return UnexpectedAnswerError(f"HTTP {status} with a body that is not the API's: {text!r}")
    facts = {"status": status, "request_id": named, "retry_after_s": retry_after_s}
    return api_error(code, message, details=details if isinstance(details, dict) else {}, **facts)
