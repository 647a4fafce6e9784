"""All that a job has in the buckets: its image, its results with their report, and the copy that may be kept."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from cutout.accounts import Account
from cutout.aws.s3.images import JobImages, OpenImage
from cutout.aws.s3.results import JobReports, ResultStore
from cutout.aws.s3.uploads import Retention, UploadStore
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job
from cutout.jobs.parts import JobResult, JobSource


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The rooms of the buckets as one. Every method raises ServiceUnavailableError when S3 cannot be asked."""

    images: JobImages
    results: ResultStore
    reports: JobReports
    retention: Retention
    uploads: UploadStore

    def open(self, source: JobSource) -> AbstractContextManager[OpenImage]:
        """See :meth:`JobImages.open`."""
        return self.images.open(source)

    def put(self, job: Job, account: Account, image: bytes, result: CutoutResult) -> JobResult:
        """Keep what was made, and the image itself where its owner allows it."""
        self.retention.keep(account, job, image)
        return self.results.put(job, result, result.mask)

    def report(self, job: Job, *, anew: bool = True) -> None:
        """Tell of the end beside the results. anew: also where somebody has told of an end there already."""
        self.reports.put(job, anew=anew)

    def settle(self, job: Job) -> None:
        """Leave of a job that has ended what its end allows."""
        if not job.keeps_results:
            self.remove(job)

    def remove(self, job: Job) -> None:
        """Remove what attempts at a job have made; and its image, where its owner wants nothing kept."""
        self.results.remove(job)
        self.retention.remove(job)
        if job.deleted_at is not None and job.source.key:
            self.uploads.remove(job.source.key, job.source.etag or None)
