"""Jobs: images that are worked on after the request that brought them was answered.

The states of a job, and every change of it as a pure function, so that all stores obey the same rules. Where jobs are
kept is a :class:`JobStore`. Knows neither AWS nor HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from cutout.accounts import KeyMode
from cutout.errors import JobBusyError, JobEndedError
from cutout.jobs.parts import PROCESSING_FAILED, JobError, JobOptions, JobResult, JobSource, SourceKind
from cutout.usage import Charge

RETENTION: Final = timedelta(hours=24)
"""How long a job, its image and its results are kept; an older job reads as absent."""
MAX_CRASHES: Final = 3
"""Attempts that may end without a word (the process was killed, or ran out of time) before the image is to blame."""


class JobState(StrEnum):
    """Where a job stands. It moves forward only, and a final state never changes."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class Job:
    """One image on its way. All times are UTC, in whole milliseconds; ``expires_at`` in whole seconds."""

    id: str
    account_id: str
    state: JobState
    created_at: datetime
    expires_at: datetime
    options: JobOptions
    source: JobSource
    charged_mode: KeyMode
    """Mode of the key that made the job: a synthetic one is never charged."""
    webhook_url: str | None = None
    fingerprint: str | None = None
    """Hash of the request, where it came with an Idempotency-Key."""
    started_at: datetime | None = None
    """Of the latest attempt."""
    finished_at: datetime | None = None
    attempts: int = 0
    faults: int = 0
    """Attempts that a fault of ours ended in an orderly way."""
    fault: str = ""
    """The latest of these, for the service's owner; never shown to a client."""
    lease_until: datetime | None = None
    """Until then the latest attempt may still be at work."""
    result: JobResult | None = None
    error: JobError | None = None
    webhook_queued: bool = False
    deleted_at: datetime | None = None
    """Since then its owner wants nothing kept of it: what still comes up must be removed."""
    dialect: str = ""
    """The contract by which it was ordered, and by which its owner is told of its end; empty: our own."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What that dialect wants to know again when it answers."""

    @classmethod
    def queued(
        cls,
        job_id: str,
        account_id: str,
        options: JobOptions,
        source: JobSource,
        now: datetime,
        *,
        charged_mode: KeyMode = KeyMode.LIVE,
        webhook_url: str | None = None,
        fingerprint: str | None = None,
        dialect: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> "Job":
        """Make a job that nobody has begun."""
        created_at = in_ms(now)
        return cls(
            id=job_id,
            account_id=account_id,
            state=JobState.QUEUED,
            created_at=created_at,
            expires_at=created_at.replace(microsecond=0) + RETENTION,
            options=options,
            source=source,
            charged_mode=charged_mode,
            webhook_url=webhook_url,
            fingerprint=fingerprint,
            dialect=dialect,
            notes=dict(notes or {}),
        )

    @property
    def folder(self) -> str:
        """Where the results lie below the account's own prefix: foreseeable for objects that people put themselves."""
        return self.source.key.split("/", 2)[2] if self.source.kind is SourceKind.OBJECT else self.id

    @property
    def owes_webhook(self) -> bool:
        """Whether its owner is still to be told of the end. Nobody is told of a cancellation."""
        told = self.state in {JobState.SUCCEEDED, JobState.FAILED}
        return told and self.webhook_url is not None and not self.webhook_queued

    @property
    def keeps_results(self) -> bool:
        """Whether what was made of the image stays; of any other end nothing may be left but its report."""
        return self.state is JobState.SUCCEEDED and self.deleted_at is None

    @property
    def is_reported(self) -> bool:
        """Whether a report of the end lies beside the results, for whoever watches these and not the API."""
        return self.state in {JobState.SUCCEEDED, JobState.FAILED} and self.deleted_at is None

    def started(self, now: datetime, lease_s: float) -> "Job":
        """Begin an attempt that may take ``lease_s``; or, after too many that crashed, the failed job.

        Raises JobBusyError while another attempt may be at work, JobEndedError when there is nothing left to do.
        """
        self.require_open()
        if self.lease_until is not None and now < self.lease_until:
            wait_s = (self.lease_until - now).total_seconds()
            raise JobBusyError(f"The job {self.id} is being worked on.", {"retry_after_s": max(1, round(wait_s))})
        if self.attempts - self.faults >= MAX_CRASHES:
            return replace(self._finished(JobState.FAILED, now), error=PROCESSING_FAILED)
        return replace(
            self,
            state=JobState.RUNNING,
            started_at=in_ms(now),
            attempts=self.attempts + 1,
            lease_until=in_ms(now + timedelta(seconds=lease_s)),
        )

    def released(self, fault: str) -> "Job":
        """End an attempt by a fault of ours: the job stays open, and the next attempt may begin at once."""
        self.require_open()
        return replace(self, faults=self.faults + 1, fault=fault, lease_until=None)

    def succeeded(self, now: datetime, result: JobResult) -> "Job":
        """End with a result. Raises JobEndedError when the job has ended otherwise."""
        self.require_open()
        return replace(self._finished(JobState.SUCCEEDED, now), result=result)

    def failed(self, now: datetime, error: JobError) -> "Job":
        """End for good by a fault of the image or of the request. Raises JobEndedError."""
        self.require_open()
        return replace(self._finished(JobState.FAILED, now), error=error)

    def cancelled(self, now: datetime, error: JobError | None = None) -> "Job":
        """Give up an open job. Raises JobEndedError."""
        self.require_open()
        return replace(self._finished(JobState.CANCELLED, now), error=error)

    def forgotten(self, now: datetime) -> "Job":
        """Give the job up if it is open, and drop what it held of its owner's; done twice it changes nothing more."""
        if self.deleted_at is not None:
            return self
        ended = self if self.state.is_final else self.cancelled(now)
        source, options = replace(self.source, url=""), replace(self.options, background_url="")
        return replace(ended, source=source, options=options, webhook_url=None, result=None, deleted_at=in_ms(now))

    def _finished(self, state: JobState, now: datetime) -> "Job":
        return replace(self, state=state, finished_at=in_ms(now), lease_until=None)

    def require_open(self) -> None:
        """Raise JobEndedError when nothing more will happen to the job."""
        if self.state.is_final:
            raise JobEndedError(f"The job {self.id} has {self.state.value} already.", {"status": self.state.value})


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some of an account's jobs, newest first. cursor: where the next page begins; None: there is none."""

    jobs: tuple[Job, ...]
    cursor: str | None


class JobStore(Protocol):
    """Where jobs are kept. Every method raises ServiceUnavailableError when the store cannot be asked just now.

    A change that was made although its answer was lost is made once, and reported as made.
    """

    def create(self, job: Job) -> bool:
        """Add a job; False, and no change, when there is one of this id that has not expired."""

    def find(self, job_id: str) -> Job | None:
        """Look a job up, as it stands at this moment; None: unknown or expired."""

    def page(self, account_id: str, limit: int, cursor: str | None = None, state: JobState | None = None) -> JobPage:
        """List an account's jobs, newest first; a change may take a second to be seen here.

        limit: 1..100. With ``state`` a page may hold fewer than ``limit`` although another follows.
        Raises InvalidOptionError for a cursor that no page gave.
        """

    def start(self, job_id: str, lease_s: float) -> Job:
        """Begin an attempt (:meth:`Job.started`): the job is then RUNNING, or FAILED after too many crashes.

        Raises NotFoundError, JobBusyError, JobEndedError.
        """

    def release(self, job: Job, fault: str) -> Job:
        """End this attempt (``job`` as :meth:`start` gave it) by a fault of ours. Raises as :meth:`succeed`."""

    def succeed(self, job: Job, result: JobResult, charge: Charge | None) -> Job:
        """End this attempt with a result, and count the charge, in one step. What is charged already stays so.

        Raises JobEndedError when the job was cancelled meanwhile, JobBusyError when a later attempt has begun,
        NotFoundError; then nothing is charged.
        """

    def fail(self, job: Job, error: JobError) -> Job:
        """End this attempt by a fault of the image or of the request. Raises as :meth:`succeed`."""

    def supersede(self, job: Job) -> Job:
        """Give the job up because a newer image took its place. Raises as :meth:`succeed`."""

    def forget(self, account_id: str, job_id: str, *, open_only: bool = False) -> Job:
        """Give the job up on its owner's wish and drop what it held (:meth:`Job.forgotten`); a final state stays.

        open_only: what a job that has ended holds is kept, and JobEndedError raised.
        Raises NotFoundError, also for another account's job.
        """

    def note_webhook_queued(self, job_id: str) -> None:
        """Remember that the end of the job was handed to the webhooks' queue."""


def in_ms(moment: datetime) -> datetime:
    """A moment in whole milliseconds, as jobs are stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
