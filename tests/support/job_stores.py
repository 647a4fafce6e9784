"""A job store in memory, which passes the same tests as the one on DynamoDB (tests/unit/aws/job_store)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cutout.errors import InvalidOptionError, JobBusyError, JobEndedError, NotFoundError
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import SUPERSEDED, JobError, JobResult
from cutout.jobs.store import JobPage
from cutout.usage import Charge


class MemoryJobStore:
    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.jobs: dict[str, Job] = {}
        self.charges: dict[str, Charge] = {}
        self._now = now

    def create(self, job: Job) -> bool:
        if self.find(job.id):
            return False
        self.jobs[job.id] = job
        return True

    def find(self, job_id: str) -> Job | None:
        job = self.jobs.get(job_id)
        return job if job and self._now() < job.expires_at else None

    def page(self, account_id: str, limit: int, cursor: str | None = None, state: JobState | None = None) -> JobPage:
        listed = [
            job
            for job in sorted(self.jobs.values(), key=lambda job: (job.created_at, job.id), reverse=True)
            if job.account_id == account_id and state in {None, job.state} and self._now() < job.expires_at
        ]
        if cursor and cursor not in self.jobs:
            raise InvalidOptionError("cursor")
        begin = next((place + 1 for place, job in enumerate(listed) if job.id == cursor), 0)
        rest = listed[begin:]
        return JobPage(tuple(rest[:limit]), rest[limit - 1].id if len(rest) > limit else None)

    def start(self, job_id: str, lease_s: float) -> Job:
        return self._keep(self._open(job_id).started(self._now(), lease_s))

    def release(self, job: Job, fault: str) -> Job:
        return self._end(job, job.released(fault))

    def succeed(self, job: Job, result: JobResult, charge: Charge | None) -> Job:
        ended = self._end(job, job.succeeded(self._now(), result))
        if charge:
            self.charges.setdefault(charge.id, charge)
        return ended

    def fail(self, job: Job, error: JobError) -> Job:
        return self._end(job, job.failed(self._now(), error))

    def supersede(self, job: Job) -> Job:
        return self._end(job, job.cancelled(self._now(), SUPERSEDED))

    def forget(self, account_id: str, job_id: str, *, open_only: bool = False) -> Job:
        job = self._open(job_id)
        if job.account_id != account_id:
            raise NotFoundError("no job")
        if open_only:
            job.require_open()
        return self._keep(job.forgotten(self._now()))

    def note_webhook_queued(self, job_id: str) -> None:
        self._keep(replace(self._open(job_id), webhook_queued=True))

    def _open(self, job_id: str) -> Job:
        if (job := self.find(job_id)) is None:
            raise NotFoundError("no job")
        return job

    def _end(self, job: Job, ended: Job) -> Job:
        current = self.jobs.get(job.id)
        if current is None:
            raise NotFoundError("no job")
        if current.state.is_final:
            raise JobEndedError("ended")
        if (current.state, current.attempts, current.faults) != (job.state, job.attempts, job.faults):
            raise JobBusyError("another attempt", {"retry_after_s": 1})
        return self._keep(ended)

    def _keep(self, job: Job) -> Job:
        self.jobs[job.id] = job
        return job
