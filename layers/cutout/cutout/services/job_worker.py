"""One job from its image to its end: lease, load, cut out, store, end, notify.

Faults are of two kinds. The client's are written on the job, and that is its end. The service's are raised, so that
the message comes again; the job stays open meanwhile. Files are stored before the job ends, under keys that its id or
its object's key decide: an attempt that is repeated writes the same again.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from cutout.accounts import Account, KeyMode
from cutout.api.sources import InputKind, Source, load_background
from cutout.authentication import require_active
from cutout.errors import (
    AccountSuspendedError,
    ClientFaultError,
    JobBusyError,
    JobEndedError,
    NotFoundError,
    ServiceUnavailableError,
)
from cutout.ids import AccountId, JobId
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutResult, Limits
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError, SourceKind
from cutout.jobs.storage import ImageChangedError
from cutout.jobs.store import JobStore
from cutout.services.job_storage import JobStorage
from cutout.services.ports import Observer
from cutout.usage import FRAMES_PER_IMAGE, Charge, Usage, charge_for

MARGIN_S: Final = 5.0
"""The lease outlives the invocation by this, since the clocks of two machines differ."""
MAX_FAULT_CHARS: Final = 500
"""Of a fault, so much is written on the job."""

ReadImage = Callable[[], bytes]
Work = Callable[[Job], Job]
"""Brings a job that was begun to its end."""


class JobWorker:
    """Works on jobs, one at a time.

    Args:
        jobs: Where jobs are kept.
        storage: Their files.
        segmenter: The model.
        limits: The service's bounds on an image.
        find_account: Looks up an account by its id.
        require_quota: Raises QuotaExceededError for an account without images left.
        fetch: Fetches the bytes behind a public URL, within the service's limits.
        notify: Hands the id of a job that has ended to the webhooks' queue.
        observer: Hears of attempts and ends.
        frames_per_image: So many frames of an animation are charged as one image.
        now: The current time, UTC.
    """

    def __init__(
        self,
        jobs: JobStore,
        storage: JobStorage,
        segmenter: Segmenter,
        limits: Limits,
        *,
        find_account: Callable[[AccountId], Account | None],
        require_quota: Callable[[Account, KeyMode], None],
        fetch: Callable[[str], bytes],
        notify: Callable[[JobId], None],
        observer: Observer,
        frames_per_image: int = FRAMES_PER_IMAGE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = jobs
        self._storage = storage
        self._segmenter = segmenter
        self._limits = limits
        self._find_account = find_account
        self._require_quota = require_quota
        self._fetch = fetch
        self._notify = notify
        self._observer = observer
        self._frames_per_image = frames_per_image
        self._now = now

    def run(self, job_id: JobId, time_left_s: float, read_image: ReadImage | None = None) -> None:
        """Make an attempt at a job; one that has ended is only settled.

        Args:
            job_id: The job.
            time_left_s: Seconds after which this process may be killed.
            read_image: Reads the image, where it is open already.

        Raises:
            JobBusyError: Another attempt may be at work.
            ServiceFaultError: The attempt failed by a fault of the service; the job stays open.
        """
        self._attempt(job_id, time_left_s, partial(self._cut_out, read_image=read_image))

    def refuse(self, job_id: JobId, time_left_s: float, error: ClientFaultError) -> None:
        """End a job by a fault of its client's that was found before its image was read. Raises as :meth:`run`."""

        def refused(job: Job) -> Job:
            self._paying_account(job)
            raise error

        self._attempt(job_id, time_left_s, refused)

    def supersede(self, job: Job) -> None:
        """End a job, stored or not, whose object a newer one has replaced. Raises ServiceFaultError."""
        self._jobs.create(job)
        current = self._jobs.find(job.id)
        if current is not None and not current.state.is_final:
            with suppress(JobEndedError, NotFoundError):
                self._finish(self._jobs.supersede(current))

    def settle(self, job_id: JobId) -> None:
        """Do what an attempt that was killed after the job's end may have left undone. Repeating does no harm."""
        job = self._jobs.find(job_id)
        if job is None:
            return
        self._storage.settle(job)
        if job.state is JobState.FAILED and job.is_reported:
            self._storage.report(job, overwrite=False)
        self._notify_owner(job)

    def _attempt(self, job_id: JobId, time_left_s: float, work: Work) -> None:
        try:
            job = self._jobs.start(job_id, time_left_s + MARGIN_S)
        except JobEndedError:
            self.settle(job_id)
            return
        except NotFoundError:
            self._observer.record_ignored("no such job, or it has expired", {"job": job_id})
            return
        self._observer.job_started(job)
        if job.state is JobState.RUNNING:
            self._work(job, work)
        else:  # too many attempts were killed
            self._storage.report(job)
            self._finish(job)

    def _work(self, job: Job, work: Work) -> None:
        try:
            ended = self._end(job, work)
        except JobBusyError:  # overtaken: the later attempt writes to the same keys
            raise
        except (JobEndedError, NotFoundError):
            self._abandon(job)
        except Exception as error:
            self._observer.job_fault(job, error)
            with suppress(ServiceUnavailableError, JobBusyError, JobEndedError, NotFoundError):
                self._jobs.release(job, f"{type(error).__name__}: {error}"[:MAX_FAULT_CHARS])
            raise
        else:
            self._finish(ended)

    def _end(self, job: Job, work: Work) -> Job:
        """Bring a job to its end. Raises the service's faults, and what the store says of a job that is not ours."""
        try:
            return work(job)
        except ImageChangedError:
            return self._jobs.supersede(job)
        except (JobBusyError, JobEndedError, NotFoundError):
            raise
        except ClientFaultError as fault:
            error = JobError.of(fault)
            self._storage.report(job.failed(self._now(), error))
            return self._jobs.fail(job, error)

    def _cut_out(self, job: Job, read_image: ReadImage | None) -> Job:
        account = self._paying_account(job)
        image = read_image() if read_image else self._read(job)
        options = job.options
        background = self._background(options.background_url)
        result = cut_out(image, options.spec, self._segmenter, self._limits, background, with_mask=options.mask)
        self._observer.image_made(result)
        stored = self._storage.store(job, account, image, result)
        self._storage.report(job.succeeded(self._now(), stored))
        return self._jobs.succeed(job, stored, self._charge(account, job, image, result))

    def _abandon(self, job: Job) -> None:
        """Take back what this attempt has stored, for the job has ended otherwise or has expired."""
        ended = self._jobs.find(job.id)
        if ended is None:
            self._storage.remove(job)
        else:
            self._storage.settle(ended)
            if ended.is_reported:
                self._storage.report(ended)
        self._observer.job_abandoned(job)

    def _paying_account(self, job: Job) -> Account:
        """Look up who pays. Raises AccountSuspendedError, QuotaExceededError."""
        account = self._find_account(job.account_id)
        if account is None:
            raise AccountSuspendedError("The account does not exist any more.")
        require_active(account)
        self._require_quota(account, job.charged_mode)
        return account

    def _read(self, job: Job) -> bytes:
        if job.source.kind is SourceKind.URL:
            return self._fetch(job.source.url)
        with self._storage.open(job.source) as image:
            return image.read(self._limits.max_bytes)

    def _background(self, url: str) -> bytes | None:
        source = Source(InputKind.URL, "bg_image_url", url) if url else None
        return load_background(source, {InputKind.URL: self._fetch}, self._limits.max_bytes)

    def _charge(self, account: Account, job: Job, image: bytes, result: CutoutResult) -> Charge | None:
        if result.foreground is None:  # an empty picture costs nothing
            return None
        bytes_out = len(result.data) + len(result.mask or b"")
        usage = Usage.of_image(
            result.source_width,
            result.source_height,
            len(image),
            bytes_out,
            frames=result.frames,
            frames_per_image=self._frames_per_image,
        )
        return charge_for(account, job.charged_mode, job.id, usage, self._now(), key=job.charged_key)

    def _finish(self, job: Job) -> None:
        self._storage.settle(job)  # earlier attempts may have stored something
        self._observer.job_finished(job)
        self._notify_owner(job)

    def _notify_owner(self, job: Job) -> None:
        if job.owes_webhook:
            self._notify(job.id)
            with suppress(NotFoundError):
                self._jobs.note_webhook_queued(job.id)
