"""Jobs that were ordered before their image came, the accounts that pay for them, and jobs that are dropped."""

from datetime import UTC, datetime

import pytest

from cutout.accounts import KeyMode
from cutout.container import Container, container
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat
from cutout.jobs.ids import new_job_id, object_job_id
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.usage import Usage
from tests.functions.process_upload.upload_world import (
    PHOTO,
    A,
    Meddling,
    make_account,
    picture,
    queued,
    run,
    upload_job,
    with_sequencer,
)


def test_a_job_is_begun_by_its_upload_with_its_own_options(world):
    options = JobOptions(CutoutSpec(format=ImageFormat.JPEG, channels=Channels.RGBA), mask=True)
    job, key = upload_job(world, options=options)

    assert run(world.send({"Records": [world.put(key, Metadata={"format": "webp"})]})) == 0

    done = world.jobs.find(job.id)
    assert done.state is JobState.SUCCEEDED
    assert done.result.key == f"results/{A}/{job.id}/cutout.jpg"
    assert done.result.mask_key == f"results/{A}/{job.id}/mask.png"
    assert picture(world.result(done.result.key)).format == "JPEG"
    assert picture(world.result(done.result.mask_key)).mode == "L"
    assert done.result.bytes == len(world.result(done.result.key))


def test_a_second_upload_to_a_job_that_has_ended_changes_nothing(world):
    job, key = upload_job(world)
    assert run(world.send({"Records": [world.put(key)]})) == 0
    done = world.jobs.find(job.id)

    assert run(world.send({"Records": [with_sequencer(world.put(key, b"other"), "FF")]})) == 0

    assert world.jobs.find(job.id) == done
    assert world.images_charged().images == 1


def test_an_upload_below_another_accounts_job_is_an_object_of_its_own(world):
    job, key = upload_job(world, account_id="acct_9")
    record = world.put(key)

    assert run(world.send({"Records": [record]})) == 0

    assert world.jobs.find(job.id).state is JobState.QUEUED
    assert world.object_job(record, key).account_id == A


def test_a_job_with_a_url_is_fetched_when_its_message_comes(world, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    container.cache_clear()
    (file_server.folder / "cat.jpg").write_bytes(PHOTO)
    good = queued(world, JobSource(SourceKind.URL, url=f"{file_server.url}/cat.jpg"))
    bad = queued(world, JobSource(SourceKind.URL, url=f"{file_server.url}/nothing.jpg"))
    private = queued(world, JobSource(SourceKind.URL, url="http://10.0.0.1/cat.jpg"))

    assert run(world.send(*({"job_id": job.id} for job in (good, bad, private)))) == 0

    assert world.jobs.find(good.id).state is JobState.SUCCEEDED
    for job in (bad, private):
        assert world.jobs.find(job.id).error.code == "image_url_fetch_failed"
    assert world.images_charged().images == 1


def test_a_body_that_was_put_aside_is_worked_on_when_its_message_comes(world):
    world.put(f"direct/{A}/body")
    job = queued(world, JobSource(SourceKind.REQUEST, world.uploads, f"direct/{A}/body"))

    assert run(world.send({"job_id": job.id})) == 0

    assert world.jobs.find(job.id).state is JobState.SUCCEEDED


def test_a_synthetic_job_is_not_charged(world):
    job, key = upload_job(world, charged_mode=KeyMode.SYNTHETIC)

    assert run(world.send({"Records": [world.put(key)]})) == 0

    assert world.jobs.find(job.id).state is JobState.SUCCEEDED
    assert world.images_charged() == Usage()


@pytest.mark.parametrize("account", ["nobody", "ACCT_LOCAL", ".."])
def test_an_object_of_an_unknown_account_is_left_alone(world, account):
    record = world.put(f"uploads/{account}/p.jpg")

    assert run(world.send({"Records": [record]})) == 0

    assert world.result_names() == []
    assert world.jobs.find(object_job_id(world.uploads, f"uploads/{account}/p.jpg", "0055AED6DCD90281E5")) is None


def test_a_suspended_accounts_job_fails_and_says_why(world):
    account = make_account(subscription_status="suspended")
    record = world.put(f"uploads/{account.id}/p.jpg")

    assert run(world.send({"Records": [record]})) == 0

    job = world.object_job(record, f"uploads/{account.id}/p.jpg")
    assert (job.state, job.error.code) == (JobState.FAILED, "account_suspended")


def test_a_job_above_the_quota_fails_and_says_why(world):
    account = make_account(monthly_quota=1)
    records = [world.put(f"uploads/{account.id}/{number}.jpg") for number in range(2)]

    assert run(world.send({"Records": records})) == 0

    states = [world.object_job(record, f"uploads/{account.id}/{number}.jpg") for number, record in enumerate(records)]
    assert [job.state for job in states] == [JobState.SUCCEEDED, JobState.FAILED]
    assert states[1].error.code == "quota_exceeded"


def test_images_are_kept_for_training_only_where_the_account_has_opted_in(world):
    account = make_account(training_opt_in=True)
    records = [world.put(f"uploads/{account.id}/p.jpg"), world.put(f"uploads/{A}/p.jpg")]
    records.append(world.put(f"uploads/{account.id}/broken.jpg", b"not an image"))

    assert run(world.send({"Records": records})) == 0

    job = world.object_job(records[0], f"uploads/{account.id}/p.jpg")
    assert world.upload_names("retained/") == [f"retained/{account.id}/{job.id}"]
    kept = world.s3.get_object(Bucket=world.uploads, Key=f"retained/{account.id}/{job.id}")["Body"].read()
    assert kept == PHOTO


def test_a_job_that_is_dropped_while_it_runs_leaves_nothing_and_costs_nothing(world, segmenter, monkeypatch):
    account = make_account(training_opt_in=True)
    job_id = new_job_id()
    key = f"uploads/{account.id}/{job_id}/image"
    queued(world, JobSource(SourceKind.UPLOAD, world.uploads, key), id=job_id, account_id=account.id)
    meddling = Meddling(segmenter, lambda: world.jobs.forget(account.id, job_id))
    monkeypatch.setattr(Container, "segmenter", meddling)

    assert run(world.send({"Records": [world.put(key)]})) == 0

    assert world.jobs.find(job_id).state is JobState.CANCELLED
    assert world.result_names() == []
    assert world.upload_names("") == []
    assert container().usage.total(account.id, datetime.now(UTC).strftime("%Y-%m")) == Usage()


def test_an_upload_to_a_job_that_was_dropped_is_removed(world):
    job, key = upload_job(world)
    world.jobs.forget(A, job.id)

    assert run(world.send({"Records": [world.put(key)]})) == 0

    assert world.upload_names("") == []
    assert world.result_names() == []
