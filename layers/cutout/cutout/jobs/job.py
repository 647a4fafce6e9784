"""Jobs: images that are processed after their request was answered.

The states of a job, and its transitions as pure functions, so that every :class:`~cutout.jobs.store.JobStore` follows
the same rules. A transition is a method of :class:`Job`, named by a participle::

    queued()
       |
       v     started              succeeded
    QUEUED ----------> RUNNING --------------> SUCCEEDED --+
      |  |             |  |  |^                            |
      |  |             |  |  ++ released; started (after   |
      |  |             |  |     a crash)                   |
      |  |   failed    |  |  failed; started (after        | forgotten
      |  |             |  |  MAX_CRASHES crashes)          +-----------> deleted: the same state,
      |  +-------------|--+-----------------> FAILED ------+             without the owner's data
      |                |                                   |
      |  cancelled, forgotten                              |
      +----------------+--------------------> CANCELLED ---+

A released job stays RUNNING without a lease, so the next attempt may start at once. SUCCEEDED, FAILED and CANCELLED are
final: every transition but ``forgotten`` then raises JobEndedError. Knows neither AWS nor HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cutout.accounts import KeyMode
from cutout.errors import JobBusyError, JobEndedError
from cutout.ids import AccountId, JobId
from cutout.jobs.parts import PROCESSING_FAILED, JobError, JobOptions, JobResult, JobSource, SourceKind

RETENTION: Final = timedelta(hours=24)
"""The life of a job, its image and its results; an older job reads as absent."""
MAX_CRASHES: Final = 3
"""Attempts that may crash (the process is killed, or runs out of time) before the image is considered the cause."""


class JobState(StrEnum):
    """The state of a job. A job only moves forward, and a final state never changes."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no attempt will follow."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class Job:
    """One image to be processed. All times are UTC, in whole milliseconds; ``expires_at`` in whole seconds.

    Attributes:
        id: ``job_`` and 32 hex digits.
        account_id: The owner.
        state: The state.
        created_at: When the job was made.
        expires_at: When the job is deleted.
        options: The requested result.
        source: The origin of the image.
        charged_mode: The mode of the key that made the job: a synthetic one is never charged.
        charged_key: The fingerprint of that key; empty for an object that its owner put into the bucket.
        webhook_url: The URL that receives the end of the job.
        request_fingerprint: The hash of the request, if it came with an Idempotency-Key.
        started_at: When the latest attempt began.
        finished_at: When the job reached its final state.
        attempts: Attempts so far.
        faults: Attempts that a fault of the service has ended in an orderly way.
        fault: The latest of these faults, for the service's operator; never shown to a client.
        lease_until: Until then the latest attempt may still be running.
        result: The result of a job that succeeded.
        error: The reason why the job failed or was superseded.
        webhook_queued: Whether the end of the job was sent to the webhooks' queue.
        deleted_at: When the owner deleted the job; results that are stored later must be removed.
        dialect: The contract of the request, which also writes the webhook; empty: our own.
        notes: Facts that this contract needs for its answers.
    """

    id: JobId
    account_id: AccountId
    state: JobState
    created_at: datetime
    expires_at: datetime
    options: JobOptions
    source: JobSource
    charged_mode: KeyMode
    charged_key: str = ""
    webhook_url: str | None = None
    request_fingerprint: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    faults: int = 0
    fault: str = ""
    lease_until: datetime | None = None
    result: JobResult | None = None
    error: JobError | None = None
    webhook_queued: bool = False
    deleted_at: datetime | None = None
    dialect: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def queued(
        cls,
        job_id: JobId,
        account_id: AccountId,
        options: JobOptions,
        source: JobSource,
        now: datetime,
        *,
        charged_mode: KeyMode = KeyMode.LIVE,
        charged_key: str = "",
        webhook_url: str | None = None,
        request_fingerprint: str | None = None,
        dialect: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> "Job":
        """Make a job that waits for its first attempt.

        Args:
            job_id: The id.
            account_id: The owner.
            options: The requested result.
            source: The origin of the image.
            now: The current time (UTC).
            charged_mode: The mode of the key that makes the job.
            charged_key: The fingerprint of that key; empty for an object in the bucket.
            webhook_url: The URL that receives the end of the job.
            request_fingerprint: The hash of the request, if it came with an Idempotency-Key.
            dialect: The contract of the request; empty: our own.
            notes: Facts that this contract needs for its answers.

        Returns:
            The job.
        """
        created_at = to_milliseconds(now)
        return cls(
            id=job_id,
            account_id=account_id,
            state=JobState.QUEUED,
            created_at=created_at,
            expires_at=created_at.replace(microsecond=0) + RETENTION,
            options=options,
            source=source,
            charged_mode=charged_mode,
            charged_key=charged_key,
            webhook_url=webhook_url,
            request_fingerprint=request_fingerprint,
            dialect=dialect,
            notes=dict(notes or {}),
        )

    @property
    def folder(self) -> str:
        """The folder of the results below the account's prefix; predictable for objects that owners upload."""
        return self.source.key.split("/", 2)[2] if self.source.kind is SourceKind.OBJECT else self.id

    @property
    def owes_webhook(self) -> bool:
        """Whether a webhook about the end is still to be sent. A cancellation is not reported."""
        reported = self.state in {JobState.SUCCEEDED, JobState.FAILED}
        return reported and self.webhook_url is not None and not self.webhook_queued

    @property
    def retains_results(self) -> bool:
        """Whether the results stay stored; any other end may leave nothing but its report."""
        return self.state is JobState.SUCCEEDED and self.deleted_at is None

    @property
    def is_reported(self) -> bool:
        """Whether a report of the end is stored beside the results, for clients that watch the bucket."""
        return self.state in {JobState.SUCCEEDED, JobState.FAILED} and self.deleted_at is None

    def started(self, now: datetime, lease_s: float) -> "Job":
        """Begin an attempt, or fail the job after MAX_CRASHES attempts that crashed.

        Args:
            now: The current time (UTC).
            lease_s: Seconds that the attempt may last.

        Returns:
            The job, RUNNING or FAILED.

        Raises:
            JobBusyError: Another attempt may still be running.
            JobEndedError: The job has ended.
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
            started_at=to_milliseconds(now),
            attempts=self.attempts + 1,
            lease_until=to_milliseconds(now + timedelta(seconds=lease_s)),
        )

    def released(self, fault: str) -> "Job":
        """End an attempt by a fault of the service, described for its operator; the job stays open."""
        self.require_open()
        return replace(self, faults=self.faults + 1, fault=fault, lease_until=None)

    def succeeded(self, now: datetime, result: JobResult) -> "Job":
        """End the job with a result. Raises JobEndedError."""
        self.require_open()
        return replace(self._finished(JobState.SUCCEEDED, now), result=result)

    def failed(self, now: datetime, error: JobError) -> "Job":
        """End the job by a fault of the image or of the request. Raises JobEndedError."""
        self.require_open()
        return replace(self._finished(JobState.FAILED, now), error=error)

    def cancelled(self, now: datetime, error: JobError | None = None) -> "Job":
        """Cancel the open job; ``error``: the reason, if it is not the owner's decision. Raises JobEndedError."""
        self.require_open()
        return replace(self._finished(JobState.CANCELLED, now), error=error)

    def forgotten(self, now: datetime) -> "Job":
        """Remove the owner's data, and cancel the job if it is open; a second call changes nothing."""
        if self.deleted_at is not None:
            return self
        ended = self if self.state.is_final else self.cancelled(now)
        source, options = replace(self.source, url=""), replace(self.options, background_url="")
        return replace(
            ended, source=source, options=options, webhook_url=None, result=None, deleted_at=to_milliseconds(now)
        )

    def _finished(self, state: JobState, now: datetime) -> "Job":
        return replace(self, state=state, finished_at=to_milliseconds(now), lease_until=None)

    def require_open(self) -> None:
        """Require that the job has not ended. Raises JobEndedError."""
        if self.state.is_final:
            raise JobEndedError(f"The job {self.id} has {self.state.value} already.", {"status": self.state.value})


def to_milliseconds(moment: datetime) -> datetime:
    """Round a time down to whole milliseconds, as jobs are stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
