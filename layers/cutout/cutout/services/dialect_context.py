"""What dialects may have done about jobs and uploads (``api/clerks.py``), by the stores of this stack."""

import time
from collections.abc import Callable, Iterator

from cutout.api.job_documents import Links
from cutout.api.sources import too_large
from cutout.api.uploads import check_upload_id
from cutout.aws.s3.uploads import UploadStore, direct_key
from cutout.errors import MissingImageError
from cutout.jobs.job import Job
from cutout.services.job_service import JobDesk

PAUSE_S = 0.25
"""Between two looks at a job that is watched."""


class DialectDesk:
    """One account's desk (:class:`cutout.api.dialects.context.Desk`). sleep, clock: seconds."""

    def __init__(
        self,
        account_id: str,
        desk: JobDesk,
        uploads: UploadStore,
        links: Callable[[], Links],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account_id = account_id
        self.links = links
        self._desk = desk
        self._uploads = uploads
        self._sleep = sleep
        self._clock = clock

    @property
    def max_bytes(self) -> int:
        """The most bytes of one image."""
        return self._uploads.max_bytes

    def find(self, job_id: str) -> Job:
        """A job of the account."""
        return self._desk.find(self.account_id, job_id)

    def watch(self, job_id: str, longest_s: float) -> Iterator[Job]:
        """The job now, and after each of its steps."""
        until = self._clock() + longest_s
        job = self.find(job_id)
        yield job
        while not job.state.is_final and self._clock() < until:
            self._sleep(PAUSE_S)
            seen, job = job, self.find(job_id)
            if (seen.state, seen.attempts) != (job.state, job.attempts):
                yield job

    def cancel(self, job_id: str) -> Job:
        """Give up a job that has not ended."""
        return self._desk.cancel(self.account_id, job_id)

    def upload_place(self, upload_id: str) -> str:
        """A presigned PUT."""
        return self._uploads.put_url(direct_key(self.account_id, check_upload_id(upload_id)))

    def keep_upload(self, upload_id: str, image: bytes) -> None:
        """Keep the image of an upload."""
        if not image:
            raise MissingImageError("The body is empty; send an image.")
        if len(image) > self.max_bytes:
            raise too_large(self.max_bytes)
        self._uploads.put(direct_key(self.account_id, check_upload_id(upload_id)), image)


class PublicOffice:
    """What anyone may ask for (:class:`cutout.api.dialects.context.Office`). public_key: of the service."""

    def __init__(self, uploads: UploadStore, public_key: Callable[[], bytes]) -> None:
        self._uploads = uploads
        self.public_key = public_key

    def upload_url(self, account_id: str, upload_id: str) -> str:
        """A presigned GET."""
        return self._uploads.get_url(direct_key(account_id, check_upload_id(upload_id)))
