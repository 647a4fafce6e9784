"""Trying again what DynamoDB may take on another try, with growing waits of random length (full jitter)."""

import secrets
import time
from collections.abc import Callable
from typing import Final, TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cutout.aws.dynamo_errors import is_transient
from cutout.errors import ServiceUnavailableError

T = TypeVar("T")

TRIES: Final = 8
"""Their waits come to 1.6 s on average: short beside the work on an image, long beside a conflict."""
FIRST_WAIT_MS: Final = 25
"""Longest wait before the second try; it doubles with every try."""

Pick = Callable[[int], int]
"""An integer from 0 to below the argument."""
Sleep = Callable[[float], None]
"""Waits for seconds."""


def persistently(call: Callable[[], T], away: str, pick: Pick = secrets.randbelow, sleep: Sleep = time.sleep) -> T:
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
