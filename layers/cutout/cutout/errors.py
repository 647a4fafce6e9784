"""Every error that Cutout raises on purpose.

One root, :class:`CutoutError`, and two children: :class:`ClientFaultError`, which the same request meets again, and
:class:`ServiceFaultError`, which a later attempt may not meet. Whether work is refused or retried is decided by these
two, and by nothing else. A leaf carries a stable ``code`` (the closed set of the public contract). HTTP statuses live
in ``api/problems.py``, not here. This module imports nothing of ours.
"""

from collections.abc import Mapping
from typing import ClassVar, Self


class CutoutError(Exception):
    """Root of all errors that a client may see.

    Args:
        message: One sentence for the client; never a secret, a path or a traceback.
        details: JSON-serialisable facts that help the client to fix the request.
        image: The encoded image that the error is about, for contracts that describe what they received.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Mapping[str, object] | None = None, image: bytes | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, object] = dict(details or {})
        self.image = image

    def about(self, image: bytes) -> Self:
        """Make the same error, with the encoded image that it is about."""
        return type(self)(self.message, self.details, image)

    def about_background(self) -> Self:
        """Make the same error, with ``details["image"] == "background"``."""
        return type(self)(self.message, {**self.details, "image": "background"}, self.image)


class ClientFaultError(CutoutError):
    """The request or its image is at fault: the same request fails again, so it is refused and never retried."""


class ServiceFaultError(CutoutError):
    """The service is at fault: nothing is wrong with the request, and a later attempt may succeed."""


class InvalidRequestError(ClientFaultError):
    """The request cannot be understood: broken JSON, broken multipart, wrong types."""

    code = "invalid_request"


class MissingImageError(ClientFaultError):
    """No source of an image was given."""

    code = "missing_image"


class MultipleSourcesError(ClientFaultError):
    """Two or more sources of an image were given that differ in kind."""

    code = "multiple_sources"


class InvalidBase64Error(ClientFaultError):
    """A base64 field does not decode."""

    code = "invalid_base64"


class InvalidImageError(ClientFaultError):
    """The bytes start like an image but cannot be decoded."""

    code = "invalid_image"


class NothingFoundError(ClientFaultError):
    """Nothing in the image stands out as its subject, and the request wants no empty picture."""

    code = "nothing_found"


class UnsupportedImageFormatError(ClientFaultError):
    """The bytes are not an image of a supported format."""

    code = "unsupported_image_format"


class InvalidOptionError(ClientFaultError):
    """An option is unknown or its value is outside its range."""

    code = "invalid_option"


class ImageUrlFetchFailedError(ClientFaultError):
    """The image URL is not allowed, not reachable or does not answer with an image."""

    code = "image_url_fetch_failed"


class ImageTooLargeError(ClientFaultError):
    """The image has more bytes than the limit."""

    code = "image_too_large"


class ResolutionTooHighError(ClientFaultError):
    """The image has more pixels, or a longer side, than the limit."""

    code = "resolution_too_high"


class AnimationTooLargeError(ClientFaultError):
    """The animation, of which all frames are wanted, has too many of them, or too many pixels in all."""

    code = "animation_too_large"


class UnsupportedMediaTypeError(ClientFaultError):
    """The Content-Type of the request is not one that this route takes."""

    code = "unsupported_media_type"


class MissingApiKeyError(ClientFaultError):
    """No API key was sent."""

    code = "missing_api_key"


class InvalidApiKeyError(ClientFaultError):
    """The API key is unknown, malformed or revoked."""

    code = "invalid_api_key"


class ForbiddenError(ClientFaultError):
    """The key is good, but not for this."""

    code = "forbidden"


class AccountSuspendedError(ClientFaultError):
    """The key is good, its account is not active."""

    code = "account_suspended"


class RateLimitedError(ClientFaultError):
    """Too many requests per second."""

    code = "rate_limited"


class QuotaExceededError(ClientFaultError):
    """The account's quota of images is used up."""

    code = "quota_exceeded"


class NotFoundError(ClientFaultError):
    """There is no such route or thing."""

    code = "not_found"


class MethodNotAllowedError(ClientFaultError):
    """The route exists, the method does not. details["allow"]: the methods that do, as the Allow header wants them."""

    code = "method_not_allowed"


class ConflictError(ClientFaultError):
    """The thing is not in a state that allows this."""

    code = "conflict"


class JobBusyError(ClientFaultError):
    """The job is being worked on. details["retry_after_s"]: when that must have ended."""

    code = "job_running"


class JobEndedError(ClientFaultError):
    """The job has ended, and a final state never changes. details["status"]: which."""

    code = "job_ended"


class ProcessingFailedError(ClientFaultError):
    """Every attempt on this image came to a bad end, and no more will be made."""

    code = "processing_failed"


class IdempotencyMismatchError(ClientFaultError):
    """The Idempotency-Key was used before, for another request."""

    code = "idempotency_mismatch"


class GoneError(ClientFaultError):
    """There was such a thing, and its owner had it deleted."""

    code = "gone"


class ServiceUnavailableError(ServiceFaultError):
    """A part of the service that this request needs is not available; a retry may work."""

    code = "service_unavailable"


class DeadlineError(ServiceFaultError):
    """The work would not end before the deadline of the request; the gateway answers so too, by itself."""

    code = "timeout"
