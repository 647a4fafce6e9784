"""``Prefer: respond-async``: an order of ``POST /v2`` becomes a job, and its image is kept until the job's turn."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from cutout.accounts import Caller
from cutout.api.dialects.base import Order
from cutout.api.headers import fingerprint
from cutout.api.jobs import check_background_url, check_webhook_url
from cutout.api.sources import InputKind, Source, load
from cutout.api.uploads import check_upload_id
from cutout.aws.s3.uploads import UploadStore, direct_key
from cutout.errors import InvalidOptionError
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.outbound.urls import check_url
from cutout.services.job_service import JobDesk, Ordered, job_id_for


class Deferral:
    """Turns orders into jobs. max_bytes: of an image; url_allow: ``host:port`` pairs that may be private."""

    def __init__(self, desk: JobDesk, uploads: UploadStore, max_bytes: int, url_allow: frozenset[str]) -> None:
        self._desk = desk
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._url_allow = url_allow

    def defer(self, caller: Caller, order: Order, may_begin: Callable[[], object]) -> Ordered:
        """The job that stands for an order.

        may_begin: raises when no new work is allowed now. Raises what is wrong with the source, so far as that can be
        told unread (ImageTooLargeError, InvalidBase64Error, ImageUrlFetchFailedError, NotFoundError for an upload),
        InvalidOptionError for a webhook that cannot be allowed and for a background that is no URL,
        IdempotencyMismatchError, ServiceUnavailableError.
        """
        if order.webhook_url:
            check_webhook_url(order.webhook_url, self._url_allow)
        if order.background:
            self._check_background(order.background)
        job_id = job_id_for(caller, order.idempotency_key)
        account_id = caller.account.id
        source, image = self._source(account_id, job_id, order.source)

        def begin() -> None:
            if order.source.kind is InputKind.UPLOAD:
                self._uploads.require(account_id, str(order.source.value).strip())
            may_begin()

        return self._desk.queue(job_for(caller, order, job_id, source), begin, image)

    def _check_background(self, background: Source) -> None:
        if background.kind is not InputKind.URL:
            message = f"{background.name} cannot be kept for later; send a URL, or leave out Prefer: respond-async."
            raise InvalidOptionError(message, {"option": background.name})
        check_background_url(str(background.value).strip(), self._url_allow)

    def _source(self, account_id: str, job_id: str, source: Source) -> tuple[JobSource, bytes | None]:
        """Where the image lies, and the image itself where it is still to be put there."""
        if source.kind is InputKind.URL:
            url = str(source.value).strip()
            check_url(url, self._url_allow)
            return JobSource(SourceKind.URL, url=url), None
        image, name = None, job_id
        if source.kind is InputKind.UPLOAD:
            name = check_upload_id(str(source.value).strip())
        else:
            image = load(source, {}, self._max_bytes)
        key = direct_key(account_id, name)
        return JobSource(SourceKind.REQUEST, bucket=self._uploads.bucket, key=key), image


def background_url(order: Order) -> str:
    """Where the background image is, if it is behind a URL; else empty."""
    background = order.background
    return str(background.value).strip() if background and background.kind is InputKind.URL else ""


def once_job(caller: Caller, order: Order) -> Job:
    """The job of an order that is done while its client waits; the image came with the request and lies nowhere."""
    return job_for(caller, order, job_id_for(caller, order.idempotency_key), JobSource(SourceKind.REQUEST))


def job_for(caller: Caller, order: Order, job_id: str, source: JobSource) -> Job:
    """The job of an order, not begun. source: where the image lies for those who begin it."""
    return Job.queued(
        job_id,
        caller.account.id,
        JobOptions(order.spec, background_url=background_url(order)),
        source,
        datetime.now(UTC),
        charged_mode=caller.key.mode,
        webhook_url=order.webhook_url,
        fingerprint=fingerprint("POST /v2", asdict(order)) if order.idempotency_key else None,
        dialect=order.dialect,
        notes=order.notes,
    )
