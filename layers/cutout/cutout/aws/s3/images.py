"""The images of jobs in the uploads bucket: opened first, and read only if they are small enough."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cutout.api.sources import too_large
from cutout.aws.s3.errors import is_precondition_failed, s3_call, s3_code
from cutout.errors import InvalidRequestError, MissingImageError
from cutout.jobs.parts import JobSource
from cutout.jobs.storage import ImageChangedError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_UNAVAILABLE: Final = "The image could not be read; try again."
_UNREADABLE: Final = frozenset({"InvalidObjectState", "InvalidRequest"})
"""Codes for an object that is archived, or encrypted with a key of its owner (S3 API reference, GetObject)."""


@dataclass(frozen=True, slots=True)
class OpenImage:
    """An object whose bytes are not read yet; implements :class:`~cutout.jobs.storage.StoredImage`.

    Attributes:
        size_bytes: The size that S3 reports before the first byte.
        metadata: The object's metadata.
        tags: Fetches the object's tags.
        body: The open stream.
    """

    size_bytes: int
    metadata: Mapping[str, str]
    tags: Callable[[], Mapping[str, str]]
    body: "StreamingBody"

    def read(self, max_bytes: int) -> bytes:
        """Read the whole object.

        Args:
            max_bytes: The most bytes to read.

        Returns:
            The bytes.

        Raises:
            ImageTooLargeError: The object has more than ``max_bytes`` bytes; nothing is read then.
            ServiceUnavailableError: S3 is unavailable.
        """
        if self.size_bytes > max_bytes:
            raise too_large(max_bytes)
        with _image_call():
            return self.body.read()


class S3ImageStore:
    """Reads the images of jobs; implements :class:`~cutout.jobs.storage.ImageStore`.

    Args:
        client: Gives the S3 client; called on first use.
    """

    def __init__(self, client: "Callable[[], S3Client]") -> None:
        self._client = client

    @contextmanager
    def open(self, source: JobSource) -> Iterator[OpenImage]:
        """Open an object as a context manager: exactly the version or the ETag that the source names.

        Args:
            source: The object.

        Yields:
            The open object.

        Raises:
            ImageChangedError: The object was overwritten.
            MissingImageError: There is no such object.
            InvalidRequestError: The object cannot be read with the service's rights.
            ServiceUnavailableError: S3 is unavailable.
        """
        place: Any = {"Bucket": source.bucket, "Key": source.key}
        if source.version:
            place["VersionId"] = source.version
        condition: Any = {"IfMatch": f'"{source.etag}"'} if source.etag and not source.version else {}
        with _image_call():
            found = self._client().get_object(**place, **condition)

        def tags() -> Mapping[str, str]:
            with _image_call():
                return {tag["Key"]: tag["Value"] for tag in self._client().get_object_tagging(**place)["TagSet"]}

        def none() -> Mapping[str, str]:
            return {}

        with found["Body"] as body:
            yield OpenImage(found["ContentLength"], found["Metadata"], tags if found.get("TagCount") else none, body)


@contextmanager
def _image_call() -> Iterator[None]:
    """Translate the errors of a call to S3 about an image."""
    with s3_call(_UNAVAILABLE, MissingImageError("There is no image: it was removed, or has expired.")):
        try:
            yield
        except ClientError as error:
            if is_precondition_failed(error):
                raise ImageChangedError from error
            if s3_code(error) in _UNREADABLE:
                raise InvalidRequestError("The object is archived, or encrypted with a key of its owner.") from error
            raise
