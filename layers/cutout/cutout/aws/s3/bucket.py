"""A bucket, as the stores of its objects share it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from cutout.aws.s3.errors import s3_call

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and how long its presigned URLs and forms are valid.

    Attributes:
        connect: Gives the S3 client; called on first use.
        name: The bucket's name.
        url_s: Seconds for which a presigned URL or form is valid.
        now: Gives the current time (UTC).
        signing: Gives the client that presigns, where clients reach S3 by another address; None: the same.
    """

    connect: Callable[[], "S3Client"]
    name: str
    url_s: int
    now: Callable[[], datetime] = _utc_now
    signing: "Callable[[], S3Client] | None" = None

    @property
    def client(self) -> "S3Client":
        """The S3 client."""
        return self.connect()

    @property
    def signer(self) -> "S3Client":
        """The client that presigns."""
        return self.connect() if self.signing is None else self.signing()

    @property
    def urls_until(self) -> datetime:
        """When a URL that is made now expires (UTC)."""
        return self.now() + timedelta(seconds=self.url_s)

    def presigned(self, operation: Literal["get_object", "put_object"], key: str, failure: str) -> str:
        """Make a presigned URL, without a call to S3.

        Args:
            operation: The operation that the URL allows.
            key: The object key.
            failure: The message if the client has no credentials.

        Returns:
            The URL.

        Raises:
            ServiceUnavailableError: The URL cannot be signed.
        """
        with s3_call(failure):
            return self.signer.generate_presigned_url(
                operation, Params={"Bucket": self.name, "Key": key}, ExpiresIn=self.url_s
            )
