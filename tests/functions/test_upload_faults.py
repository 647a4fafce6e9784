"""Uploads under calls that fail, answers that are lost, and workers that die at any call, replayed from seeds.

Everything is in this process: the stores on moto, a quick model, a clock of our own. One delivery may begin in the
middle of another, as on two machines. In the end every message is done, and the books must be right.
"""

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from PIL import Image

from cutout.aws import telemetry
from cutout.aws.dynamodb import errors as retries
from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.aws.dynamodb.object_lease import DynamoObjectLease
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.images import S3ImageStore
from cutout.aws.s3.results import S3ReportStore, S3ResultStore
from cutout.aws.s3.uploads import S3RetentionStore, S3UploadStore
from cutout.imaging.spec import Limits
from cutout.jobs.ids import object_job_id
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobMessage, JobOptions, JobSource, ObjectCreated, SourceKind
from cutout.services.job_storage import JobStorage
from cutout.services.job_worker import JobWorker
from cutout.services.upload_intake import UploadIntake
from local.cloud import LOCAL_ACCOUNT, client, create_cloud
from local.resources import Template

ACCOUNT = replace(LOCAL_ACCOUNT, training_opt_in=True)
A = ACCOUNT.id
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TIMEOUT_S = 30.0
VISIBILITY_S = 180.0
HOOK = "https://hook.example/x"
POISON = b"not an image"
CALLS = {
    "put_item", "update_item", "get_item", "transact_write_items", "put_object", "get_object", "head_object",
    "delete_object", "get_object_tagging",
}  # fmt: skip


class Killed(BaseException):
    """SIGKILL: nothing that catches exceptions may catch this."""


class Shaky:
    """A client whose calls fail before or after they are done; or their worker dies there."""

    def __init__(self, inner: Any, chance: random.Random, fault: float, death: float) -> None:
        self._inner = inner
        self._chance = chance
        self._fault = fault
        self._death = death

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in CALLS:
            return method

        def call(**arguments: Any) -> Any:
            self._stumble()
            answer = method(**arguments)
            self._stumble()
            return answer

        return call

    def _stumble(self) -> None:
        if self._chance.random() < self._death:
            raise Killed
        if self._chance.random() < self._fault:
            raise EndpointConnectionError(endpoint_url="https://aws.invalid")


class Model:
    """Sees a subject everywhere, at once; ``between`` is called each time."""

    name = "everything"

    def __init__(self, between: Callable[[], None]) -> None:
        self._between = between

    def squash(self, image: Any) -> Any:
        return image

    def alpha(self, image: Any) -> Any:
        self._between()
        return np.ones(image.shape[:2], np.float32)


