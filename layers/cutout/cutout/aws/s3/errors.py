"""What S3's errors mean: that nothing is there, or that a condition on what is there was not met."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
"""HEAD has no body, so no name of an error."""
_NOT_MET: Final = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""The last where another write came in between (S3 user guide, "Conditional requests")."""


def code_of(error: BotoCoreError | ClientError) -> str:
    """S3's name for an error; empty where S3 was not reached."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def is_absent(error: BotoCoreError | ClientError) -> bool:
    """Whether there is no such object."""
    return code_of(error) in _ABSENT


def is_not_met(error: BotoCoreError | ClientError) -> bool:
    """Whether If-Match or If-None-Match did not hold."""
    return code_of(error) in _NOT_MET


@contextmanager
def if_met() -> Iterator[None]:
    """Do nothing where the condition of a write or a removal did not hold."""
    try:
        yield
    except ClientError as error:
        if not is_not_met(error):
            raise
