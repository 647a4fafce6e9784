"""From an object in the bucket to its job: the one that was made before the upload, or one made now, once.

An object's version has one job, however often and in whatever order its events come; and of two objects under one key
only the newest is worked on (``jobs.storage.ObjectLease``).
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from cutout.accounts import Account
from cutout.api.body.fields import Fields
from cutout.api.jobs import check_webhook_url
from cutout.api.options import OPTIONS, boolean, parse_options
from cutout.errors import ClientFaultError, JobBusyError, ServiceUnavailableError
from cutout.ids import AccountId, JobId
from cutout.jobs.ids import object_job_id
from cutout.jobs.job import Job
from cutout.jobs.parts import JobMessage, JobOptions, JobSource, ObjectCreated, SourceKind
from cutout.jobs.storage import ImageChangedError, ObjectLease, StoredImage, SupersededError
from cutout.jobs.store import JobStore
from cutout.services.job_storage import JobStorage
from cutout.services.job_worker import MARGIN_S, JobWorker
from cutout.services.ports import Observer

KNOWN: Final = OPTIONS | {"mask", "webhook_url"}
"""Metadata and tags that are options; tools write metadata of their own, which is ignored."""


class UploadIntake:
    """Takes up the tasks of a message.

    Args:
        worker: Works on jobs.
        jobs: Where jobs are kept.
        storage: Their files.
        lease: Leases on object keys.
        find_account: Looks up an account by its id.
        max_bytes: The most bytes of an image.
        url_allow: ``host:port`` pairs that webhooks may lead to although private.
        observer: Hears of what is ignored.
        now: The current time, UTC.
    """

    def __init__(
        self,
        worker: JobWorker,
        jobs: JobStore,
        storage: JobStorage,
        lease: ObjectLease,
        *,
        find_account: Callable[[AccountId], Account | None],
        max_bytes: int,
        url_allow: frozenset[str],
        observer: Observer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._worker = worker
        self._jobs = jobs
        self._storage = storage
        self._lease = lease
        self._find_account = find_account
        self._max_bytes = max_bytes
        self._url_allow = url_allow
        self._observer = observer
        self._now = now

    def process(self, tasks: list[ObjectCreated | JobMessage], time_left: Callable[[], float]) -> None:
        """Do each task, whatever comes of the others.

        Args:
            tasks: Uploads, and jobs that are to be worked on.
            time_left: Seconds after which this process may be killed, as of the call.

        Raises:
            JobBusyError: A task has to wait, and no other met a fault.
            Exception: The first fault of the service, when every task had its turn.
        """
        faults: list[Exception] = []
        for task in tasks:
            try:
                self._process_one(task, time_left())
            except Exception as error:  # noqa: BLE001 - raised below, when every task had its turn
                faults.append(error)
        if faults:
            raise next((fault for fault in faults if not isinstance(fault, JobBusyError)), faults[0])

    def _process_one(self, task: ObjectCreated | JobMessage, time_left_s: float) -> None:
        if isinstance(task, JobMessage):
            self._worker.run(task.job_id, time_left_s)
        elif self._find_account(task.account_id) is None:
            self._observer.record_ignored("no such account", {"key": task.key})
        elif job_id := self._promised_job(task):
            self._worker.run(job_id, time_left_s)
        else:
            self._process_object(task, time_left_s)

    def _promised_job(self, upload: ObjectCreated) -> JobId | None:
        """Find the job that waited for this upload, if one did."""
        job = self._jobs.find(upload.job_id) if upload.job_id else None
        if job is None or job.account_id != upload.account_id or job.source.key != upload.key:
            return None
        return job.id

    def _process_object(self, upload: ObjectCreated, time_left_s: float) -> None:
        source = JobSource(
            SourceKind.OBJECT, upload.bucket, upload.key, upload.version_id, upload.etag, upload.sequencer
        )
        job_id = object_job_id(upload.bucket, upload.key, upload.version)
        known = self._jobs.find(job_id)
        if known is not None and known.state.is_final:
            self._worker.settle(job_id)
            return
        queued = partial(Job.queued, job_id, upload.account_id, source=source, now=self._now())
        try:
            holder = self._lease.acquire(source, time_left_s + MARGIN_S)
        except SupersededError:
            self._worker.supersede(queued(JobOptions()))
            return
        try:
            self._run(queued, source, time_left_s)
        finally:
            with suppress(ServiceUnavailableError):  # then the lease runs out
                self._lease.release(source, holder)

    def _run(self, queued: Callable[..., Job], source: JobSource, time_left_s: float) -> None:
        """Create the object's job and work on it, or end it by what is wrong with the object or its options."""
        options, webhook_url = JobOptions(), None
        with ExitStack() as stack:
            try:
                image = stack.enter_context(self._storage.open(source))
                fields = object_options(image)
                webhook_url = self._webhook_url(fields)  # first, so that it hears of wrong options too
                options = job_options(fields)
            except ImageChangedError:
                self._worker.supersede(queued(options))
            except ClientFaultError as error:
                job = queued(options, webhook_url=webhook_url)
                self._jobs.create(job)
                self._worker.refuse(job.id, time_left_s, error)
            else:
                job = queued(options, webhook_url=webhook_url)
                self._jobs.create(job)
                self._worker.run(job.id, time_left_s, partial(image.read, self._max_bytes))

    def _webhook_url(self, fields: Fields) -> str | None:
        url = fields.text("webhook_url")
        if url is not None:
            check_webhook_url(url, self._url_allow)
        return url


def object_options(image: StoredImage) -> Fields:
    """Find the options among an object's metadata or, where there are none, among its tags.

    The names are those of the fields of ``POST /v2``, and ``mask`` and ``webhook_url``; ``-`` counts as ``_``, since
    headers like it better. Tags are fetched only where the metadata hold no option.

    Args:
        image: The object, not read yet.

    Returns:
        The options; fields of other names are left out.

    Raises:
        InvalidRequestError: One option is given twice.
    """
    return _known(image.metadata) or _known(image.tags()) or Fields()


def job_options(fields: Fields) -> JobOptions:
    """Parse the options of a job. Raises InvalidOptionError."""
    return JobOptions(parse_options(fields), mask=boolean("mask", fields.text("mask") or "false"))


def _known(texts: Mapping[str, str]) -> Fields | None:
    pairs = [(name.strip().lower().replace("-", "_"), text) for name, text in texts.items()]
    wanted = [(name, text) for name, text in pairs if name in KNOWN]
    return Fields(wanted) if wanted else None