@dataclass
class World:
    """Everything that outlives a worker."""

    chance: random.Random
    template: Template
    now: datetime = NOON
    waiting: list[ObjectCreated | JobMessage] = field(default_factory=list)
    s3: Any = None
    dynamodb: Any = None
    notified: list[str] = field(default_factory=list)
    deaths: int = 0
    dropped: list[str] = field(default_factory=list)
    depth: int = 0

    def clock(self) -> datetime:
        return self.now

    def worker(self, fault: float = 0.0, death: float = 0.0) -> tuple[UploadIntake, DynamoJobStore, JobStorage]:
        jobs_table, accounts_table = (self.template.tables[name].name for name in ("JobsTable", "AccountsTable"))
        dynamodb: Any = Shaky(self.dynamodb, self.chance, fault, death)
        s3: Any = Shaky(self.s3, self.chance, fault, death)
        places = (self.template.buckets[name].name for name in ("UploadsBucket", "ResultsBucket"))
        uploads, results = (Bucket(lambda: s3, place, 60) for place in places)
        jobs = DynamoJobStore(dynamodb, jobs_table, accounts_table, self.clock)
        files = JobStorage(
            S3ImageStore(lambda: s3),
            S3ResultStore(results, 0),
            S3ReportStore(results),
            S3RetentionStore(uploads),
            S3UploadStore(uploads, 10**6),
        )
        runner = JobWorker(
            jobs,
            files,
            Model(self.between),
            Limits(),
            find_account=lambda _: ACCOUNT,
            require_quota=lambda *_: None,
            fetch=lambda _: POISON,
            notify=self.notified.append,
            observer=telemetry,
            now=self.clock,
        )
        intake = UploadIntake(
            runner, jobs, files, DynamoObjectLease(dynamodb, jobs_table, self.clock),
            find_account=lambda _: ACCOUNT, max_bytes=10**6, url_allow=frozenset(), observer=telemetry, now=self.clock,
        )  # fmt: skip
        return intake, jobs, files

    def between(self) -> None:
        """Another machine gets its message while this one asks the model."""
        if self.depth < 3 and self.waiting and self.chance.random() < 0.5:
            self.deliver(self.chance.choice(self.waiting))

    def deliver(self, task: ObjectCreated | JobMessage) -> None:
        """One receipt of a message, by a worker of its own."""
        self.depth += 1
        intake, _, _ = self.worker(fault=0.04, death=0.03)
        try:
            intake.process([task], lambda: TIMEOUT_S)
        except Killed:
            self.deaths += 1
            if self.depth == 1:  # who waits for another's death must not sleep through its own lease
                self.now += timedelta(seconds=VISIBILITY_S)
        except Exception:  # noqa: BLE001 - the message comes again
            self.now += timedelta(seconds=self.chance.choice((1, 5)))
        else:
            if task in self.waiting and self.chance.random() < 0.8:  # else it is delivered once more
                self.waiting.remove(task)
        finally:
            self.depth -= 1

    def drop(self, job_id: str) -> None:
        """DELETE, by another function, whose own calls succeed."""
        _, jobs, files = self.worker()
        if jobs.find(job_id) is not None:
            files.remove(jobs.forget(A, job_id))
            self.dropped.append(job_id)


@pytest.fixture(scope="module")
def new_world(template: Template) -> Iterator[Callable[[int], World]]:
    """Worlds by seed, on the same tables and buckets."""
    with mock_aws():
        create_cloud(template)
        s3, dynamodb = client("s3"), client("dynamodb")
        yield lambda seed: World(random.Random(seed), template, s3=s3, dynamodb=dynamodb)


