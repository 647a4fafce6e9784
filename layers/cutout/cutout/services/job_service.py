"""Jobs as their owners create, repeat and delete them: the job's item, its image's object and its message, in order.

A job without a message or an image is waited for by nobody and expires. So whatever breaks between these steps is
mended by the same request under the same Idempotency-Key, and no image is worked on twice.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from cutout.accounts import Account, Caller, KeyMode
from cutout.api.dialects.base import RemovalRequest
from cutout.api.headers import request_fingerprint
from cutout.api.jobs import JobRequest, unknown_job
from cutout.api.sources import InputKind
from cutout.api.uploads import UploadForm, new_upload_id
from cutout.errors import IdempotencyMismatchError, ServiceUnavailableError
from cutout.ids import AccountId, JobId, UploadId
from cutout.jobs.ids import idempotent_job_id, new_job_id
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.jobs.storage import JobQueue, direct_upload_key, job_upload_key
from cutout.jobs.store import JobStore
from cutout.services.job_storage import JobStorage
from cutout.services.ports import UploadStore


@dataclass(frozen=True, slots=True)
class JobHandle:
    """A job that stands for a request.

    Attributes:
        job: The job.
        repeated: Whether it was made for the same request, sent before.
        form: How its image is uploaded, while it waits for one.
    """

    job: Job
    repeated: bool
    form: UploadForm | None = None


class JobService:
    """Creates, finds and deletes jobs. Every method raises ServiceUnavailableError when a store cannot be reached.

    Args:
        jobs: Where jobs are kept.
        uploads: Where images lie that are to be worked on.
        storage: The files of jobs.
        queue: Starts jobs whose image is there.
        require_quota: Raises QuotaExceededError for an account without images left.
    """

    def __init__(
        self,
        jobs: JobStore,
        uploads: UploadStore,
        storage: JobStorage,
        queue: JobQueue,
        require_quota: Callable[[Account, KeyMode], None],
    ) -> None:
        self._jobs = jobs
        self._uploads = uploads
        self._storage = storage
        self._queue = queue
        self._require_quota = require_quota

    def submit(self, caller: Caller, wanted: JobRequest, idempotency_key: str | None) -> JobHandle:
        """Create a job of ``POST /v2/jobs``, or find the one that was made for the same request.

        Args:
            caller: Who pays.
            wanted: What is asked for.
            idempotency_key: The client's name for the request.

        Returns:
            The job; with a form, while it waits for its image.

        Raises:
            IdempotencyMismatchError: The key was used for another request.
            QuotaExceededError: The account has no images left.
        """
        job = self._new_job(caller, wanted, idempotency_key)
        known = self.find_known(job)
        if known is None:
            self._require_quota(caller.account, caller.key.mode)
        handle = JobHandle(known, repeated=True) if known else self.create(job)
        if wanted.image_url or wanted.image is not None:
            return self.start(handle, wanted.image)
        if handle.job.state is not JobState.QUEUED:
            return handle
        return replace(handle, form=self._uploads.form(handle.job.source.key, wanted.content_type))

    def find_known(self, job: Job) -> Job | None:
        """Find the job that was made for the same request, if the request has an Idempotency-Key.

        Raises:
            IdempotencyMismatchError: The key was used for another request.
        """
        return self._same_request(job) if job.request_fingerprint else None

    def create(self, job: Job) -> JobHandle:
        """Add a new job; where another process was quicker with the same one, find that.

        Raises:
            IdempotencyMismatchError: The id stands for another request.
        """
        if self._jobs.create(job):
            return JobHandle(job, repeated=False)
        known = self._same_request(job)
        if known is None:
            raise ServiceUnavailableError("The job has just expired; try again.")
        return JobHandle(known, repeated=True)

    def start(self, handle: JobHandle, image: bytes | None = None) -> JobHandle:
        """Have a job worked on that nobody has begun.

        Args:
            handle: The job.
            image: What goes to the source's place first; None: it is there.

        Returns:
            The same handle.
        """
        if handle.job.state is JobState.QUEUED:
            if image is not None:
                self._uploads.store(handle.job.source.key, image)
            self._queue.enqueue(handle.job.id)
        return handle

    def find(self, account_id: AccountId, job_id: JobId) -> Job:
        """Look up an account's job. Raises NotFoundError, also for another account's."""
        job = self._jobs.find(job_id)
        if job is None or job.account_id != account_id:
            raise unknown_job()
        return job

    def delete(self, account_id: AccountId, job_id: JobId) -> Job:
        """Cancel a job that has not ended, and remove its image, its results and what was retained.

        The item goes first: a worker that ends later finds the job ended and removes what it has made itself.

        Raises:
            NotFoundError: There is no such job, or it is another account's.
        """
        self.find(account_id, job_id)
        job = self._jobs.forget(account_id, job_id)
        self._storage.remove(job)
        return job

    def cancel(self, account_id: AccountId, job_id: JobId) -> Job:
        """Delete a job, but only one that has not ended. Raises JobEndedError, NotFoundError."""
        self.find(account_id, job_id)
        job = self._jobs.forget(account_id, job_id, open_only=True)
        self._storage.remove(job)
        return job

    def new_upload(self, account_id: AccountId, content_type: str) -> tuple[UploadId, UploadForm]:
        """Make an upload's id, and the form by which its image is sent.

        Args:
            account_id: The owner.
            content_type: The image's media type.

        Returns:
            The id for ``upload_id`` of a later request, and the form.
        """
        upload_id = new_upload_id()
        return upload_id, self._uploads.form(direct_upload_key(account_id, upload_id), content_type)

    def _new_job(self, caller: Caller, wanted: JobRequest, idempotency_key: str | None) -> Job:
        job_id = job_id_for(caller, idempotency_key)
        account_id = caller.account.id
        source = JobSource(SourceKind.UPLOAD, self._uploads.bucket, job_upload_key(account_id, job_id))
        if wanted.image_url:
            source = JobSource(SourceKind.URL, url=wanted.image_url)
        elif wanted.image is not None:
            source = JobSource(SourceKind.REQUEST, self._uploads.bucket, direct_upload_key(account_id, job_id))
        return Job.queued(
            job_id,
            account_id,
            wanted.options,
            source,
            datetime.now(UTC),
            charged_mode=caller.key.mode,
            charged_key=caller.key.fingerprint,
            webhook_url=wanted.webhook_url,
            request_fingerprint=request_fingerprint("POST /v2/jobs", asdict(wanted)) if idempotency_key else None,
        )

    def _same_request(self, job: Job) -> Job | None:
        found = self._jobs.find(job.id)
        if found and (found.account_id, found.request_fingerprint) != (job.account_id, job.request_fingerprint):
            raise IdempotencyMismatchError(
                "This Idempotency-Key was used for another request within the last 24 hours; use a new one."
            )
        return found


def job_id_for(caller: Caller, idempotency_key: str | None) -> JobId:
    """Make the id of the job that a request stands for: always the same under one key of the client's."""
    return idempotent_job_id(caller.account.id, idempotency_key) if idempotency_key else new_job_id()


def removal_job(caller: Caller, removal: RemovalRequest, source: JobSource, job_id: JobId | None = None) -> Job:
    """Make the job of a removal request, not begun and not stored.

    Args:
        caller: Who pays.
        removal: The request.
        source: Where its image lies for a worker.
        job_id: The job's id, where it is known already.

    Returns:
        The job.
    """
    background = removal.background
    background_url = str(background.value).strip() if background and background.kind is InputKind.URL else ""
    return Job.queued(
        job_id or job_id_for(caller, removal.idempotency_key),
        caller.account.id,
        JobOptions(removal.spec, background_url=background_url),
        source,
        datetime.now(UTC),
        charged_mode=caller.key.mode,
        charged_key=caller.key.fingerprint,
        webhook_url=removal.webhook_url,
        request_fingerprint=request_fingerprint("POST /v2", asdict(removal)) if removal.idempotency_key else None,
        dialect=removal.dialect,
        notes=removal.notes,
    )
