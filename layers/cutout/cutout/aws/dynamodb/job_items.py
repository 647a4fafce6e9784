"""The items of the table ``Jobs``, from values and back; the layout itself is in the design's table.

What conditions and the index look at is an attribute of its own, the rest of a job is JSON text. Knows no client.
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
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


INDEX = "by_account"
"""Global index of an account's jobs by time: ``account_id``, ``created``."""


def job_key(job_id: str) -> Item:
    """Make the primary key of a job."""
    return {"pk": {"S": job_id}}


def job_item(job: Job, writer: str) -> Item:
    """Write a job as an item. writer: names the change, so that its author knows it again."""
    texts = {
        "account_id": job.account_id,
        "created": sort_key(job.created_at, job.id),
        "state": job.state.value,
        "created_at": written(job.created_at),
        "options": to_json(job.options),
        "source": to_json(job.source),
        "charged_mode": job.charged_mode.value,
        "webhook_url": job.webhook_url,
        "fingerprint": job.fingerprint,
        "started_at": written(job.started_at),
        "finished_at": written(job.finished_at),
        "fault": job.fault or None,
        "lease_until": written(job.lease_until),
        "result": to_json(job.result) if job.result else None,
        "error": to_json(job.error) if job.error else None,
        "deleted_at": written(job.deleted_at),
        "dialect": job.dialect or None,
        "notes": json.dumps(dict(job.notes)) if job.notes else None,
        "writer": writer,
    }
    numbers = {"attempts": job.attempts, "faults": job.faults, "expires_at": int(job.expires_at.timestamp())}
    return (
        job_key(job.id)
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
        webhook_url=_text(item, "webhook_url"),
        fingerprint=_text(item, "fingerprint"),
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


def written(moment: datetime | None) -> str | None:
    """A moment (UTC) as text that sorts by time."""
    return moment.isoformat(timespec="milliseconds") if moment else None


def sort_key(created_at: datetime, job_id: str) -> str:
    """A job's place in its account's index."""
    return f"{written(created_at)}#{job_id}"


def _text(item: Item, name: str) -> str | None:
    return str(item[name]["S"]) if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    text = _text(item, name)
    return datetime.fromisoformat(text) if text else None


T = TypeVar("T")


def to_json(value: "DataclassInstance") -> str:
    """Write a dataclass whose fields are text, numbers, enums of them, tuples, mappings, or such dataclasses."""
    return json.dumps(asdict(value))


def from_json(kind: type[T], text: str) -> T:
    """Read what :func:`to_json` wrote. A field that is not there takes its default, an unknown one is left out.

    So a deployment reads what the one before it wrote, and the other way round.
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
