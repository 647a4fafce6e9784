"""A request that is answered when its work is done, and is done once under its Idempotency-Key.

The job's item is the memory: who begins it holds a lease, its result is kept for a day, and whoever sends the request
again gets that result, or the same refusal. A fault of ours is not kept: then the request may be sent again.
"""

from collections.abc import Callable
from contextlib import suppress

from cutout.api.problems import error_of, status_of
from cutout.aws.s3.results import ResultStore
from cutout.errors import CutoutError, GoneError, JobBusyError, JobEndedError, ServiceUnavailableError
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job, JobState, JobStore
from cutout.jobs.parts import JobError
from cutout.services.job_service import JobDesk
from cutout.usage import Charge

MARGIN_S = 1.0
"""The lease outlives the invocation by this, since the clocks of two machines differ."""
RETRY_S = 1
"""When to ask again for a request that is being worked on: most take less."""

Work = Callable[[], tuple[CutoutResult, Charge | None]]
"""Makes the image, and says what it costs."""


class Once:
    """Does requests at most once."""

    def __init__(self, desk: JobDesk, jobs: JobStore, results: ResultStore) -> None:
        self._desk = desk
        self._jobs = jobs
        self._results = results

    def run(
        self, job: Job, work: Work, may_begin: Callable[[], object], time_left_s: float
    ) -> tuple[CutoutResult, bool]:
        """The result, and whether it was made for an earlier request.

        job: names the request by its id and fingerprint. may_begin: raises when no new work is allowed now; that is
        not kept. Raises what ``work`` raises or has raised then; JobBusyError while another does it, GoneError after
        its deletion, IdempotencyMismatchError.
        """
        found = self._desk.open(job, may_begin).job
        if found.state.is_final:
            return self._again(found), True
        try:
            begun = self._jobs.start(job.id, time_left_s + MARGIN_S)
        except JobEndedError:  # by another, since it was found
            return self._again(self._desk.find(job.account_id, job.id)), True
        except JobBusyError as error:
            raise JobBusyError("This request is being worked on.", {"retry_after_s": RETRY_S}) from error
        if begun.state is not JobState.RUNNING:
            return self._again(begun), True
        return self._first(begun, work), False

    def _first(self, job: Job, work: Work) -> CutoutResult:
        try:
            result, charge = work()
            self._jobs.succeed(job, self._results.put(job, result), charge)
        except JobEndedError:
            ended = self._desk.find(job.account_id, job.id)
            if not ended.keeps_results:
                self._results.remove(ended)
            if ended.deleted_at is not None:
                raise
            return self._again(ended)  # a later attempt was quicker
        except Exception as error:
            self._note(job, error)
            raise
        return result

    def _note(self, job: Job, error: Exception) -> None:
        """Keep the refusal of an image; give a job up that we failed. Should that fail too, its lease runs out."""
        with suppress(ServiceUnavailableError, JobBusyError, JobEndedError):
            if isinstance(error, CutoutError) and status_of(error) < 500:  # noqa: PLR2004
                self._jobs.fail(job, JobError.of(error))
            else:
                self._jobs.release(job, type(error).__name__)

    def _again(self, job: Job) -> CutoutResult:
        if job.error is not None and job.deleted_at is None:
            raise error_of(job.error.code, job.error.message, job.error.details)
        if job.result is None:
            raise GoneError("The result of this request was deleted; use a new Idempotency-Key.")
        return self._results.read(job.result)
