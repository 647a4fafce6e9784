"""Objects that are put again, and events that come late: the newest has the last word."""

import json
from typing import Any

from cutout.container import Container, container
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobSource, SourceKind
from tests.functions.process_upload.upload_desk import (
    PHOTO,
    A,
    Meddling,
    run,
    with_sequencer,
)


def test_the_event_of_an_object_that_was_overwritten_changes_nothing(desk):
    key = f"uploads/{A}/p.jpg"
    old = with_sequencer(desk.put(key, Metadata={"format": "jpg"}), "0055")
    new = with_sequencer(desk.put(key, PHOTO + b"newer"), "005501")

    assert run(desk.send({"Records": [old]})) == 0
    assert desk.result_names() == []
    assert desk.object_job(old, key).state is JobState.CANCELLED
    assert desk.object_job(old, key).error.code == "superseded"

    assert run(desk.send({"Records": [new]})) == 0
    assert desk.object_job(new, key).state is JobState.SUCCEEDED
    assert desk.images_charged().images == 1


def test_an_older_event_that_comes_late_does_not_touch_the_newer_result(desk):
    key = f"uploads/{A}/p.jpg"
    record = desk.put(key)
    older = with_sequencer(json.loads(json.dumps(record)), "0055AED6DCD90281E4")
    assert run(desk.send({"Records": [record]})) == 0
    written = desk.s3.head_object(Bucket=desk.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"]

    assert run(desk.send({"Records": [older]})) == 0

    assert desk.object_job(older, key).error.code == "superseded"
    assert desk.object_job(record, key).state is JobState.SUCCEEDED
    assert desk.report("p.jpg")["job_id"] == desk.object_job(record, key).id
    assert desk.s3.head_object(Bucket=desk.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"] == written
    assert desk.images_charged().images == 1


def test_an_object_put_again_is_worked_on_again(desk):
    key = f"uploads/{A}/p.jpg"
    for sequencer in ("01", "02"):
        assert run(desk.send({"Records": [with_sequencer(desk.put(key), sequencer)]})) == 0

    assert desk.images_charged().images == 2


def test_a_newer_object_waits_for_the_worker_on_the_older_one(desk):
    key = f"uploads/{A}/p.jpg"
    source = JobSource(SourceKind.OBJECT, desk.uploads, key, sequencer="01")
    holder = container().upload_intake._lease.acquire(source, 60)
    (message,) = desk.send({"Records": [with_sequencer(desk.put(key), "02")]})

    assert run([message]) == 1
    assert desk.result_names() == []

    container().upload_intake._lease.release(source, holder)
    assert run([message]) == 0
    assert f"results/{A}/p.jpg/cutout.png" in desk.result_names()


def test_an_object_that_is_overwritten_while_it_is_worked_on_keeps_both_in_order(desk, segmenter, monkeypatch):
    key = f"uploads/{A}/p.jpg"
    first = with_sequencer(desk.put(key), "01")
    later: list[dict[str, Any]] = []
    failures: list[int] = []

    def overwrite() -> None:
        if not later:
            later.append(with_sequencer(desk.put(key, PHOTO + b"newer"), "02"))
            failures.append(run(desk.send({"Records": later})))

    meddling = Meddling(segmenter, overwrite)
    monkeypatch.setattr(Container, "segmenter", meddling)

    assert run(desk.send({"Records": [first]})) == 0
    assert failures == [1], "the newer object waits"
    assert desk.report("p.jpg")["job_id"] == desk.object_job(first, key).id

    assert run(desk.send({"Records": later})) == 0
    assert desk.report("p.jpg")["job_id"] == desk.object_job(later[0], key).id
    assert desk.images_charged().images == 2
