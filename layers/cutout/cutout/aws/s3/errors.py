"""The meaning of S3's errors: an object is absent, a condition on it was not met, or S3 is unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import CutoutError, ServiceUnavailableError

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
"""Codes for an absent object; an answer to HEAD has no body, so its code is the status."""
_PRECONDITION_FAILED: Final = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes for a condition that was not met; the last one when another write was faster (S3 user guide, "Conditional
requests")."""


def s3_code(error: BotoCoreError | ClientError) -> str:
    """Return S3's name for an error; empty if S3 was not reached."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def is_absent(error: BotoCoreError | ClientError) -> bool:
    """Report whether there is no such object."""
    return s3_code(error) in _ABSENT


def is_precondition_failed(error: BotoCoreError | ClientError) -> bool:
    """Report whether If-Match or If-None-Match was not met."""
    return s3_code(error) in _PRECONDITION_FAILED


@contextmanager
def if_precondition_met() -> Iterator[None]:
    """Ignore that the condition of a write or a removal was not met."""
    try:
        yield
    except ClientError as error:
        if not is_precondition_failed(error):
            raise


@contextmanager
def s3_call(message: str, absent: CutoutError | None = None) -> Iterator[None]:
    """Translate the errors of a call to S3.

    Args:
        message: The message for the client while S3 is unavailable.
        absent: The error for an absent object; None: treated as unavailable.

    Raises:
        CutoutError: ``absent``, for an absent object.
        ServiceUnavailableError: Any other error of the call.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if absent and is_absent(error):
            raise absent from error
        raise ServiceUnavailableError(message) from error
