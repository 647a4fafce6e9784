"""Jobs, their ends and their charges, at a moment that moves when told to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.jobs.ids import new_job_id
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource, SourceKind
from cutout.usage import Charge, Usage
from tests.support.job_stores import MemoryJobStore

NOON = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)
RESULT = JobResult(
    "image/png",
    8,
    9,
    80,
    90,
    "cutout-s",
    {"decode": 1.5},
    key="results/a/j/cutout.png",
    bytes=1_234,
    mask_key="m.png",
)
ERROR = JobError("invalid_image", "No image.", {"format": "png"})
Store = DynamoJobStore | MemoryJobStore


class Clock:
    """A moment that moves when told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def job(clock: Clock, **changes: Any) -> Job:
    made = Job.queued(new_job_id(), "acct_1", JobOptions(), JobSource(SourceKind.URL, url="https://a.example"), clock())
    return replace(made, **changes)


def charge(of: Job) -> Charge:
    return Charge(of.id, of.account_id, Usage(1, 7_200, 100, 1_234), NOON)


def started(store: DynamoJobStore, clock: Clock) -> Job:
    made = job(clock)
    store.create(made)
    return store.start(made.id, 60)
