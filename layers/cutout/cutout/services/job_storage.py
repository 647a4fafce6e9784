"""All files of a job: its image, its results with their report, and the copy that may be retained."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from cutout.accounts import Account
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job
from cutout.jobs.parts import JobResult, JobSource
from cutout.jobs.storage import ImageStore, ReportStore, RetentionStore, StoredImage
from cutout.services.ports import ResultStore, UploadStore


@dataclass(frozen=True, slots=True)
class JobStorage:
    """The stores of a job's files. Every method raises ServiceUnavailableError when one cannot be reached."""

    images: ImageStore
    results: ResultStore
    reports: ReportStore
    retention: RetentionStore
    uploads: UploadStore

    def open(self, source: JobSource) -> AbstractContextManager[StoredImage]:
        """Open a job's image. Raises as :meth:`ImageStore.open`."""
        return self.images.open(source)

    def store(self, job: Job, account: Account, image: bytes, result: CutoutResult) -> JobResult:
        """Store what was made, and retain the image itself where its owner allows it."""
        self.retention.store(account, job, image)
        return self.results.store(job, result, result.mask)

    def report(self, job: Job, *, overwrite: bool = True) -> None:
        """Write the report of an ended job beside its results. overwrite: also where there is one already."""
        self.reports.store(job, overwrite=overwrite)

    def settle(self, job: Job) -> None:
        """Remove of an ended job what its end does not allow to stay."""
        if not job.retains_results:
            self.remove(job)

    def remove(self, job: Job) -> None:
        """Remove what attempts at a job have made; and its image, where its owner had the job deleted."""
        self.results.remove(job)
        self.retention.remove(job)
        if job.deleted_at is not None and job.source.key:
            self.uploads.remove(job.source.key, job.source.etag or None)
