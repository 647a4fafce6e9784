"""One job from its image to its end: claim, get, cut out, put, succeed, tell.

Faults are of two kinds. The image's and the request's are written on the job, and that is its end. Ours are raised, so
that the message comes again; the job stays open meanwhile. What goes into the buckets is put before the job ends, at
places that its id or its key decide: an attempt that is repeated writes the same again.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from cutout.accounts import Account, KeyMode, require_active
from cutout.api.problems import status_of
from cutout.api.sources import InputKind, Source, load_background
from cutout.aws import telemetry
from cutout.aws.s3.images import ImageChangedError
from cutout.errors import (
    AccountSuspendedError,
    CutoutError,
    JobBusyError,
    JobEndedError,
    NotFoundError,
    ServiceUnavailableError,
)
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutResult, Limits
from cutout.jobs.job import Job, JobState, JobStore
from cutout.jobs.parts import JobError, SourceKind
from cutout.services.job_storage import JobFiles
from cutout.usage import Charge, Usage, charge_for

MARGIN_S: Final = 5.0
"""The lease outlives the invocation by this, since the clocks of two machines differ."""
OUR_FAULT: Final = 500
"""Statuses from here on are no fault of the client's."""

GetImage = Callable[[], bytes]


class JobRunner:
    """Runs jobs, one at a time.

    find_account: by id; require_quota: raises QuotaExceededError; fetch: gets what is behind a URL, within the limits;
    tell: hands the id of a job that has ended to the webhooks' queue; now: UTC.
    """

    def __init__(
        self,
        jobs: JobStore,
        files: JobFiles,
        segmenter: Segmenter,
        limits: Limits,
        *,
        find_account: Callable[[str], Account | None],
        require_quota: Callable[[Account, KeyMode], None],
        fetch: Callable[[str], bytes],
        tell: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._segmenter = segmenter
        self._limits = limits
        self._find_account = find_account
        self._require_quota = require_quota
        self._fetch = fetch
        self._tell = tell
        self._now = now

    def run(self, job_id: str, time_left_s: float, get_image: GetImage | None = None) -> None:
        """Make an attempt at a job, unless it has ended; then only see to what its end has left to do.

        time_left_s: then this process may be killed. get_image: where the image is at hand already; what it raises is
        taken as the job's. Raises JobBusyError while another attempt may be at work; and our own faults.
        """
        try:
            job = self._jobs.start(job_id, time_left_s + MARGIN_S)
        except JobEndedError:
            self.settle(job_id)
            return
        except NotFoundError:
            telemetry.record_ignored("no such job, or it has expired", {"job": job_id})
            return
        telemetry.job_started(job)
        if job.state is JobState.RUNNING:
            self._attempt(job, get_image or (lambda: self._image(job)))
        else:  # too many attempts were killed
            self._files.report(job)
            self._finish(job)

    def supersede(self, job: Job) -> None:
        """Give a job up, begun or not, for a newer image has taken its place. Raises our own faults."""
        self._jobs.create(job)
        current = self._jobs.find(job.id)
        if current is not None and not current.state.is_final:
            with suppress(JobEndedError, NotFoundError):
                self._finish(self._jobs.supersede(current))

    def settle(self, job_id: str) -> None:
        """Do what an attempt that was killed after the end may have left undone. Repeating does no harm."""
        job = self._jobs.find(job_id)
        if job is None:
            return
        self._files.settle(job)
        if job.state is JobState.FAILED and job.is_reported:
            self._files.report(job, anew=False)
        self._tell_of(job)

    def _attempt(self, job: Job, get_image: GetImage) -> None:
        try:
            ended = self._end(job, get_image)
        except JobBusyError:  # overtaken: the later attempt writes to the same places
            raise
        except (JobEndedError, NotFoundError):
            self._abandon(job)
        except Exception as error:
            telemetry.job_fault(job, error)
            with suppress(ServiceUnavailableError, JobBusyError, JobEndedError, NotFoundError):
                self._jobs.release(job, f"{type(error).__name__}: {error}"[:500])
            raise
        else:
            self._finish(ended)

    def _abandon(self, job: Job) -> None:
        """Take back what this attempt has put, for the job has ended otherwise or has expired."""
        ended = self._jobs.find(job.id)
        if ended is None:
            self._files.remove(job)
        else:
            self._files.settle(ended)
            if ended.is_reported:
                self._files.report(ended)
        telemetry.job_abandoned(job)

    def _end(self, job: Job, get_image: GetImage) -> Job:
        """The job as its image deserves. Raises our own faults, and what the store does when the job is not ours."""
        try:
            return self._succeed(job, get_image)
        except ImageChangedError:
            return self._jobs.supersede(job)
        except (JobBusyError, JobEndedError, NotFoundError):
            raise
        except CutoutError as error:
            if status_of(error) >= OUR_FAULT:
                raise
            return self._refuse(job, JobError.of(error))

    def _succeed(self, job: Job, get_image: GetImage) -> Job:
        account = self._account(job)
        image = get_image()
        wish = job.options
        behind = self._background(wish.background_url)
        result = cut_out(image, wish.spec, self._segmenter, self._limits, behind, with_mask=wish.mask)
        telemetry.image_made(result)
        stored = self._files.put(job, account, image, result)
        self._files.report(job.succeeded(self._now(), stored))
        return self._jobs.succeed(job, stored, self._charge(account, job, image, result))

    def _refuse(self, job: Job, error: JobError) -> Job:
        self._files.report(job.failed(self._now(), error))
        return self._jobs.fail(job, error)

    def _account(self, job: Job) -> Account:
        """Who pays. Raises AccountSuspendedError, QuotaExceededError."""
        account = self._find_account(job.account_id)
        if account is None:
            raise AccountSuspendedError("The account does not exist any more.")
        require_active(account)
        self._require_quota(account, job.charged_mode)
        return account

    def _image(self, job: Job) -> bytes:
        if job.source.kind is SourceKind.URL:
            return self._fetch(job.source.url)
        with self._files.open(job.source) as image:
            return image.read(self._limits.max_bytes)

    def _background(self, url: str) -> bytes | None:
        source = Source(InputKind.URL, "bg_image_url", url) if url else None
        return load_background(source, {InputKind.URL: self._fetch}, self._limits.max_bytes)

    def _charge(self, account: Account, job: Job, image: bytes, result: CutoutResult) -> Charge | None:
        bytes_out = len(result.data) + len(result.mask or b"")
        usage = Usage.of_image(result.source_width, result.source_height, len(image), bytes_out)
        return charge_for(account, job.charged_mode, job.id, usage, self._now())

    def _finish(self, job: Job) -> None:
        self._files.settle(job)  # earlier attempts may have made something
        telemetry.job_ended(job)
        self._tell_of(job)

    def _tell_of(self, job: Job) -> None:
        if job.owes_webhook:
            self._tell(job.id)
            with suppress(NotFoundError):
                self._jobs.note_webhook_queued(job.id)
