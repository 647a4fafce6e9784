"""What DynamoDB's errors mean: what a retry may cure, and which write of a transaction was refused."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cutout.errors import ServiceUnavailableError

NOT_MET: Final = "ConditionalCheckFailed"
"""Why a write of a transaction was refused; a single write's error has the suffix "Exception"."""
THROTTLED: Final = frozenset({
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException",
})  # fmt: skip
"""Codes of a table or an item that is asked too often."""
TRANSIENT: Final = THROTTLED | {"TransactionConflictException", "TransactionInProgressException"}
"""Codes below status 500 after which a retry may work (DynamoDB developer guide, "Error handling")."""

LOST: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why a transaction is cancelled although nothing is wrong with it (API reference, TransactWriteItems)."""


def code_of(error: ClientError) -> str:
    """The service's name for an error."""
    return str(error.response["Error"]["Code"])


def is_not_met(error: ClientError) -> bool:
    """Whether a single write was refused by its condition."""
    return code_of(error) == f"{NOT_MET}Exception"


def is_transient(error: Exception) -> bool:
    """Whether a retry may cure it; all else (rights, names) is our fault."""
    if isinstance(error, ClientError):
        if reasons := set(refusals(error)) - {"None"}:
            return reasons <= LOST
        return code_of(error) in TRANSIENT or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500  # noqa: PLR2004
    return isinstance(error, BotoConnectionError | HTTPClientError)


def refusals(error: ClientError) -> list[str]:
    """Why each write of a cancelled transaction was refused, in order, "None" where it was not; else nothing."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return [str(reason["Code"]) for reason in reasons]


@contextmanager
def service_errors(message: str) -> Iterator[None]:
    """Turn what a retry may cure into ServiceUnavailableError with this message; all else passes as it is."""
    try:
        yield
    except (BotoConnectionError, HTTPClientError, ClientError) as error:
        if not is_transient(error):
            raise
        raise ServiceUnavailableError(message) from error


T = TypeVar("T")

TRIES: Final = 8
"""Their waits come to 1.6 s on average: short beside the work on an image, long beside a conflict."""
FIRST_WAIT_MS: Final = 25
"""Longest wait before the second try; it doubles with every try."""

Pick = Callable[[int], int]
"""An integer from 0 to below the argument."""
Sleep = Callable[[float], None]
"""Waits for seconds."""


def retry(call: Callable[[], T], away: str, pick: Pick = secrets.randbelow, sleep: Sleep = time.sleep) -> T:
    """What ``call`` returns, tried again while DynamoDB is away or busy.

    away: what the client is told in the end. Raises ServiceUnavailableError after TRIES tries (whether the last one
    did its work is then unknown), and at once what no retry can cure.
    """
    for attempt in range(TRIES):
        try:
            return call()
        except (ClientError, BotoConnectionError, HTTPClientError) as error:
            if not is_transient(error):
                raise
            if attempt + 1 == TRIES:
                raise ServiceUnavailableError(away) from error
            sleep(pick(FIRST_WAIT_MS * 2**attempt) / 1000)
    raise AssertionError("the last try returns or raises")
