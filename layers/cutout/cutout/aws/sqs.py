"""SQS: queues of jobs. What a function is fed by its queue is in ``sqs_events``, which no other function needs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import ServiceUnavailableError
from cutout.ids import JobId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsJobQueue:
    """A queue of jobs; implements :class:`~cutout.jobs.storage.JobQueue`.

    Args:
        client: Gives the SQS client; called on first use.
        url: The URL of the queue.
    """

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def enqueue(self, job_id: JobId) -> None:
        """Send a message about a job; a second one is harmless. Raises ServiceUnavailableError."""
        with _sqs_call("The job could not be queued; try again."):
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps({"job_id": job_id}))

    def postpone(self, receipt_handle: str, delay_s: int) -> None:
        """Set when a received message that is not deleted becomes visible.

        Args:
            receipt_handle: Identifies the receipt.
            delay_s: Seconds from now, less than 12 h.

        Raises:
            ServiceUnavailableError: SQS is unavailable; the message becomes visible after the queue's own timeout.
        """
        with _sqs_call("The message could not be postponed."):
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=delay_s
            )


@contextmanager
def _sqs_call(message: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ServiceUnavailableError(message) from error
