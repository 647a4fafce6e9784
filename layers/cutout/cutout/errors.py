"""Every error that Cutout raises on purpose.

One root, :class:`CutoutError`. A child carries a stable ``code`` (the closed set of the public contract), a
message that is safe to show to the client, and details. HTTP statuses live in ``api/problems.py``, not here.
This module imports nothing of ours.
"""

from collections.abc import Mapping
from typing import ClassVar


class CutoutError(Exception):
    """Root of all errors that a client may see.

    message: one sentence for the client; never a secret, a path or a traceback.
    details: JSON-serialisable facts that help the client to fix the request.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = dict(details or {})


class InvalidRequestError(CutoutError):
    """The request cannot be understood: broken JSON, broken multipart, wrong types."""

    code = "invalid_request"


class MissingImageError(CutoutError):
    """No source of an image was given."""

    code = "missing_image"


class MultipleSourcesError(CutoutError):
    """Two or more sources of an image were given that differ in kind."""

    code = "multiple_sources"


class InvalidBase64Error(CutoutError):
    """A base64 field does not decode."""

    code = "invalid_base64"


class InvalidImageError(CutoutError):
    """The bytes start like an image but cannot be decoded."""

    code = "invalid_image"


class UnsupportedImageFormatError(CutoutError):
    """The bytes are not an image of a supported format."""

    code = "unsupported_image_format"


class InvalidOptionError(CutoutError):
    """An option is unknown or its value is outside its range."""

    code = "invalid_option"


class ImageUrlFetchFailedError(CutoutError):
    """The image URL is not allowed, not reachable or does not answer with an image."""

    code = "image_url_fetch_failed"


class ImageTooLargeError(CutoutError):
    """The image has more bytes than the limit."""

    code = "image_too_large"


class ResolutionTooHighError(CutoutError):
    """The image has more pixels, or a longer side, than the limit."""

    code = "resolution_too_high"


class UnsupportedMediaTypeError(CutoutError):
    """The Content-Type of the request is not one that this route takes."""

    code = "unsupported_media_type"


class MissingApiKeyError(CutoutError):
    """No API key was sent."""

    code = "missing_api_key"


class InvalidApiKeyError(CutoutError):
    """The API key is unknown, malformed or revoked."""

    code = "invalid_api_key"


class ForbiddenError(CutoutError):
    """The key is good, but not for this."""

    code = "forbidden"


class AccountSuspendedError(CutoutError):
    """The key is good, its account is not active."""

    code = "account_suspended"


class RateLimitedError(CutoutError):
    """Too many requests per second."""

    code = "rate_limited"


class QuotaExceededError(CutoutError):
    """The account's quota of images is used up."""

    code = "quota_exceeded"


class NotFoundError(CutoutError):
    """There is no such route or thing."""

    code = "not_found"


class MethodNotAllowedError(CutoutError):
    """The route exists, the method does not. details["allow"]: the methods that do, as the Allow header wants them."""

    code = "method_not_allowed"


class ConflictError(CutoutError):
    """The thing is not in a state that allows this."""

    code = "conflict"


class JobBusyError(CutoutError):
    """The job is being worked on. details["retry_after_s"]: when that must have ended."""

    code = "job_running"


class JobEndedError(CutoutError):
    """The job has ended, and a final state never changes. details["status"]: which."""

    code = "job_ended"


class ProcessingFailedError(CutoutError):
    """Every attempt on this image came to a bad end, and no more will be made."""

    code = "processing_failed"


class IdempotencyMismatchError(CutoutError):
    """The Idempotency-Key was used before, for another request."""

    code = "idempotency_mismatch"


class GoneError(CutoutError):
    """There was such a thing, and its owner had it deleted."""

    code = "gone"


class ServiceUnavailableError(CutoutError):
    """A part of the service that this request needs is not available; a retry may work."""

    code = "service_unavailable"


class DeadlineError(CutoutError):
    """The work would not end before the function's deadline."""

    code = "timeout"
