"""``POST /v2`` as a job: for a request that is answered before the work is done, or that must be done once."""

from dataclasses import asdict
from datetime import UTC, datetime

from cutout.accounts import Caller
from cutout.api.dialects import Order
from cutout.api.idempotency import fingerprint
from cutout.api.sources import SourceKind as BackgroundKind
from cutout.job_ids import idempotent_job_id, new_job_id
from cutout.job_parts import JobOptions, JobSource, SourceKind
from cutout.jobs import Job


def job_id_for(caller: Caller, idempotency_key: str | None) -> str:
    """The id of the job that a request stands for: always the same under one key of the client's."""
    return idempotent_job_id(caller.account.id, idempotency_key) if idempotency_key else new_job_id()


def background_url(order: Order) -> str:
    """Where the background image is, if it is behind a URL; else empty."""
    background = order.background
    return str(background.value).strip() if background and background.kind is BackgroundKind.URL else ""


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
