"""From the making of a job to its end: what every store does, and what none does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cutout.accounts import KeyMode
from cutout.errors import (
    JobBusyError,
    JobEndedError,
    NotFoundError,
)
from cutout.imaging.spec import CutoutSpec, ImageFormat
from cutout.jobs.ids import new_job_id
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import PROCESSING_FAILED, SUPERSEDED, JobOptions, JobSource, SourceKind
from tests.unit.aws.dynamodb.jobs.made import ERROR, NOON, RESULT, charge, job


def test_a_job_comes_back_as_it_was_made(store, clock):
    options = JobOptions(CutoutSpec(format=ImageFormat.WEBP, bg_color=(1, 2, 3, 4), crop=True), mask=True)
    source = JobSource(SourceKind.OBJECT, "bucket", "uploads/acct_1/ünï code.jpg", "v1", '"etag"', "0055", "")
    made = Job.queued(
        new_job_id(),
        "acct_1",
        options,
        source,
        NOON,
        charged_mode=KeyMode.SYNTHETIC,
        webhook_url="https://hook.example/x?y=z",
        request_fingerprint="f" * 64,
    )

    assert store.create(made)

    assert store.find(made.id) == made
    assert made.created_at == NOON.replace(microsecond=123_000)
    assert made.expires_at == NOON.replace(microsecond=0) + timedelta(hours=24)


def test_a_job_is_made_once(store, queued, clock):
    assert not store.create(replace(queued, account_id="acct_2"))

    assert store.find(queued.id) == queued


def test_an_unknown_job_is_not_there(store, queued):
    stranger = replace(queued, id=new_job_id())

    assert store.find(stranger.id) is None
    for call in (
        lambda: store.start(stranger.id, 60),
        lambda: store.release(stranger, "x"),
        lambda: store.succeed(stranger, RESULT, charge(stranger)),
        lambda: store.fail(stranger, ERROR),
        lambda: store.supersede(stranger),
        lambda: store.forget("acct_1", stranger.id),
        lambda: store.note_webhook_queued(stranger.id),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert store.find(stranger.id) is None


def test_after_a_day_a_job_is_gone_and_its_id_is_free(store, queued, clock):
    clock.sleep(24 * 3600 - 1)
    assert store.find(queued.id) == queued
    clock.sleep(1)

    assert store.find(queued.id) is None
    assert store.page("acct_1", 10).jobs == ()
    with pytest.raises(NotFoundError):
        store.start(queued.id, 60)
    again = replace(job(clock), id=queued.id)
    assert store.create(again)
    assert store.find(queued.id) == again


def test_a_job_runs_and_succeeds(store, queued, clock):
    clock.sleep(2)
    running = store.start(queued.id, 60)
    assert store.find(queued.id) == running
    assert (running.state, running.attempts, running.faults) == (JobState.RUNNING, 1, 0)
    assert running.started_at == NOON.replace(microsecond=123_000) + timedelta(seconds=2)
    assert running.lease_until == running.started_at + timedelta(seconds=60)

    clock.sleep(3)
    done = store.succeed(running, RESULT, charge(running))

    assert store.find(queued.id) == done
    assert (done.state, done.result, done.error, done.lease_until) == (JobState.SUCCEEDED, RESULT, None, None)
    assert done.finished_at == running.started_at + timedelta(seconds=3)


def test_a_job_that_runs_cannot_be_started_until_its_lease_is_over(store, queued, clock):
    store.start(queued.id, 60)
    clock.sleep(58)
    with pytest.raises(JobBusyError) as busy:
        store.start(queued.id, 60)
    assert busy.value.details == {"retry_after_s": 2}
    assert store.find(queued.id).attempts == 1

    clock.sleep(2)
    assert store.start(queued.id, 60).attempts == 2


def test_an_attempt_whose_lease_was_taken_over_can_end_nothing(store, queued, clock):
    first = store.start(queued.id, 60)
    clock.sleep(61)
    second = store.start(queued.id, 60)

    for call in (
        lambda: store.succeed(first, RESULT, charge(first)),
        lambda: store.fail(first, ERROR),
        lambda: store.release(first, "x"),
        lambda: store.supersede(first),
    ):
        with pytest.raises(JobBusyError):
            call()
    assert store.find(queued.id) == second
    assert store.succeed(second, RESULT, None).state is JobState.SUCCEEDED


def test_a_fault_of_ours_lets_the_next_attempt_begin_at_once(store, queued):
    released = store.release(store.start(queued.id, 60), "S3 is away")

    assert store.find(queued.id) == released
    assert (released.state, released.faults, released.fault) == (JobState.RUNNING, 1, "S3 is away")
    assert store.start(queued.id, 60).attempts == 2


def test_faults_of_ours_never_make_a_job_fail(store, queued):
    for number in range(8):
        released = store.release(store.start(queued.id, 60), f"fault {number}")
    assert (released.attempts, released.faults) == (8, 8)

    assert store.start(queued.id, 60).state is JobState.RUNNING


def test_a_job_that_kills_its_worker_fails_at_the_fourth_start(store, queued, clock):
    for _ in range(2):
        store.start(queued.id, 60)
        clock.sleep(61)
    store.release(store.start(queued.id, 60), "a fault of ours, which blames no image")
    assert store.start(queued.id, 60).attempts == 4
    clock.sleep(61)

    failed = store.start(queued.id, 60)

    assert store.find(queued.id) == failed
    assert (failed.state, failed.error) == (JobState.FAILED, PROCESSING_FAILED)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (lambda store, job: store.succeed(job, RESULT, charge(job)), (JobState.SUCCEEDED, None)),
        (lambda store, job: store.fail(job, ERROR), (JobState.FAILED, ERROR)),
        (lambda store, job: store.supersede(job), (JobState.CANCELLED, SUPERSEDED)),
        (lambda store, job: store.forget("acct_1", job.id), (JobState.CANCELLED, None)),
    ],
    ids=["succeed", "fail", "supersede", "forget"],
)
def test_a_final_state_never_changes(store, queued, clock, end, outcome):
    running = store.start(queued.id, 60)
    ended = end(store, running)
    assert (ended.state, ended.error) == outcome
    assert ended.finished_at == running.started_at
    clock.sleep(61)

    for call in (
        lambda: store.start(queued.id, 60),
        lambda: store.succeed(running, replace(RESULT, width=1), None),
        lambda: store.fail(running, ERROR),
        lambda: store.release(running, "x"),
        lambda: store.supersede(running),
    ):
        with pytest.raises(JobEndedError):
            call()
    assert store.find(queued.id) == ended


def test_a_job_can_end_without_having_been_started(store, queued):
    assert store.fail(queued, ERROR).state is JobState.FAILED
    assert store.find(queued.id).attempts == 0


def test_a_forgotten_job_keeps_nothing_of_its_owners(store, clock):
    made = job(clock, webhook_url="https://hook.example", request_fingerprint="f")
    store.create(made)
    store.succeed(store.start(made.id, 60), RESULT, None)
    clock.sleep(5)

    forgotten = store.forget("acct_1", made.id)

    assert store.find(made.id) == forgotten
    assert (forgotten.state, forgotten.deleted_at) == (JobState.SUCCEEDED, clock().replace(microsecond=123_000))
    assert (forgotten.result, forgotten.webhook_url, forgotten.source.url) == (None, None, "")
    assert not forgotten.owes_webhook
    clock.sleep(5)
    assert store.forget("acct_1", made.id) == forgotten


def test_another_accounts_job_cannot_be_forgotten(store, queued):
    with pytest.raises(NotFoundError):
        store.forget("acct_2", queued.id)

    assert store.find(queued.id) == queued


def test_a_webhook_is_owed_once_the_job_has_ended_and_until_it_is_queued(store, clock):
    made = job(clock, webhook_url="https://hook.example")
    store.create(made)
    running = store.start(made.id, 60)
    assert not running.owes_webhook
    assert store.fail(running, ERROR).owes_webhook

    store.note_webhook_queued(made.id)

    noted = store.find(made.id)
    assert (noted.webhook_queued, noted.owes_webhook, noted.state) == (True, False, JobState.FAILED)
