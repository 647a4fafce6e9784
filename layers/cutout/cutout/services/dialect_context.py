"""What dialects' own routes may use (``api/dialects/context.py``), on top of the stores."""

import time
from collections.abc import Callable, Iterator

from cutout.api.job_documents import Links
from cutout.api.sources import too_large
from cutout.api.uploads import check_upload_id
from cutout.errors import MissingImageError
from cutout.ids import AccountId, JobId
from cutout.jobs.job import Job
from cutout.jobs.storage import direct_upload_key
from cutout.services.job_service import JobService
from cutout.services.ports import UploadStore
from cutout.usage import Admission

PAUSE_S = 0.25
"""Between two looks at a job that is watched."""


class DialectContext:
    """One account's jobs and uploads (:class:`cutout.api.dialects.context.AccountContext`).

    Args:
        admission: The caller.
        service: Finds and cancels jobs.
        uploads: Where uploads lie.
        links: Makes the presigned URLs of results.
        sleep: Waits for seconds.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        admission: Admission,
        service: JobService,
        uploads: UploadStore,
        links: Callable[[], Links],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.admission = admission
        self.account_id = admission.caller.account.id
        self.links = links
        self._service = service
        self._uploads = uploads
        self._sleep = sleep
        self._clock = clock

    @property
    def max_bytes(self) -> int:
        """The most bytes of one image."""
        return self._uploads.max_bytes

    def find(self, job_id: JobId) -> Job:
        """Look up a job of the account. Raises NotFoundError."""
        return self._service.find(self.account_id, job_id)

    def watch(self, job_id: JobId, longest_s: float) -> Iterator[Job]:
        """Give the job now and after each of its steps, for ``longest_s`` seconds at most."""
        until = self._clock() + longest_s
        job = self.find(job_id)
        yield job
        while not job.state.is_final and self._clock() < until:
            self._sleep(PAUSE_S)
            before, job = job, self.find(job_id)
            if (before.state, before.attempts) != (job.state, job.attempts):
                yield job

    def cancel(self, job_id: JobId) -> Job:
        """Cancel a job that has not ended. Raises NotFoundError, JobEndedError."""
        return self._service.cancel(self.account_id, job_id)

    def upload_url(self, upload_id: str) -> str:
        """Make a presigned PUT for the image of an upload."""
        return self._uploads.put_url(direct_upload_key(self.account_id, check_upload_id(upload_id)))

    def store_upload(self, upload_id: str, image: bytes) -> None:
        """Store the image of an upload. Raises MissingImageError, ImageTooLargeError."""
        if not image:
            raise MissingImageError("The body is empty; send an image.")
        if len(image) > self.max_bytes:
            raise too_large(self.max_bytes)
        self._uploads.store(direct_upload_key(self.account_id, check_upload_id(upload_id)), image)


class PublicDialectContext:
    """What anyone may read (:class:`cutout.api.dialects.context.PublicContext`).

    Args:
        uploads: Where uploads lie.
        public_key: Gives the service's Ed25519 key.
    """

    def __init__(self, uploads: UploadStore, public_key: Callable[[], bytes]) -> None:
        self._uploads = uploads
        self.public_key = public_key

    def file_url(self, account_id: AccountId, upload_id: str) -> str:
        """Make a presigned GET of an upload."""
        return self._uploads.get_url(direct_upload_key(account_id, check_upload_id(upload_id)))
