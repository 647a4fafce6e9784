"""The parts of a job as values: the source of its image, the options, and the result or the error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cutout.errors import CutoutError
from cutout.imaging.spec import Box, CutoutSpec
from cutout.jobs.ids import is_job_id


class SourceKind(StrEnum):
    """The kind of source of a job's image."""

    UPLOAD = "upload"
    """An object put by the job's own presigned POST."""
    URL = "url"
    """A public URL."""
    OBJECT = "object"
    """An object that its owner put into the uploads bucket by any tool."""
    REQUEST = "request"
    """The body of the request itself, which waits for the result."""


@dataclass(frozen=True, slots=True)
class JobSource:
    """The source of one image.

    Attributes:
        kind: The kind of source.
        bucket: The bucket of an UPLOAD or OBJECT.
        key: The decoded key of an UPLOAD or OBJECT.
        version: The object's version id, as its event reports it; empty in a bucket without versions.
        etag: The object's ETag without quotes, as its event reports it.
        sequencer: Orders the events of one key; empty: unknown.
        url: The URL of a URL.
    """

    kind: SourceKind
    bucket: str = ""
    key: str = ""
    version: str = ""
    etag: str = ""
    sequencer: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The requested result of a job.

    Attributes:
        spec: The requested cutout.
        mask: Whether the mask is stored beside the cutout.
        background_url: A public URL of the background image; empty: none.
    """

    spec: CutoutSpec = field(default_factory=CutoutSpec)
    mask: bool = False
    background_url: str = ""


@dataclass(frozen=True, slots=True)
class JobResult:
    """Facts about a finished cutout, and its place in the results bucket.

    Attributes:
        key: The object key of the cutout.
        media_type: The cutout's media type.
        width: Of the cutout, in pixels.
        height: Of the cutout, in pixels.
        source_width: Of the image, in pixels.
        source_height: Of the image, in pixels.
        bytes: Size of the cutout.
        model: The model's name.
        stages_ms: Milliseconds by stage.
        mask_key: The object key of the mask.
        foreground: The subject's box in the cutout, in pixels; None: nothing was found.
        frames: Frames of an animation; 1 for a single picture.
    """

    key: str
    media_type: str
    width: int
    height: int
    source_width: int
    source_height: int
    bytes: int
    model: str
    stages_ms: Mapping[str, float]
    mask_key: str | None = None
    foreground: Box | None = None
    frames: int = 1


@dataclass(frozen=True, slots=True)
class JobError:
    """The reason why a job failed, for the client.

    Attributes:
        code: A code of the public contract.
        message: One sentence.
        details: JSON-serialisable facts.
    """

    code: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: CutoutError) -> "JobError":
        """Copy an error's code, message and details."""
        return cls(error.code, error.message, error.details)


@dataclass(frozen=True, slots=True)
class JobMessage:
    """A message that requests an attempt at a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An event: an object was put below ``uploads/{account}/``.

    Attributes:
        bucket: The bucket.
        key: The decoded key.
        version_id: The version id; empty in a bucket without versions.
        etag: The ETag without quotes.
        sequencer: Orders the events of one key; empty: unknown.
        time: The time of the event (ISO 8601).
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    sequencer: str
    time: str

    @property
    def account_id(self) -> str:
        """The account that owns the object."""
        return self.key.split("/")[1]

    @property
    def job_id(self) -> str | None:
        """The job that was made before this upload, if the key is one of such an upload."""
        parts = self.key.split("/")
        return parts[2] if len(parts) > _JOB_KEY_PARTS and is_job_id(parts[2]) else None

    @property
    def version(self) -> str:
        """A name that distinguishes this object from others of the same key."""
        return self.version_id or self.sequencer or f"{self.etag}@{self.time}"


_JOB_KEY_PARTS: Final = 3

PROCESSING_FAILED: Final = JobError(
    "processing_failed", "The image could not be processed: every attempt ended before its time."
)
SUPERSEDED: Final = JobError("superseded", "The object was overwritten before its turn came.")
