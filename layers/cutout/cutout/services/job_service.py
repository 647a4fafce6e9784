"""Jobs as their owners order, repeat and drop them: the job's item, its image's place and its message, in that order.

An item without a message or an image is waited for by nobody and expires; so whatever breaks between these steps is
mended by the same request under the same Idempotency-Key, and never works an image twice.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from cutout.accounts import Caller
from cutout.api.headers import fingerprint
from cutout.api.jobs import JobOrder, unknown_job
from cutout.api.uploads import UploadForm
from cutout.aws.s3.uploads import UploadStore, job_key
from cutout.aws.sqs import MessageQueue
from cutout.errors import IdempotencyMismatchError, ServiceUnavailableError
from cutout.jobs.ids import idempotent_job_id, new_job_id
from cutout.jobs.job import Job, JobState, JobStore
from cutout.jobs.parts import JobSource, SourceKind
from cutout.services.job_storage import JobFiles


def job_id_for(caller: Caller, idempotency_key: str | None) -> str:
    """The id of the job that a request stands for: always the same under one key of the client's."""
    return idempotent_job_id(caller.account.id, idempotency_key) if idempotency_key else new_job_id()


@dataclass(frozen=True, slots=True)
class Ordered:
    """A job that stands for a request."""

    job: Job
    again: bool
    """It was made for the same request, sent before."""
    form: UploadForm | None = None
    """For its image, while it waits for one."""


class JobDesk:
    """What the doors do with jobs. Every method raises ServiceUnavailableError when a part of it is away."""

    def __init__(self, jobs: JobStore, uploads: UploadStore, files: JobFiles, queue: MessageQueue) -> None:
        self._jobs = jobs
        self._uploads = uploads
        self._files = files
        self._queue = queue

    def order(
        self, caller: Caller, wish: JobOrder, idempotency_key: str | None, may_begin: Callable[[], object]
    ) -> Ordered:
        """A job of ``POST /v2/jobs``. Raises as :meth:`open`."""
        job_id = job_id_for(caller, idempotency_key)
        upload = JobSource(SourceKind.UPLOAD, self._uploads.bucket, job_key(caller.account.id, job_id))
        job = Job.queued(
            job_id,
            caller.account.id,
            wish.options,
            JobSource(SourceKind.URL, url=wish.image_url) if wish.image_url else upload,
            datetime.now(UTC),
            charged_mode=caller.key.mode,
            webhook_url=wish.webhook_url,
            fingerprint=fingerprint("POST /v2/jobs", asdict(wish)) if idempotency_key else None,
        )
        if wish.image_url:
            return self.queue(job, may_begin)
        ordered = self.open(job, may_begin)
        if ordered.job.state is not JobState.QUEUED:
            return ordered
        return replace(ordered, form=self._uploads.form(ordered.job.source.key, wish.content_type))

    def open(self, job: Job, may_begin: Callable[[], object]) -> Ordered:
        """Add a new job, or find the one that was made for the same request.

        may_begin: raises when no new work is allowed now. Raises IdempotencyMismatchError when the id stands for
        another request.
        """
        if job.fingerprint and (known := self._known(job)):
            return Ordered(known, again=True)
        may_begin()
        if self._jobs.create(job):
            return Ordered(job, again=False)
        known = self._known(job)
        if known is None:
            raise ServiceUnavailableError("The job has just expired; try again.")
        return Ordered(known, again=True)

    def queue(self, job: Job, may_begin: Callable[[], object], image: bytes | None = None) -> Ordered:
        """As :meth:`open`, and have the job worked on. image: what goes to the source's place first."""
        ordered = self.open(job, may_begin)
        if ordered.job.state is JobState.QUEUED:
            if image is not None:
                self._uploads.put(ordered.job.source.key, image)
            self._queue.enqueue(ordered.job.id)
        return ordered

    def find(self, account_id: str, job_id: str) -> Job:
        """An account's job. Raises NotFoundError, also for another account's."""
        job = self._jobs.find(job_id)
        if job is None or job.account_id != account_id:
            raise unknown_job()
        return job

    def drop(self, account_id: str, job_id: str) -> Job:
        """Cancel a job that has not ended, and remove its image, its results and what was kept. Raises NotFoundError.

        The item goes first: a worker that ends later finds the job ended and removes what it has made itself.
        """
        self.find(account_id, job_id)
        job = self._jobs.forget(account_id, job_id)
        self._files.remove(job)
        return job

    def cancel(self, account_id: str, job_id: str) -> Job:
        """As :meth:`drop`, for a job that has not ended. Raises JobEndedError, NotFoundError."""
        self.find(account_id, job_id)
        job = self._jobs.forget(account_id, job_id, open_only=True)
        self._files.remove(job)
        return job

    def _known(self, job: Job) -> Job | None:
        found = self._jobs.find(job.id)
        if found and (found.account_id, found.fingerprint) != (job.account_id, job.fingerprint):
            raise IdempotencyMismatchError(
                "This Idempotency-Key was used for another request within the last 24 hours; use a new one."
            )
        return found
