"""What a job is made of: where its image comes from, what is wanted, and what came of it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cutout.errors import CutoutError
from cutout.imaging.spec import Box, CutoutSpec
from cutout.jobs.ids import is_job_id


class SourceKind(StrEnum):
    """Where a job's image comes from."""

    UPLOAD = "upload"
    """An object put by the job's own presigned POST."""
    URL = "url"
    """A public URL."""
    OBJECT = "object"
    """An object that its owner put into the uploads bucket by any tool."""
    REQUEST = "request"
    """The body of the request itself, which is answered when the work is done."""


@dataclass(frozen=True, slots=True)
class JobSource:
    """One image to be had. bucket and key: for UPLOAD and OBJECT; the rest of an object is what its event said."""

    kind: SourceKind
    bucket: str = ""
    key: str = ""
    """Decoded."""
    version: str = ""
    """The bucket's version id; empty where it keeps none."""
    etag: str = ""
    sequencer: str = ""
    """Orders the events of one key; empty: unknown."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What is wanted of a job."""

    spec: CutoutSpec = field(default_factory=CutoutSpec)
    mask: bool = False
    """Whether the mask is stored beside the cutout."""
    background_url: str = ""
    """A public URL of the background image; empty: there is none."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """Facts about a finished cutout, and where it lies in the results bucket."""

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
    """Where the subject is in the cutout, in pixels; None: nowhere."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, in words for the client."""

    code: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: CutoutError) -> "JobError":
        """As the error tells it."""
        return cls(error.code, error.message, error.details)


@dataclass(frozen=True, slots=True)
class JobMessage:
    """A message that asks for a job to be worked on."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An object was put below ``uploads/{account}/``. key: decoded; etag: without quotes."""

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
        """The job that was made before its upload, if the key is one of such an upload."""
        parts = self.key.split("/")
        return parts[2] if len(parts) > _JOB_KEY_PARTS and is_job_id(parts[2]) else None

    @property
    def version(self) -> str:
        """Tells this object from others under the same key."""
        return self.version_id or self.sequencer or f"{self.etag}@{self.time}"


_JOB_KEY_PARTS: Final = 3

PROCESSING_FAILED: Final = JobError(
    "processing_failed", "The image could not be processed: every attempt ended before its time."
)
SUPERSEDED: Final = JobError("superseded", "The object was overwritten before its turn came.")
