"""Images that are kept for training: the only path to ``retained/``, and open to accounts that have opted in alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.accounts import Account
from cutout.errors import ServiceUnavailableError
from cutout.jobs import Job

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Retention:
    """Copies in the uploads bucket that do not expire. client: gives the client; it is asked for only when needed."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, account: Account, job: Job, image: bytes) -> None:
        """Keep a job's image, if its owner allows it. Raises ServiceUnavailableError."""
        if account.training_opt_in and account.id == job.account_id:
            try:
                self._client().put_object(Bucket=self._bucket, Key=retained_key(job), Body=image)
            except (BotoCoreError, ClientError) as error:
                raise ServiceUnavailableError("The image could not be kept; try again.") from error

    def remove(self, job: Job) -> None:
        """Remove what was kept, if anything was. Raises ServiceUnavailableError."""
        try:
            self._client().delete_object(Bucket=self._bucket, Key=retained_key(job))
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The kept image could not be removed; try again.") from error


def retained_key(job: Job) -> str:
    """Where a job's image is kept."""
    return f"retained/{job.account_id}/{job.id}"
