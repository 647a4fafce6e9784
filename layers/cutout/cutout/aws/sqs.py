"""A batch of SQS messages, one after another: what is done leaves the queue, what failed comes again.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", reporting batch item failures.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from cutout.aws import telemetry
from cutout.errors import JobBusyError, ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message as it was received.

    Attributes:
        body: Its text.
        receipt_handle: Names this receipt of it.
        receives: How often it was received so far, this time included; the queue counts approximately.
        time_left: Seconds until this process may be killed, as of the call.
    """

    body: str
    receipt_handle: str
    receives: int
    time_left: Callable[[], float]


class RetryLaterError(Exception):
    """Puts a message back into its queue, for a reason that is told elsewhere."""


def queue_handler(work: Callable[[QueueMessage], None], *, tracing: bool) -> telemetry.Handler:
    """Make the handler of a function that is fed by a queue.

    Args:
        work: Does what one message asks for, or raises.
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


class SqsJobQueue:
    """One queue. client: gives the client; it is asked for only when there is a message."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def enqueue(self, job_id: str) -> None:
        """Have a job taken up; being told twice does no harm. Raises ServiceUnavailableError when SQS is away."""
        with _failures("The job could not be queued; try again."):
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps({"job_id": job_id}))

    def postpone(self, receipt_handle: str, delay_s: int) -> None:
        """Let a message that was received come again in ``delay_s`` seconds (less than 12 h), if it is not deleted.

        Raises ServiceUnavailableError; the message then comes after the queue's own visibility timeout.
        """
        with _failures("The message could not be postponed."):
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=delay_s
            )


@contextmanager
def _failures(message: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ServiceUnavailableError(message) from error


BUSY_S: Final = (5, 15)
"""Most work ends in a second. Later waits last as long as the other's lease, which is the longest it can take."""
FAULT_S: Final = (5, 30)
"""Most faults of a service pass at once. Later waits are the visibility timeout, and outlast an outage."""


@contextmanager
def postpone_failures(message: QueueMessage, queue: SqsJobQueue) -> Iterator[None]:
    """Do the work of a message; if it fails, decide when the message comes again.

    Args:
        message: The message.
        queue: Where it came from.

    Raises:
        RetryLaterError: Another process does the work.
        Exception: What the work raises.
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
    with suppress(ServiceUnavailableError):  # then it comes after the visibility timeout
        queue.postpone(message.receipt_handle, delay_s)
