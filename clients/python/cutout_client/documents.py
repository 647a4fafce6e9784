"""The API's JSON documents as values. Fields that this version does not know are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from cutout_client.errors import ApiError, UnexpectedAnswerError, api_error

T = TypeVar("T")

_TIMES = (
    "created_at", "started_at", "finished_at", "expires_at", "deleted_at",
    "url_expires_at", "valid_until", "previous_valid_until",
)  # fmt: skip
FINAL = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job never leaves."""


@dataclass(frozen=True)
class Usage:
    """What an account used in a calendar month (UTC)."""

    period: str
    images: int
    megapixels: float
    quota: int | None = None
    remaining: int | None = None


@dataclass(frozen=True)
class DayUsage:
    """What one key used on one day (UTC).

    ``key`` is a fingerprint, ``none`` for requests without a key, None for images of the uploads bucket.
    """

    day: str
    key: str | None
    images: int
    megapixels: float


@dataclass(frozen=True)
class Account:
    """The account behind a key, and the key itself by its fingerprint."""

    email: str
    plan: str
    subscription_status: str
    billing_model: str
    usage_unit: str
    mode: str
    fingerprint: str
    usage: Usage
    training_opt_in: bool = False
    """Whether images may be kept for training."""


@dataclass(frozen=True)
class Key:
    """An API key as it is listed; ``key`` is there only in the answer that makes it."""

    fingerprint: str
    mode: str
    label: str
    status: str
    created_at: datetime
    last_used_day: str | None = None
    valid_until: datetime | None = None
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class WebhookSecret:
    """What signs the account's webhooks."""

    secret: str = field(repr=False)
    created_at: datetime
    previous_valid_until: datetime | None = None


@dataclass(frozen=True)
class UploadForm:
    """A presigned POST: all ``fields`` first, the image as ``file`` last."""

    url: str
    fields: Mapping[str, str] = field(repr=False)
    expires_at: datetime
    max_bytes: int


@dataclass(frozen=True)
class Upload:
    """An uploaded image; may be given in the place of an image, as often as needed within 24 hours."""

    id: str
    expires_at: datetime


@dataclass(frozen=True)
class JobResult:
    """Where the result of a job lies, and facts about it."""

    url: str = field(repr=False)
    url_expires_at: datetime
    media_type: str
    width: int
    height: int
    source_width: int
    source_height: int
    bytes: int
    model: str
    stages_ms: Mapping[str, float]
    mask_url: str | None = field(default=None, repr=False)
    frames: int = 1


@dataclass(frozen=True)
class Job:
    """A job as the service shows it."""

    id: str
    status: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    attempts: int
    options: Mapping[str, Any]
    source: Mapping[str, Any]
    webhook_url: str | None = None
    upload: UploadForm | None = None
    result: JobResult | None = None
    error: ApiError | None = None
    deleted_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status never changes again."""
        return self.status in FINAL


@dataclass(frozen=True)
class JobPage:
    """A page of jobs, newest first; ``next_cursor`` is None on the last page."""

    jobs: list[Job]
    next_cursor: str | None


def read(cls: type[T], document: Mapping[str, Any]) -> T:
    """Return a document as a value of ``cls``.

    Raises:
        UnexpectedAnswerError: A field is missing, or is no time although it should be.
    """
    known = {each.name for each in fields(cls)}  # type: ignore[arg-type]
    values = {name: value for name, value in document.items() if name in known}
    try:
        for name in _TIMES:
            if values.get(name) is not None:
                values[name] = datetime.fromisoformat(values[name].replace("Z", "+00:00"))
        return cls(**values)
    except (TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswerError(f"the answer is no {cls.__name__.lower()}: {error}") from error


def read_job(document: Mapping[str, Any]) -> Job:
    """Return a job's document as a :class:`Job`. Raises UnexpectedAnswerError."""
    parts: dict[str, Any] = dict(document)
    if document.get("upload"):
        parts["upload"] = read(UploadForm, document["upload"])
    if document.get("result"):
        parts["result"] = read(JobResult, document["result"])
    if document.get("error"):
        error = document["error"]
        parts["error"] = api_error(
            str(error.get("code")), str(error.get("message")), details=error.get("details"), request_id=document["id"]
        )
    return read(Job, parts)


def read_account(document: Mapping[str, Any]) -> Account:
    """Return the answer of ``GET /v2/account`` as an :class:`Account`. Raises UnexpectedAnswerError."""
    try:
        usage = read(Usage, document["usage"])
        key, account = document["api_key"], document["account"]
        return read(Account, {**account, "mode": key["mode"], "fingerprint": key["fingerprint"], "usage": usage})
    except (KeyError, TypeError) as error:
        raise UnexpectedAnswerError(f"the answer is no account: {error}") from error
