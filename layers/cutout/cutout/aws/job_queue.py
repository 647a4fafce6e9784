"""SQS: jobs whose image needs no upload. S3's own events about uploads come by the same queue."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class JobQueue:
    """The jobs' queue. client: gives the client; it is asked for only when there is a job."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def enqueue(self, job_id: str) -> None:
        """Have a job worked on; being told twice does no harm. Raises ServiceUnavailableError."""
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps({"job_id": job_id}))
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The job could not be queued; try again.") from error
