"""The items of the table ``Jobs``: values to items and back.

Fields that conditions and the index use are attributes of their own; the rest of a job is JSON text. This module makes
no calls.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from cutout.accounts import KeyMode
from cutout.aws.dynamodb.account_items import Item
from cutout.ids import JobId
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


INDEX = "by_account"
"""The global index of an account's jobs by time: ``account_id``, ``created``."""


def job_primary_key(job_id: JobId) -> Item:
    """Make the primary key of a job."""
    return {"pk": {"S": job_id}}


def job_item(job: Job, writer: str) -> Item:
    """Write a job as an item.

    Args:
        job: The job.
        writer: A random name of this write, by which its author recognises it.

    Returns:
        The item.
    """
    texts = {
        "account_id": job.account_id,
        "created": sort_key(job.created_at, job.id),
        "state": job.state.value,
        "created_at": time_text(job.created_at),
        "options": to_json(job.options),
        "source": to_json(job.source),
        "charged_mode": job.charged_mode.value,
        "charged_key": job.charged_key or None,
        "webhook_url": job.webhook_url,
        "fingerprint": job.request_fingerprint,
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
        "fault": job.fault or None,
        "lease_until": time_text(job.lease_until),
        "result": to_json(job.result) if job.result else None,
        "error": to_json(job.error) if job.error else None,
        "deleted_at": time_text(job.deleted_at),
        "dialect": job.dialect or None,
        "notes": json.dumps(dict(job.notes)) if job.notes else None,
        "writer": writer,
    }
    numbers = {"attempts": job.attempts, "faults": job.faults, "expires_at": int(job.expires_at.timestamp())}
    return (
        job_primary_key(job.id)
        | {name: {"S": text} for name, text in texts.items() if text is not None}
        | {name: {"N": str(number)} for name, number in numbers.items()}
        | {"webhook_queued": {"BOOL": job.webhook_queued}}
    )


def to_job(item: Item) -> Job:
    """Read what :func:`job_item` wrote."""
    result, error, notes = _text(item, "result"), _text(item, "error"), _text(item, "notes")
    return Job(
        id=item["pk"]["S"],
        account_id=item["account_id"]["S"],
        state=JobState(item["state"]["S"]),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC),
        options=from_json(JobOptions, item["options"]["S"]),
        source=from_json(JobSource, item["source"]["S"]),
        charged_mode=KeyMode(item["charged_mode"]["S"]),
        charged_key=_text(item, "charged_key") or "",
        webhook_url=_text(item, "webhook_url"),
        request_fingerprint=_text(item, "fingerprint"),
        started_at=_moment(item, "started_at"),
        finished_at=_moment(item, "finished_at"),
        attempts=int(item["attempts"]["N"]),
        faults=int(item["faults"]["N"]),
        fault=_text(item, "fault") or "",
        lease_until=_moment(item, "lease_until"),
        result=from_json(JobResult, result) if result else None,
        error=from_json(JobError, error) if error else None,
        webhook_queued=item["webhook_queued"]["BOOL"],
        deleted_at=_moment(item, "deleted_at"),
        dialect=_text(item, "dialect") or "",
        notes=json.loads(notes) if notes else {},
    )


def time_text(moment: datetime | None) -> str | None:
    """Write a time (UTC) as text that sorts by time; None stays None."""
    return moment.isoformat(timespec="milliseconds") if moment else None


def sort_key(created_at: datetime, job_id: JobId) -> str:
    """Make the sort key of a job in the index of its account."""
    return f"{time_text(created_at)}#{job_id}"


def _text(item: Item, name: str) -> str | None:
    return str(item[name]["S"]) if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    text = _text(item, name)
    return datetime.fromisoformat(text) if text else None


T = TypeVar("T")


def to_json(value: "DataclassInstance") -> str:
    """Write a dataclass as JSON; its fields are text, numbers, enums, tuples, mappings, or such dataclasses."""
    return json.dumps(asdict(value))


def from_json(kind: type[T], text: str) -> T:
    """Read what :func:`to_json` wrote.

    A missing field gets its default and an unknown field is ignored, so two deployments can read each other's items.

    Args:
        kind: The dataclass.
        text: JSON.

    Returns:
        The value.
    """
    return cast("T", _value(kind, json.loads(text)))


def _value(kind: Any, document: Any) -> Any:
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        inner = [part for part in get_args(kind) if part is not NoneType]
        return None if document is None else _value(inner[0], document)
    if origin is tuple:
        return tuple(document)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _value(hints[name], value) for name, value in document.items() if name in hints})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(document)
    return document


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
