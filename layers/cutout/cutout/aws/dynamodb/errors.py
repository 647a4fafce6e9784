"""The meaning of DynamoDB's errors: which ones a retry may cure, and which write of a transaction was refused."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cutout.errors import ServiceUnavailableError

CONDITION_FAILED: Final = "ConditionalCheckFailed"
"""The reason for which a write of a transaction is refused; a single write's error has the suffix "Exception"."""
THROTTLED: Final = frozenset({
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException",
})  # fmt: skip
"""Codes of a table or an item that receives too many requests."""
TRANSIENT: Final = THROTTLED | {"TransactionConflictException", "TransactionInProgressException"}
"""Codes below status 500 after which a retry may work (DynamoDB developer guide, "Error handling")."""

TRANSIENT_REASONS: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons for which a valid transaction is cancelled, and a retry may work (API reference, TransactWriteItems)."""


def error_code(error: ClientError) -> str:
    """Return the service's name for an error."""
    return str(error.response["Error"]["Code"])


def is_condition_failed(error: ClientError) -> bool:
    """Report whether a single write was refused by its condition."""
    return error_code(error) == f"{CONDITION_FAILED}Exception"


def is_transient(error: Exception) -> bool:
    """Report whether a retry may cure an error.

    Args:
        error: The error of a call to DynamoDB.

    Returns:
        False for all that a retry cannot cure, such as missing rights, wrong names or a condition that is not met.
    """
    if isinstance(error, ClientError):
        if reasons := set(refusals(error)) - {"None"}:
            return reasons <= TRANSIENT_REASONS
        return error_code(error) in TRANSIENT or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500  # noqa: PLR2004
    return isinstance(error, BotoConnectionError | HTTPClientError)


def refusals(error: ClientError) -> list[str]:
    """List the reasons for which the writes of a cancelled transaction were refused.

    Args:
        error: The error of a call to DynamoDB.

    Returns:
        One reason per write, in order, "None" for a write that was not refused; empty for any other error.
    """
    reasons: Any = error.response.get("CancellationReasons", [])
    return [str(reason["Code"]) for reason in reasons]


@contextmanager
def service_errors(message: str) -> Iterator[None]:
    """Translate the errors of DynamoDB that a retry may cure; all others pass unchanged.

    Args:
        message: The message for the client.

    Raises:
        ServiceUnavailableError: DynamoDB cannot be reached, or is overloaded.
    """
    try:
        yield
    except (BotoConnectionError, HTTPClientError, ClientError) as error:
        if not is_transient(error):
            raise
        raise ServiceUnavailableError(message) from error


T = TypeVar("T")

TRIES: Final = 8
"""Attempts of one call. Their waits add up to 1.6 s on average: short beside the work on an image, long beside a
conflict."""
FIRST_WAIT_MS: Final = 25
"""The longest wait before the second attempt; it doubles with every attempt."""

Pick = Callable[[int], int]
"""Draws an integer from 0 to below the argument."""
Sleep = Callable[[float], None]
"""Waits for seconds."""


def retry(call: Callable[[], T], message: str, pick: Pick = secrets.randbelow, sleep: Sleep = time.sleep) -> T:
    """Make a call, and repeat it while DynamoDB is unavailable or busy (exponential backoff with full jitter).

    Args:
        call: Calls DynamoDB.
        message: The message for the client after the last attempt.
        pick: Draws an integer from 0 to below its argument, for the waits.
        sleep: Waits for seconds.

    Returns:
        The result of the call.

    Raises:
        ServiceUnavailableError: All TRIES attempts have failed; whether the last one did its work is unknown.
        ClientError: No retry can cure the error; raised at once.
    """
    for attempt in range(TRIES):
        try:
            return call()
        except (ClientError, BotoConnectionError, HTTPClientError) as error:
            if not is_transient(error):
                raise
            if attempt + 1 == TRIES:
                raise ServiceUnavailableError(message) from error
            sleep(pick(FIRST_WAIT_MS * 2**attempt) / 1000)
    raise AssertionError("the last try returns or raises")


def conditional_write(write: Callable[[], object], message: str) -> bool:
    """Make a single conditional write, with retries as :func:`retry`.

    Args:
        write: Writes one item on a condition.
        message: The message for the client after the last attempt.

    Returns:
        Whether the write was done; False when its condition was not met. After a False, an earlier attempt may have
        done it and lost its answer.

    Raises:
        ServiceUnavailableError: All attempts have failed; whether the write was done is unknown.
    """
    try:
        retry(write, message)
    except ClientError as error:
        if not is_condition_failed(error):
            raise
        return False
    return True
