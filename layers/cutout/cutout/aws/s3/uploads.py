"""The uploads bucket: forms for direct uploads, the uploaded images, and images retained for training.

An object below ``uploads/{account}/`` starts a job by its notification; ``direct/{account}/`` holds images that a
request names or contains. Both expire within a day.
"""

from contextlib import suppress
from typing import Any

from cutout.accounts import Account
from cutout.api.sources import too_large
from cutout.api.uploads import UploadForm, check_upload_id
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.errors import if_precondition_met, s3_call
from cutout.errors import NotFoundError
from cutout.ids import AccountId
from cutout.jobs.job import Job
from cutout.jobs.storage import direct_upload_key

_ABSENT = "Nothing was uploaded under this upload_id: post the form of POST /v2/uploads first; uploads last a day."
_UNSIGNED = "The upload's URL could not be made; try again."


class S3UploadStore:
    """The uploads bucket. Every method raises ServiceUnavailableError while S3 is unavailable.

    Attributes:
        bucket: The bucket's name.
        max_bytes: The most bytes of one image.

    Args:
        bucket: The bucket.
        max_bytes: The most bytes of one image.
    """

    def __init__(self, bucket: Bucket, max_bytes: int) -> None:
        self._bucket = bucket
        self.bucket = bucket.name
        self.max_bytes = max_bytes

    def form(self, key: str, content_type: str) -> UploadForm:
        """Make a presigned POST for one object of 1 to ``max_bytes`` bytes.

        S3 itself refuses what the policy does not allow (S3 API reference, "POST Policy").

        Args:
            key: The object key.
            content_type: The Content-Type in the form; the client may change it to another ``image/`` type.

        Returns:
            The form.
        """
        with s3_call("The upload could not be prepared; try again."):
            made = self._bucket.signer.generate_presigned_post(
                self.bucket,
                key,
                Fields={"Content-Type": content_type},
                Conditions=[["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, self.max_bytes]],
                ExpiresIn=self._bucket.url_s,
            )
        expires_at = self._bucket.urls_until.replace(microsecond=0)
        return UploadForm(made["url"], made["fields"], expires_at, self.max_bytes)

    def require(self, account_id: AccountId, upload_id: str) -> str:
        """Require that an upload exists and is small enough.

        Args:
            account_id: The owner.
            upload_id: The upload.

        Returns:
            The object key.

        Raises:
            CutoutError: As :meth:`read`.
        """
        key = direct_upload_key(account_id, check_upload_id(upload_id))
        with s3_call("The upload could not be found just now; try again.", absent=NotFoundError(_ABSENT)):
            self._require_size(self._bucket.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])
        return key

    def read(self, account_id: AccountId, upload_id: str) -> bytes:
        """Read an upload.

        Args:
            account_id: The owner.
            upload_id: The upload.

        Returns:
            The encoded image.

        Raises:
            NotFoundError: Nothing was uploaded under this id.
            InvalidRequestError: No upload can have this id.
            ImageTooLargeError: The object has too many bytes; nothing is read then.
        """
        key = direct_upload_key(account_id, check_upload_id(upload_id))
        with s3_call("The upload could not be read; try again.", absent=NotFoundError(_ABSENT)):
            found = self._bucket.client.get_object(Bucket=self.bucket, Key=key)
            with found["Body"] as body:
                self._require_size(found["ContentLength"])
                return body.read()

    def put_url(self, key: str) -> str:
        """Make a presigned PUT of any bytes; their number is checked when they are read."""
        return self._bucket.presigned("put_object", key, _UNSIGNED)

    def get_url(self, key: str) -> str:
        """Make a presigned GET, without a call to S3."""
        return self._bucket.presigned("get_object", key, _UNSIGNED)

    def store(self, key: str, data: bytes) -> None:
        """Store an image."""
        with s3_call("The image could not be kept; try again."):
            self._bucket.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def remove(self, key: str, etag: str | None = None) -> None:
        """Remove an object, if it exists.

        Args:
            key: The object key.
            etag: Remove it only with this ETag (no quotes), because owners may overwrite their objects; None: always.
        """
        condition: Any = {} if etag is None else {"IfMatch": f'"{etag}"'}
        call = s3_call("The upload could not be removed; try again.", absent=NotFoundError(_ABSENT))
        with suppress(NotFoundError), call, if_precondition_met():
            self._bucket.client.delete_object(Bucket=self.bucket, Key=key, **condition)

    def _require_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_bytes:
            raise too_large(self.max_bytes)


class S3RetentionStore:
    """Copies of images that do not expire; implements :class:`~cutout.jobs.storage.RetentionStore`.

    Args:
        bucket: The bucket.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def store(self, account: Account, job: Job, image: bytes) -> None:
        """Retain a job's image, if its account has opted in.

        Args:
            account: The owner.
            job: The job.
            image: The encoded image.

        Raises:
            ServiceUnavailableError: S3 is unavailable.
        """
        if account.training_opt_in and account.id == job.account_id:
            with s3_call("The image could not be kept; try again."):
                self._bucket.client.put_object(Bucket=self._bucket.name, Key=retained_key(job), Body=image)

    def remove(self, job: Job) -> None:
        """Remove the retained image, if there is one. Raises ServiceUnavailableError."""
        with s3_call("The kept image could not be removed; try again."):
            self._bucket.client.delete_object(Bucket=self._bucket.name, Key=retained_key(job))


def retained_key(job: Job) -> str:
    """Make the object key of a job's retained image."""
    return f"retained/{job.account_id}/{job.id}"
