"""What attempts have put before they were killed, overtaken or given up: it goes, and what is due stays or comes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutout.container import Container, container
from cutout.errors import ServiceUnavailableError
from cutout.jobs.ids import new_job_id
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobSource, SourceKind
from cutout.usage import Usage
from tests.functions.process_upload.upload_world import (
    PHOTO,
    A,
    Meddling,
    UploadWorld,
    make_account,
    queued,
    run,
    upload_job,
    with_sequencer,
)

ACCOUNT = "acct_2"
KEY = f"uploads/{ACCOUNT}/p.jpg"


@pytest.fixture
def opted_in(world: UploadWorld) -> None:
    make_account(training_opt_in=True)


def fall_short(world: UploadWorld, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]) -> None:
    """An attempt that puts everything and then cannot end the job."""

    def away(*_: Any) -> Any:
        raise ServiceUnavailableError("Jobs cannot be looked up just now.")

    with monkeypatch.context() as patch:
        patch.setattr(container().jobs, "succeed", away)
        assert run([message]) == 1
    assert len(world.upload_names("retained/")) == 1
    assert f"results/{ACCOUNT}/p.jpg/mask.png" in world.result_names()


def used() -> Usage:
    return container().usage.total(ACCOUNT, datetime.now(UTC).strftime("%Y-%m"))


def pass_time(seconds: float) -> None:
    container().jobs._now = lambda: datetime.now(UTC) + timedelta(seconds=seconds)


def test_an_older_object_leaves_nothing_when_a_newer_one_has_had_its_turn(world, opted_in, monkeypatch):
    old = with_sequencer(world.put(KEY, Metadata={"mask": "true"}), "01")
    (old_message,) = world.send({"Records": [old]})
    fall_short(world, monkeypatch, old_message)
    new = with_sequencer(world.put(KEY, PHOTO + b"newer"), "02")
    assert run(world.send({"Records": [new]})) == 0

    assert run([old_message]) == 0

    newer = world.object_job(new, KEY)
    assert world.object_job(old, KEY).state is JobState.CANCELLED
    assert world.upload_names("retained/") == [f"retained/{ACCOUNT}/{newer.id}"]
    assert world.result_names() == [newer.result.key, f"results/{ACCOUNT}/p.jpg/result.json"]
    assert used().images == 1


def test_an_object_overwritten_between_two_attempts_leaves_nothing_of_the_first(world, opted_in, monkeypatch):
    record = with_sequencer(world.put(KEY, Metadata={"mask": "true"}), "01")
    (message,) = world.send({"Records": [record]})
    fall_short(world, monkeypatch, message)
    world.put(KEY, PHOTO + b"newer")

    assert run([message]) == 0

    assert world.object_job(record, KEY).state is JobState.CANCELLED
    assert world.upload_names("retained/") == []
    assert world.result_names() == []
    assert used() == Usage()


def test_a_worker_killed_right_after_it_gave_a_job_up_is_made_up_for(world, opted_in):
    job_id = new_job_id()
    key = f"uploads/{ACCOUNT}/{job_id}/image"
    source = JobSource(SourceKind.UPLOAD, world.uploads, key)
    queued(world, source, id=job_id, account_id=ACCOUNT, webhook_url="https://hook.example/x")
    (message,) = world.send({"Records": [world.put(key)]})
    for state in (JobState.RUNNING, JobState.RUNNING, JobState.RUNNING, JobState.FAILED):
        assert world.jobs.start(job_id, 0).state is state
    folder = f"results/{ACCOUNT}/{job_id}"
    world.s3.put_object(Bucket=world.results, Key=f"{folder}/cutout.png", Metadata={"job": job_id}, Body=b"unpaid")
    world.s3.put_object(Bucket=world.uploads, Key=f"retained/{ACCOUNT}/{job_id}", Body=PHOTO)

    assert run([message]) == 0

    assert world.result_names() == [f"{folder}/result.json"]
    assert b'"processing_failed"' in world.result(f"{folder}/result.json")
    assert world.upload_names("retained/") == []
    assert world.queued_webhooks() == [job_id]


def test_an_event_of_an_object_that_failed_does_not_touch_the_newer_ones_report(world):
    key = f"uploads/{A}/p.jpg"
    old = with_sequencer(world.put(key, b"not an image"), "01")
    assert run(world.send({"Records": [old]})) == 0
    assert world.report("p.jpg")["status"] == "failed"
    new = with_sequencer(world.put(key), "02")
    assert run(world.send({"Records": [new]})) == 0

    assert run(world.send({"Records": [old]})) == 0

    assert world.report("p.jpg")["job_id"] == world.object_job(new, key).id
    assert f"results/{A}/p.jpg/cutout.png" in world.result_names()


def test_a_slow_attempt_does_not_take_back_what_a_quicker_one_has_made(world, segmenter, monkeypatch):
    job, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    failures: list[int] = []

    def overtake() -> None:
        if not failures:
            failures.append(0)
            pass_time(100)
            failures.append(run([message]))

    meddling = Meddling(segmenter, overtake)
    monkeypatch.setattr(Container, "segmenter", meddling)

    assert run([message]) == 0

    done = world.jobs.find(job.id)
    assert failures == [0, 0]
    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 2)
    assert world.result_names() == [done.result.key, f"results/{A}/{job.id}/result.json"]
    assert world.report(job.id)["status"] == "succeeded"
    assert world.images_charged().images == 1


def test_a_slow_attempt_takes_back_what_it_has_made_of_a_job_that_has_failed(world, opted_in, segmenter, monkeypatch):
    record = with_sequencer(world.put(KEY, Metadata={"mask": "true"}), "01")
    (message,) = world.send({"Records": [record]})

    def give_up() -> None:
        for job in container().jobs.page(ACCOUNT, 10).jobs:
            for seconds in (100, 200, 300):
                pass_time(seconds)
                world.jobs.start(job.id, 0)

    meddling = Meddling(segmenter, give_up)
    monkeypatch.setattr(Container, "segmenter", meddling)

    assert run([message]) == 0

    assert world.object_job(record, KEY).error.code == "processing_failed"
    assert world.result_names() == [f"results/{ACCOUNT}/p.jpg/result.json"]
    assert b'"failed"' in world.result(f"results/{ACCOUNT}/p.jpg/result.json")
    assert world.upload_names("retained/") == []
    assert used() == Usage()
