"""SQS: events that wait for delivery. A message names the job, and nothing that would age with it."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_DELAY_S = 43_200
"""The longest visibility timeout (SQS API reference, ChangeMessageVisibility)."""


class WebhookQueue:
    """The webhooks' queue. client: gives the client; it is asked for only when there is an event."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def enqueue(self, job_id: str) -> None:
        """Have the end of a job told to its owner. Raises ServiceUnavailableError when SQS cannot be asked."""
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps({"job_id": job_id}))
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The event could not be queued; try again.") from error

    def postpone(self, receipt_handle: str, delay_s: int) -> None:
        """Let a message that was received come again in ``delay_s`` seconds (0..43,200), if it is not deleted.

        Raises ServiceUnavailableError; the message then comes after the queue's own visibility timeout.
        """
        try:
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=min(delay_s, MAX_DELAY_S)
            )
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The event could not be postponed.") from error
