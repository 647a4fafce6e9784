"""A request that is answered when its work is done, and is done once under its Idempotency-Key.

The job's item is the memory: the request that starts it holds a lease, its result is kept for a day, and a client that
sends the request again gets that result, or the same refusal. A fault of the service is not kept: the request may be
sent again then.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from cutout.accounts import Account, Caller, KeyMode
from cutout.api.problems import error_of
from cutout.errors import (
    ClientFaultError,
    GoneError,
    JobBusyError,
    JobEndedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError
from cutout.jobs.store import JobStore
from cutout.services.job_service import JobService
from cutout.services.ports import ResultStore
from cutout.usage import Charge

MARGIN_S = 1.0
"""The lease outlives the invocation by this, since the clocks of two machines differ."""
RETRY_S = 1
"""When to ask again for a request that is being worked on: most take less."""


@dataclass(frozen=True, slots=True)
class Made:
    """A result, and what it costs once it is given out."""

    result: CutoutResult
    charge: Charge | None


Make = Callable[[str], Made]
"""Makes the image under the id of its charge."""


class IdempotentRemoval:
    """Does requests at most once.

    Args:
        service: Finds and creates jobs.
        jobs: Where jobs are kept.
        results: Where results are kept.
        require_quota: Raises QuotaExceededError for an account without images left.
        now: Gives the current time (UTC).
    """

    def __init__(
        self,
        service: JobService,
        jobs: JobStore,
        results: ResultStore,
        require_quota: Callable[[Account, KeyMode], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service = service
        self._jobs = jobs
        self._results = results
        self._require_quota = require_quota
        self._now = now

    def run(self, job: Job, caller: Caller, make: Make, time_left_s: float) -> tuple[CutoutResult, bool]:
        """Make the result, or give the one that was made for the same request.

        Args:
            job: Stands for the request by its id and fingerprint.
            caller: Who pays.
            make: Makes the image.
            time_left_s: Seconds after which this process may be killed.

        Returns:
            The result, and whether it was made for an earlier request.

        Raises:
            JobBusyError: Another process works on the same request.
            GoneError: The result was deleted.
            IdempotencyMismatchError: The key was used for another request.
            QuotaExceededError: The account has no images left; this is not kept.
            CutoutError: What ``make`` raises, or has raised for an earlier request.
        """
        lease_s = time_left_s + MARGIN_S
        try:
            self._require_quota(caller.account, caller.key.mode)
        except QuotaExceededError:  # a repeated request is answered all the same
            found = self._service.find_known(job)
            if found is None:
                raise
        else:  # one write, where it is the first, of what would be a read, a job and its start
            created = self._service.create(job.started(self._now(), lease_s))
            if not created.repeated:
                return self._first(created.job, make), False
            found = created.job
        if found.state.is_final:
            return self._replay(found), True
        try:
            begun = self._jobs.start(job.id, lease_s)
        except JobEndedError:  # another process has ended it since it was found
            return self._replay(self._service.find(job.account_id, job.id)), True
        except JobBusyError as error:
            raise JobBusyError("This request is being worked on.", {"retry_after_s": RETRY_S}) from error
        if begun.state is not JobState.RUNNING:
            return self._replay(begun), True
        return self._first(begun, make), False

    def _first(self, job: Job, make: Make) -> CutoutResult:
        try:
            made = make(job.id)
            self._jobs.succeed(job, self._results.store(job, made.result), made.charge)
        except JobEndedError:
            ended = self._service.find(job.account_id, job.id)
            if not ended.retains_results:
                self._results.remove(ended)
            if ended.deleted_at is not None:
                raise
            return self._replay(ended)  # a later attempt was quicker
        except Exception as error:
            self._record(job, error)
            raise
        return made.result

    def _record(self, job: Job, error: Exception) -> None:
        """Keep a refusal; release a job that failed by a fault of the service. If that fails, its lease runs out."""
        with suppress(ServiceUnavailableError, JobBusyError, JobEndedError):
            if isinstance(error, ClientFaultError):
                self._jobs.fail(job, JobError.of(error))
            else:
                self._jobs.release(job, type(error).__name__)

    def _replay(self, job: Job) -> CutoutResult:
        if job.error is not None and job.deleted_at is None:
            raise error_of(job.error.code, job.error.message, job.error.details)
        if job.result is None:
            raise GoneError("The result of this request was deleted; use a new Idempotency-Key.")
        return self._results.read(job.result)
