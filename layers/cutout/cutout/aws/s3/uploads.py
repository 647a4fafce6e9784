"""The uploads bucket: forms for uploads past the API, and what was uploaded. Objects expire within a day.

``uploads/{account}/`` starts jobs by notification; ``direct/{account}/`` holds images that a request names or brings.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cutout.api.sources import too_large
from cutout.api.uploads import UploadForm, check_upload_id
from cutout.aws.s3.errors import if_met, is_absent
from cutout.errors import NotFoundError, ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
from typing import TYPE_CHECKING

from cutout.accounts import Account
from cutout.jobs.job import Job
from cutout.jobs.storage import direct_upload_key

_NOTHING = "Nothing was uploaded under this upload_id: post the form of POST /v2/uploads first; uploads last a day."


class S3UploadStore:
    """Signs, reads and removes. Every method raises ServiceUnavailableError when S3 cannot be asked.

    client: gives the client; it is asked for only when needed. max_bytes: of one image; url_s: life of a form.
    """

    def __init__(
        self,
        client: Callable[[], "S3Client"],
        bucket: str,
        *,
        max_bytes: int,
        url_s: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self.bucket = bucket
        self.max_bytes = max_bytes
        self._url_s = url_s
        self._now = now

    def form(self, key: str, content_type: str) -> UploadForm:
        """A form for one object of 1 to ``max_bytes`` bytes; its Content-Type may be changed to another ``image/``.

        Source: S3 API reference, "POST Policy". S3 refuses what does not fit; we never see it.
        """
        with _failures("The upload could not be prepared; try again."):
            made = self._client().generate_presigned_post(
                self.bucket,
                key,
                Fields={"Content-Type": content_type},
                Conditions=[["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, self.max_bytes]],
                ExpiresIn=self._url_s,
            )
        expires_at = (self._now() + timedelta(seconds=self._url_s)).replace(microsecond=0)
        return UploadForm(made["url"], made["fields"], expires_at, self.max_bytes)

    def require(self, account_id: str, upload_id: str) -> str:
        """The key of an upload that is there and small enough. Raises as :meth:`read`."""
        key = direct_upload_key(account_id, check_upload_id(upload_id))
        with _failures("The upload could not be found just now; try again."):
            self._require_size(self._client().head_object(Bucket=self.bucket, Key=key)["ContentLength"])
        return key

    def read(self, account_id: str, upload_id: str) -> bytes:
        """An upload. Raises NotFoundError, InvalidRequestError (no such id can be), ImageTooLargeError unread."""
        key = direct_upload_key(account_id, check_upload_id(upload_id))
        with _failures("The upload could not be read; try again."):
            found = self._client().get_object(Bucket=self.bucket, Key=key)
            with found["Body"] as body:
                self._require_size(found["ContentLength"])
                return body.read()

    def put_url(self, key: str) -> str:
        """A presigned PUT of any bytes; how many is seen when they are read."""
        return self._presigned("put_object", key)

    def get_url(self, key: str) -> str:
        """A presigned GET. Made without asking S3."""
        return self._presigned("get_object", key)

    def store(self, key: str, data: bytes) -> None:
        """Keep an image for later."""
        with _failures("The image could not be kept; try again."):
            self._client().put_object(Bucket=self.bucket, Key=key, Body=data)

    def remove(self, key: str, etag: str | None = None) -> None:
        """Remove an object if it is there; with an etag (no quotes) only that very one, for people overwrite theirs."""
        condition: Any = {} if etag is None else {"IfMatch": f'"{etag}"'}
        with suppress(NotFoundError), _failures("The upload could not be removed; try again."), if_met():
            self._client().delete_object(Bucket=self.bucket, Key=key, **condition)

    def _presigned(self, operation: str, key: str) -> str:
        with _failures("The upload's URL could not be made; try again."):
            return self._client().generate_presigned_url(
                operation, Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=self._url_s
            )

    def _require_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_bytes:
            raise too_large(self.max_bytes)


@contextmanager
def _failures(message: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_absent(error):
            raise NotFoundError(_NOTHING) from error
        raise ServiceUnavailableError(message) from error


class S3RetentionStore:
    """Copies in the uploads bucket that do not expire. client: gives the client; it is asked for only when needed."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, account: Account, job: Job, image: bytes) -> None:
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
