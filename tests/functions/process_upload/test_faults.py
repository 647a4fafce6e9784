"""Messages that mean nothing, and faults of ours: what stays, what comes again, what is given up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutout.container import container
from cutout.jobs.ids import new_job_id
from cutout.jobs.job import JobState
from cutout.usage import Usage
from functions.process_upload.app import handler
from tests.functions.process_upload.upload_world import (
    A,
    Context,
    run,
    upload_job,
)


@pytest.mark.parametrize(
    "change",
    [
        {"eventName": "ObjectRemoved:Delete"},
        {"eventName": "ObjectTagging:Put"},
        {"bucket": "another"},
        {"key": "direct/acct_local/p.jpg"},
        {"key": "retained/acct_local/p.jpg"},
        {"key": "uploads/p.jpg"},
        {"key": "uploads//p.jpg"},
        {"key": "uploads/acct_local/folder/"},
        {"key": "uploads/acct_local/" + "x" * 1_000},
    ],
    ids=repr,
)
def test_records_that_are_none_of_our_business_are_acknowledged(world, change):
    record = world.put(f"uploads/{A}/p.jpg")
    record["eventName"] = change.get("eventName", record["eventName"])
    record["s3"]["bucket"]["name"] = change.get("bucket", world.uploads)
    record["s3"]["object"]["key"] = change.get("key", record["s3"]["object"]["key"])

    assert run(world.send({"Records": [record]})) == 0

    assert world.result_names() == []


def test_a_test_event_is_acknowledged(world):
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": world.uploads, "RequestId": "1"}

    assert run(world.send(body)) == 0


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', "{}", '{"job_id": 1}', '{"job_id": "x"}', '{"Records": [1]}']
)
def test_a_message_that_nobody_understands_stays_for_a_person_and_its_neighbours_are_done(world, body):
    record = world.put(f"uploads/{A}/p.jpg")
    strange = world.send(json.dumps({"Records": [record]}))[0] | {"messageId": "strange", "body": body}
    good = world.receive() or [strange | {"messageId": "good", "body": json.dumps({"Records": [record]})}]

    answer = handler({"Records": [strange, *good]}, Context())

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["strange"]
    assert world.images_charged().images == 1


def test_a_message_of_a_job_that_is_gone_is_acknowledged(world):
    assert run(world.send({"job_id": new_job_id()})) == 0


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_bucket_that_is_away_leaves_the_job_open_and_the_message_comes_again(world, break_s3, operation):
    job, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    broken = break_s3(operation)

    assert run([message]) == 1
    waiting = world.jobs.find(job.id)
    assert (waiting.state, waiting.attempts, waiting.faults) == (JobState.RUNNING, 1, 1)
    assert waiting.fault.startswith("ServiceUnavailableError")
    assert world.images_charged() == Usage()

    broken.mend()
    assert run([message]) == 0
    assert world.jobs.find(job.id).state is JobState.SUCCEEDED
    assert world.images_charged().images == 1


def test_a_fault_brings_the_message_back_soon_and_then_at_the_queues_own_pace(world, break_s3, monkeypatch):
    delays: list[int] = []
    monkeypatch.setattr(container().job_queue, "postpone", lambda _, delay_s: delays.append(delay_s))
    _, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    break_s3("GetObject")

    for receives in (1, 2, 3, 4):
        message["attributes"]["ApproximateReceiveCount"] = str(receives)
        assert run([message]) == 1

    assert delays == [5, 30]


def test_one_record_that_fails_by_our_fault_lets_the_others_be_done(world, break_s3):
    job, key = upload_job(world)
    bad = world.put(key)
    good = world.put(f"uploads/{A}/p.jpg")
    broken = break_s3("GetObject", times=3)  # all tries of the first

    assert run(world.send({"Records": [bad, good]})) == 1

    assert broken.left == 0
    assert world.jobs.find(job.id).faults == 1
    assert world.object_job(good, f"uploads/{A}/p.jpg").state is JobState.SUCCEEDED


def test_a_model_that_fails_is_our_fault(world, segmenter, monkeypatch):
    def fail(_: Any) -> Any:
        raise RuntimeError("no memory")

    job, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    monkeypatch.setattr(type(segmenter), "alpha", fail)

    assert run([message]) == 1

    assert (world.jobs.find(job.id).state, world.jobs.find(job.id).faults) == (JobState.RUNNING, 1)


def test_a_worker_that_was_killed_is_followed_by_another_after_its_lease(world):
    job, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    world.jobs.start(job.id, 60)  # and then it was killed

    assert run([message]) == 1
    assert world.jobs.find(job.id).attempts == 1

    later = container().jobs
    later._now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert run([message]) == 0
    assert (world.jobs.find(job.id).state, world.jobs.find(job.id).attempts) == (JobState.SUCCEEDED, 2)


def test_an_image_that_kills_its_workers_fails_in_the_end(world):
    job, key = upload_job(world, webhook_url="https://hook.example/x")
    (message,) = world.send({"Records": [world.put(key)]})
    for _ in range(3):
        killed = world.jobs.start(job.id, 0)
    left_behind = {"Bucket": world.results, "Key": f"results/{A}/{job.id}/cutout.png", "Metadata": {"job": killed.id}}
    world.s3.put_object(**left_behind, Body=b"unpaid")

    assert run([message]) == 0
    assert world.result_names() == [f"results/{A}/{job.id}/result.json"]

    done = world.jobs.find(job.id)
    assert (done.state, done.error.code) == (JobState.FAILED, "processing_failed")
    assert world.report(job.id)["error"]["code"] == "processing_failed"
    assert world.queued_webhooks() == [job.id]


def test_a_duplicate_comes_again_while_the_first_is_at_work(world, monkeypatch):
    delays: list[int] = []
    monkeypatch.setattr(container().job_queue, "postpone", lambda _, delay_s: delays.append(delay_s))
    job, key = upload_job(world)
    (message,) = world.send({"Records": [world.put(key)]})
    world.jobs.start(job.id, 60)

    for receives in (1, 2, 3, 4):
        message["attributes"]["ApproximateReceiveCount"] = str(receives)
        assert run([message]) == 1

    assert delays[:2] == [5, 15]
    assert min(delays[2:]) > 50
    assert world.result_names() == []
