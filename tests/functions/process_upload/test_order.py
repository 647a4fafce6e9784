"""Objects that are put again, and events that come late: the newest has the last word."""

import json
from typing import Any

from cutout.container import Container, container
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobSource, SourceKind
from tests.functions.process_upload.upload_world import (
    PHOTO,
    A,
    Meddling,
    run,
    with_sequencer,
)


def test_the_event_of_an_object_that_was_overwritten_changes_nothing(world):
    key = f"uploads/{A}/p.jpg"
    old = with_sequencer(world.put(key, Metadata={"format": "jpg"}), "0055")
    new = with_sequencer(world.put(key, PHOTO + b"newer"), "005501")

    assert run(world.send({"Records": [old]})) == 0
    assert world.result_names() == []
    assert world.object_job(old, key).state is JobState.CANCELLED
    assert world.object_job(old, key).error.code == "superseded"

    assert run(world.send({"Records": [new]})) == 0
    assert world.object_job(new, key).state is JobState.SUCCEEDED
    assert world.images_charged().images == 1


def test_an_older_event_that_comes_late_does_not_touch_the_newer_result(world):
    key = f"uploads/{A}/p.jpg"
    record = world.put(key)
    older = with_sequencer(json.loads(json.dumps(record)), "0055AED6DCD90281E4")
    assert run(world.send({"Records": [record]})) == 0
    written = world.s3.head_object(Bucket=world.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"]

    assert run(world.send({"Records": [older]})) == 0

    assert world.object_job(older, key).error.code == "superseded"
    assert world.object_job(record, key).state is JobState.SUCCEEDED
    assert world.report("p.jpg")["job_id"] == world.object_job(record, key).id
    assert world.s3.head_object(Bucket=world.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"] == written
    assert world.images_charged().images == 1


def test_an_object_put_again_is_worked_on_again(world):
    key = f"uploads/{A}/p.jpg"
    for sequencer in ("01", "02"):
        assert run(world.send({"Records": [with_sequencer(world.put(key), sequencer)]})) == 0

    assert world.images_charged().images == 2


def test_a_newer_object_waits_for_the_worker_on_the_older_one(world):
    key = f"uploads/{A}/p.jpg"
    source = JobSource(SourceKind.OBJECT, world.uploads, key, sequencer="01")
    holder = container().upload_intake._lease.acquire(source, 60)
    (message,) = world.send({"Records": [with_sequencer(world.put(key), "02")]})

    assert run([message]) == 1
    assert world.result_names() == []

    container().upload_intake._lease.release(source, holder)
    assert run([message]) == 0
    assert f"results/{A}/p.jpg/cutout.png" in world.result_names()


def test_an_object_that_is_overwritten_while_it_is_worked_on_keeps_both_in_order(world, segmenter, monkeypatch):
    key = f"uploads/{A}/p.jpg"
    first = with_sequencer(world.put(key), "01")
    later: list[dict[str, Any]] = []
    failures: list[int] = []

    def overwrite() -> None:
        if not later:
            later.append(with_sequencer(world.put(key, PHOTO + b"newer"), "02"))
            failures.append(run(world.send({"Records": later})))

    meddling = Meddling(segmenter, overwrite)
    monkeypatch.setattr(Container, "segmenter", meddling)

    assert run(world.send({"Records": [first]})) == 0
    assert failures == [1], "the newer object waits"
    assert world.report("p.jpg")["job_id"] == world.object_job(first, key).id

    assert run(world.send({"Records": later})) == 0
    assert world.report("p.jpg")["job_id"] == world.object_job(later[0], key).id
    assert world.images_charged().images == 2
