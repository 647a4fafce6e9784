"""SQS: jobs that wait to be worked on, or to be told of. A message names the job, nothing that would age with it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class MessageQueue:
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
