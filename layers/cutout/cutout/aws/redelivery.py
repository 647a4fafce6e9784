"""When a message comes again that could not be done now: soon at first, later at the queue's own pace.

The queue counts how often a message came, and gives it to the dead-letter queue in the end; so the waits have to cover
what they wait for within a few times.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cutout.aws.batches import ComeAgainError, Message
from cutout.aws.message_queue import MessageQueue
from cutout.errors import JobBusyError, ServiceUnavailableError

BUSY_S: Final = (5, 15)
"""Most work ends in a second. Later waits last as long as the other's lease, which is the longest it can take."""
FAULT_S: Final = (5, 30)
"""Most faults of a service pass at once. Later waits are the visibility timeout, and outlast an outage."""


@contextmanager
def come_again(message: Message, queue: MessageQueue) -> Iterator[None]:
    """Do the work of a message; if it fails, say when the message shall come again.

    Raises ComeAgainError where the work is being done by another, and any other error as it is.
    """
    try:
        yield
    except JobBusyError as error:
        lease_s = int(str(error.details["retry_after_s"])) + 1
        _postpone(message, queue, min(lease_s, *BUSY_S[message.receives - 1 : message.receives] or (lease_s,)))
        raise ComeAgainError from error
    except Exception:
        for delay_s in FAULT_S[message.receives - 1 : message.receives]:
            _postpone(message, queue, delay_s)
        raise


def _postpone(message: Message, queue: MessageQueue, delay_s: int) -> None:
    with suppress(ServiceUnavailableError):  # then it comes after the visibility timeout
        queue.postpone(message.receipt_handle, delay_s)
