"""Uploads, while workers are killed, messages repeat themselves, and one call in twenty fails.

In the end every upload is a job that succeeded or failed with its reason, every success has its results and is charged
once, and every webhook was heard. The service is the whole local one, with the true model; see tests/chaos/arena.py and
tests/chaos/faulty_proxy.py for what is done to it.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw

from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import PROCESSING_FAILED, SourceKind
from cutout_client.webhooks import verify
from local.resources import Template
from tests.chaos.arena import Killer, at_work
from tests.chaos.faulty_proxy import Lots, faulty_proxy
from tests.chaos.field import DEAD_LETTER_QUEUES, QUEUES, Field
from tests.support.local_service import local_service
from tests.support.webhook_receiver import receiver

SIZES = {1: 120, 2: 60, 3: 60}
"""Uploads, by seed: some minutes of two cores. CUTOUT_CHAOS_UPLOADS sets them all; 300 is a thorough run."""
CHOSEN = os.environ.get("CUTOUT_CHAOS_UPLOADS")
FAILING = 0.025
"""Share of calls that fail for good; as many more fail at their first try."""
WORKERS, TIMEOUT_S, VISIBILITY_S = 2, 15, 21
KILLED_EVERY = 200
"""Calls, on average."""
KILLED = ["ProcessUploadFunction"] * 6 + ["WebhookFunction", "JobsFunction"]
"""Whose workers are killed, by share."""


def picture(random: Random) -> bytes:
    image = Image.new("RGB", (random.randint(24, 64), random.randint(24, 64)), (200, 210, 220))
    ImageDraw.Draw(image).ellipse((6, 6, 20, 20), fill=tuple(random.randbytes(3)))
    buffer = BytesIO()
    image.save(buffer, random.choice(["PNG", "JPEG", "WEBP"]))
    return buffer.getvalue()


@pytest.fixture
def field(request: pytest.FixtureRequest, template: Template, tmp_path: Path) -> Iterator[Field]:
    random = Random(request.param)
    killer = Killer(KILLED, Random(random.random()), KILLED_EVERY)
    lots = Lots(Random(random.random()), FAILING)
    knobs = f"--workers {WORKERS} --timeout {TIMEOUT_S} --visibility {VISIBILITY_S}".split()
    settings = {"CUTOUT_WEBHOOK_BACKOFF_S": "1"}
    with receiver() as hooks, faulty_proxy(lots, killer.on_call) as proxy:
        knobs += ["--functions-aws", proxy.url]
        with local_service(tmp_path, *knobs, allow=hooks.authority, settings=settings) as service:
            proxy.upstream = service.endpoints["aws"]
            killer.service_pid = service.pid
            yield Field(service, template, lots, killer, hooks, random)


@dataclass(frozen=True, slots=True)
class Uploads:
    """How many of each kind: objects put by any tool, some of them no pictures, and jobs with a form and a webhook."""

    put: int
    broken: int
    ordered: int

    @classmethod
    def of(cls, total: int) -> "Uploads":
        broken, ordered = total // 20, total // 5
        return cls(total - broken - ordered, broken, ordered)

    def send(self, field: Field) -> set[str]:
        """Upload everything; the ids of the jobs that were ordered."""
        for number in range(self.put):
            options = field.random.choice([{}, {"mask": "true"}, {"format": "webp"}])
            field.put(f"album {number % 7}/photo+{number}.img", picture(field.random), **options)
        for number in range(self.broken):
            field.put(f"broken/{number}.png", field.random.randbytes(200))
        return {field.order(number, picture(field.random)) for number in range(self.ordered)}


def least_faults(calls: int) -> float:
    """Four standard deviations below what is drawn on average, so that few calls prove as much as many."""
    share = 2 * FAILING
    return share * calls - 4 * sqrt(calls * share * (1 - share))


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("field", SIZES, ids="seed {}".format, indirect=True)
def test_uploads_survive_chaos(field: Field, request: pytest.FixtureRequest):
    total = int(CHOSEN or SIZES[request.node.callspec.params["field"]])
    uploads = Uploads.of(total)
    messenger = field.messenger()
    with at_work(messenger):
        ordered = uploads.send(field)
        field.wait_until_quiet(messenger)
        field.calm()
        field.replay_dead_letters()
        field.wait_until_quiet(messenger)

    jobs = field.jobs()
    succeeded = [job for job in jobs if job.state is JobState.SUCCEEDED]
    failed = [job for job in jobs if job.state is JobState.FAILED]
    assert len(jobs) == total == len(succeeded) + len(failed)
    assert {job.id for job in jobs if job.source.kind is not SourceKind.OBJECT} == ordered
    assert {job.error.code for job in failed if is_broken(job)} <= {"unsupported_image_format", "processing_failed"}
    assert all(job.error == PROCESSING_FAILED for job in failed if not is_broken(job))
    assert len(succeeded) >= 0.9 * (uploads.put + uploads.ordered)
    assert {key for job in succeeded for key in results_of(job)} <= field.results()
    paid = [job for job in succeeded if job.result.foreground]  # where nothing is found, nothing is charged
    assert field.charges() == {job.id for job in paid}
    assert field.used().images == len(paid)
    assert field.used().pixels == sum(job.result.source_width * job.result.source_height for job in paid)
    assert [field.waiting(queue) for queue in (*QUEUES, *DEAD_LETTER_QUEUES)] == [0] * 4
    assert heard(field) == {job.id: job.state for job in jobs if job.id in ordered}
    assert field.killer.killed >= total // 100
    assert sum(field.lots.faults.values()) >= least_faults(field.lots.calls)
    assert messenger.counts["repeated"] >= 0.1 * total
    assert messenger.counts["given up"] > 0


def results_of(job: Job) -> set[str]:
    folder = job.result.key.rpartition("/")[0]
    assert (job.result.mask_key is not None) == job.options.mask
    return {job.result.key, f"{folder}/result.json"} | ({job.result.mask_key} if job.options.mask else set())


def is_broken(job: Job) -> bool:
    return "/broken/" in job.source.key


def heard(field: Field) -> dict[str, str]:
    """What the webhooks told that were taken, by job; each signed, and each event under one id of its own."""
    told: dict[str, set[tuple[str, str]]] = defaultdict(set)
    secret = field.webhook_secret()
    for delivery in field.hooks.deliveries:
        event = verify(delivery.body, delivery.headers, secret, now_s=int(delivery.headers["webhook-timestamp"]))
        told[event["data"]["id"]].add((event["id"], event["type"]))
    assert all(len(events) == 1 for events in told.values())
    assert len({event_id for events in told.values() for event_id, _ in events}) == len(told)
    taken = {json.loads(delivery.body)["data"]["id"] for delivery in field.hooks.deliveries if delivery.status == 204}
    return {job_id: next(iter(told[job_id]))[1].removeprefix("job.") for job_id in taken}