def picture(size: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def put(world: World, key: str, data: bytes, sequencer: str, **metadata: str) -> ObjectCreated:
    bucket = world.template.buckets["UploadsBucket"].name
    etag = world.s3.put_object(Bucket=bucket, Key=key, Body=data, Metadata=metadata)["ETag"].strip('"')
    return ObjectCreated(bucket, key, "", etag, sequencer, "")


def new_id(world: World) -> str:
    """A job's id that the seed decides, as it decides everything else."""
    return f"job_{world.chance.getrandbits(128):032x}"


def everything(world: World, seed: int) -> dict[str, list[ObjectCreated]]:
    """Objects, some overwritten once or twice, some poison; jobs with an upload, a URL; each message perhaps twice."""
    versions: dict[str, list[ObjectCreated]] = {}
    for number in range(5):
        key = f"uploads/{A}/{seed}/{number}.png"
        sizes = range(16, 16 + world.chance.choice((1, 1, 2, 3)))
        versions[key] = [
            put(world, key, POISON if number == 4 else picture(size), f"{size:04X}", **{"webhook-url": HOOK})
            for size in sizes
        ]
    _, jobs, _ = world.worker()
    for _ in range(2):
        job_id = new_id(world)
        key = f"uploads/{A}/{job_id}/image"
        source = JobSource(SourceKind.UPLOAD, world.template.buckets["UploadsBucket"].name, key)
        jobs.create(Job.queued(job_id, A, JobOptions(mask=True), source, NOON, webhook_url=HOOK))
        world.waiting.append(put(world, key, picture(20), "0001"))
    job_id = new_id(world)
    jobs.create(Job.queued(job_id, A, JobOptions(), JobSource(SourceKind.URL, url=HOOK), NOON))
    world.waiting.append(JobMessage(job_id))
    world.waiting += [event for events in versions.values() for event in events]
    world.waiting += world.chance.sample(world.waiting, 3)
    world.chance.shuffle(world.waiting)
    return versions


@pytest.mark.parametrize("seed", range(3))
def test_the_books_are_right_in_the_end(new_world, seed):
    world = new_world(seed)
    with patch.object(retries, "FIRST_WAIT_MS", 1):
        versions = everything(world, seed)
        ids = {
            event: event.job_id or object_job_id(event.bucket, event.key, event.version)
            for event in world.waiting
            if isinstance(event, ObjectCreated)
        }
        all_ids = {*ids.values(), *(task.job_id for task in world.waiting if isinstance(task, JobMessage))}
        before = images(world)
        for _ in range(2_000):
            if not world.waiting:
                break
            if world.chance.random() < 0.03:
                world.drop(world.chance.choice(sorted(all_ids)))
            world.deliver(world.chance.choice(world.waiting))
    assert world.waiting == [], "every message is done in the end"
    assert world.deaths > 0

    _, jobs, _ = world.worker()
    found = {job_id: jobs.find(job_id) for job_id in all_ids}
    assert all(job is not None and job.state.is_final for job in found.values())
    done = {job_id: job for job_id, job in found.items() if job is not None}
    assert images(world) - before == sum(job.state is JobState.SUCCEEDED for job in done.values())
    check_results(world, done, versions, ids)
    kept = {name.rpartition("/")[2] for name in listed(world, "UploadsBucket", f"retained/{A}/")} & all_ids
    assert kept == {job.id for job in done.values() if job.state is JobState.SUCCEEDED and job.deleted_at is None}
    owed = {job.id for job in done.values() if job.state is not JobState.CANCELLED and job.webhook_url}
    assert owed <= set(world.notified) <= all_ids


def check_results(
    world: World, done: dict[str, Job], versions: dict[str, list[ObjectCreated]], ids: dict[ObjectCreated, str]
) -> None:
    makers = {name: maker(world, name) for name in listed(world, "ResultsBucket", f"results/{A}/")}
    dropped = set(world.dropped)
    assert not dropped & set(makers.values()), "nothing is left of what was dropped"
    replaced = {ids[event] for events in versions.values() for event in events[:-1]}
    for job in done.values():
        if job.state is JobState.SUCCEEDED and job.id not in dropped | replaced:
            assert job.result is not None
            wanted = {job.result.key, f"results/{A}/{job.folder}/result.json"} | {job.result.mask_key} - {None}
            assert wanted == {name for name, by in makers.items() if by == job.id}
            body = world.s3.get_object(Bucket=bucket(world), Key=f"results/{A}/{job.folder}/result.json")["Body"]
            assert json.loads(body.read())["status"] == "succeeded"
        files = {name.rpartition("/")[2] for name, by in makers.items() if by == job.id}
        if job.state is JobState.FAILED and job.id not in dropped | replaced:
            assert files == {"result.json"}
        if job.state is JobState.CANCELLED:
            assert files == set(), "nothing of what attempts had put before a newer image took its place"
    for events in versions.values():
        newest = done[ids[events[-1]]]
        assert newest.error is None or newest.error.code != "superseded"


def bucket(world: World) -> str:
    return world.template.buckets["ResultsBucket"].name


def images(world: World) -> int:
    usage = DynamoUsageStore(world.dynamodb, world.template.tables["AccountsTable"].name)
    return usage.total(A, "2026-11").images


def listed(world: World, name: str, prefix: str) -> list[str]:
    found = world.s3.list_objects_v2(Bucket=world.template.buckets[name].name, Prefix=prefix)
    return [item["Key"] for item in found.get("Contents", [])]


def maker(world: World, name: str) -> str:
    return str(world.s3.head_object(Bucket=bucket(world), Key=name)["Metadata"]["job"])
