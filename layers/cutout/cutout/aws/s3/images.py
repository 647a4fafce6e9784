"""The images of jobs as they lie in the uploads bucket: opened first, read only if they are small enough."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from cutout.api.sources import too_large
from cutout.aws.s3.errors import code_of, is_absent, is_not_met
from cutout.errors import InvalidRequestError, MissingImageError, ServiceUnavailableError
from cutout.jobs.parts import JobSource
from cutout.jobs.storage import ImageChangedError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_UNAVAILABLE: Final = "The image could not be read; try again."
_CLOSED: Final = frozenset({"InvalidObjectState", "InvalidRequest"})
"""Archived, or encrypted with a key that only its owner has (S3 API reference, GetObject)."""


@dataclass(frozen=True, slots=True)
class OpenImage:
    """An object whose bytes are still on their way. size_bytes: as S3 tells it before the first of them."""

    size_bytes: int
    metadata: Mapping[str, str]
    tags: Callable[[], Mapping[str, str]]
    body: "StreamingBody"

    def read(self, max_bytes: int) -> bytes:
        """All of it. Raises ImageTooLargeError above ``max_bytes``, with nothing read; ServiceUnavailableError."""
        if self.size_bytes > max_bytes:
            raise too_large(max_bytes)
        with _failures():
            return self.body.read()


class S3ImageStore:
    """Reads objects. client: gives the client; it is asked for only when needed."""

    def __init__(self, client: "Callable[[], S3Client]") -> None:
        self._client = client

    @contextmanager
    def open(self, source: JobSource) -> Iterator[OpenImage]:
        """Open an object for a while: the very version, or the one with this etag, where ``source`` names it.

        Raises ImageChangedError, MissingImageError when nothing is there, InvalidRequestError when it cannot be read
        with our rights, ServiceUnavailableError.
        """
        place: Any = {"Bucket": source.bucket, "Key": source.key}
        if source.version:
            place["VersionId"] = source.version
        condition: Any = {"IfMatch": f'"{source.etag}"'} if source.etag and not source.version else {}
        with _failures():
            found = self._client().get_object(**place, **condition)

        def tags() -> Mapping[str, str]:
            with _failures():
                return {tag["Key"]: tag["Value"] for tag in self._client().get_object_tagging(**place)["TagSet"]}

        def none() -> Mapping[str, str]:
            return {}

        with found["Body"] as body:
            yield OpenImage(found["ContentLength"], found["Metadata"], tags if found.get("TagCount") else none, body)


@contextmanager
def _failures() -> Iterator[None]:
    """What S3's errors mean here."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_not_met(error):
            raise ImageChangedError from error
        if is_absent(error):
            raise MissingImageError("There is no image: it was removed, or has expired.") from error
        if code_of(error) in _CLOSED:
            raise InvalidRequestError("The object is archived, or encrypted with a key of its owner.") from error
        raise ServiceUnavailableError(_UNAVAILABLE) from error
