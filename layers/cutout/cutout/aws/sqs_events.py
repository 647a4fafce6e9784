"""SQS: a handler for batches of messages. A message that failed returns to its queue.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", reporting batch item failures.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cutout.aws import telemetry
from cutout.aws.sqs import SqsJobQueue
from cutout.errors import JobBusyError, ServiceUnavailableError


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message as it was received.

    Attributes:
        body: The text.
        receipt_handle: Identifies this receipt.
        receives: Receipts so far, this one included; the queue counts approximately.
        time_left: Gives the seconds until this process may be killed.
    """

    body: str
    receipt_handle: str
    receives: int
    time_left: Callable[[], float]


class RetryLaterError(Exception):
    """Returns a message to its queue, for a reason that is logged elsewhere."""


def queue_handler(work: Callable[[QueueMessage], None], *, tracing: bool) -> telemetry.Handler:
    """Make the handler of a function that is fed by a queue.

    Args:
        work: Processes one message, or raises.
        tracing: Whether X-Ray segments are written.

    Returns:
        The handler, which reports the messages that failed (partial batch response).
    """

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        def time_left() -> float:
            return float(context.get_remaining_time_in_millis() / 1000)

        def one(record: SQSRecord) -> None:
            receives = int(record.attributes.approximate_receive_count)
            telemetry.message_received(record.message_id, receives)
            try:
                work(QueueMessage(record.body, record.receipt_handle, receives, time_left))
            except RetryLaterError:
                raise
            except Exception:
                telemetry.logger.exception("message failed")
                raise

        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(dict(event), one, processor, context))

    return telemetry.instrumented(handler, tracing=tracing)


BUSY_S: Final = (5, 15)
"""Seconds to wait for another worker, by receipt: most work ends in a second. Later waits last as long as its lease."""
FAULT_S: Final = (5, 30)
"""Seconds to wait after a fault, by receipt: most faults pass at once. Later waits are the queue's visibility timeout,
which outlasts an outage."""


@contextmanager
def postpone_failures(message: QueueMessage, queue: SqsJobQueue) -> Iterator[None]:
    """Run the work of a message in this context; if it fails, set when the message returns.

    Args:
        message: The message.
        queue: Its queue.

    Raises:
        RetryLaterError: Another process is doing the work.
        Exception: Any other error of the work.
    """
    try:
        yield
    except JobBusyError as error:
        lease_s = int(str(error.details["retry_after_s"])) + 1
        _postpone(message, queue, min(lease_s, *BUSY_S[message.receives - 1 : message.receives] or (lease_s,)))
        raise RetryLaterError from error
    except Exception:
        for delay_s in FAULT_S[message.receives - 1 : message.receives]:
            _postpone(message, queue, delay_s)
        raise


def _postpone(message: QueueMessage, queue: SqsJobQueue, delay_s: int) -> None:
    with suppress(ServiceUnavailableError):  # then the visibility timeout applies
        queue.postpone(message.receipt_handle, delay_s)
