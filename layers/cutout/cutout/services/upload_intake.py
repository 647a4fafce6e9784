"""From an object in the bucket to its job: the one that was made before the upload, or one made now, once.

An object's version has one job, however often and in whatever order its events come; and of two objects under one key
the newer has the last word (``object_ledger``).
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final, NoReturn

from cutout.accounts import Account
from cutout.api.body import Fields
from cutout.api.options import OPTIONS, boolean, parse_options
from cutout.api.problems import status_of
from cutout.aws import telemetry
from cutout.aws.dynamodb.object_lease import ObjectLedger, SupersededError
from cutout.aws.s3.images import ImageChangedError
from cutout.aws.s3_events import ObjectCreated
from cutout.errors import (
    CutoutError,
    ImageUrlFetchFailedError,
    InvalidOptionError,
    JobBusyError,
    ServiceUnavailableError,
)
from cutout.jobs.ids import object_job_id
from cutout.jobs.job import Job, JobStore
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.outbound.urls import check_url
from cutout.services.job_storage import JobFiles
from cutout.services.job_worker import MARGIN_S, OUR_FAULT, GetImage, JobRunner


class JobIntake:
    """Takes up the tasks of a message. url_allow: ``host:port`` pairs that webhooks may lead to although private."""

    def __init__(
        self,
        runner: JobRunner,
        jobs: JobStore,
        files: JobFiles,
        ledger: ObjectLedger,
        *,
        find_account: Callable[[str], Account | None],
        max_bytes: int,
        url_allow: frozenset[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._runner = runner
        self._jobs = jobs
        self._files = files
        self._ledger = ledger
        self._find_account = find_account
        self._max_bytes = max_bytes
        self._url_allow = url_allow
        self._now = now

    def do_all(self, tasks: list[ObjectCreated | str], time_left: Callable[[], float]) -> None:
        """Do each task, whatever comes of the others. time_left: seconds until this process may be killed.

        Raises the first fault of ours; if there is none, JobBusyError where a task has to wait.
        """
        faults: list[Exception] = []
        for task in tasks:
            try:
                self._do(task, time_left())
            except Exception as error:  # noqa: BLE001 - raised below, when every task had its turn
                faults.append(error)
        if faults:
            raise next((fault for fault in faults if not isinstance(fault, JobBusyError)), faults[0])

    def _do(self, task: ObjectCreated | str, time_left_s: float) -> None:
        if isinstance(task, str):
            self._runner.run(task, time_left_s)
        elif self._find_account(task.account_id) is None:
            telemetry.record_ignored("no such account", {"key": task.key})
        elif job_id := self._promised(task):
            self._runner.run(job_id, time_left_s)
        else:
            self._take_up(task, time_left_s)

    def _promised(self, upload: ObjectCreated) -> str | None:
        """The job that waited for this upload, if one did."""
        job = self._jobs.find(upload.job_id) if upload.job_id else None
        if job is None or job.account_id != upload.account_id or job.source.key != upload.key:
            return None
        return job.id

    def _take_up(self, upload: ObjectCreated, time_left_s: float) -> None:
        source = JobSource(
            SourceKind.OBJECT, upload.bucket, upload.key, upload.version_id, upload.etag, upload.sequencer
        )
        job_id = object_job_id(upload.bucket, upload.key, upload.version)
        known = self._jobs.find(job_id)
        if known is not None and known.state.is_final:
            self._runner.settle(job_id)
            return
        queued = partial(Job.queued, job_id, upload.account_id, source=source, now=self._now())
        try:
            holder = self._ledger.take(source, time_left_s + MARGIN_S)
        except SupersededError:
            self._runner.supersede(queued(JobOptions()))
            return
        try:
            self._run(queued, source, time_left_s)
        finally:
            with suppress(ServiceUnavailableError):  # then the lease runs out
                self._ledger.give_back(source, holder)

    def _run(self, queued: Callable[..., Job], source: JobSource, time_left_s: float) -> None:
        with ExitStack() as stack:
            options, webhook_url = JobOptions(), None
            get_image: GetImage
            try:
                image = stack.enter_context(self._files.open(source))
                get_image = partial(image.read, self._max_bytes)
                wishes = find_wishes(image.metadata, image.tags)
                webhook_url = wished_webhook(wishes, self._url_allow)  # first, so that it hears of wrong options too
                options = wished_options(wishes)
            except ImageChangedError:
                self._runner.supersede(queued(options))
                return
            except CutoutError as error:
                if status_of(error) >= OUR_FAULT:
                    raise
                get_image = partial(_fail, error)
            job = queued(options, webhook_url=webhook_url)
            self._jobs.create(job)
            self._runner.run(job.id, time_left_s, get_image)


def _fail(error: CutoutError) -> NoReturn:
    raise error


KNOWN: Final = OPTIONS | {"mask", "webhook_url"}


def find_wishes(metadata: Mapping[str, str], tags: Callable[[], Mapping[str, str]]) -> Fields:
    """The options among an object's metadata; where there are none, among its tags, which are asked for only then.

    Raises InvalidRequestError when one option is given twice.
    """
    return _known(metadata) or _known(tags()) or Fields()


def wished_webhook(fields: Fields, url_allow: frozenset[str]) -> str | None:
    """The URL to tell of the end. url_allow: ``host:port`` pairs that may be private. Raises InvalidOptionError."""
    url = fields.text("webhook_url")
    if url is not None:
        try:
            check_url(url, url_allow, "webhook URL")
        except ImageUrlFetchFailedError as error:
            raise InvalidOptionError(error.message, {"option": "webhook_url"}) from error
    return url


def wished_options(fields: Fields) -> JobOptions:
    """What is wanted. Raises InvalidOptionError."""
    return JobOptions(parse_options(fields), mask=boolean("mask", fields.text("mask") or "false"))


def _known(texts: Mapping[str, str]) -> Fields | None:
    pairs = [(name.strip().lower().replace("-", "_"), text) for name, text in texts.items()]
    wanted = [(name, text) for name, text in pairs if name in KNOWN]
    return Fields(wanted) if wanted else None
