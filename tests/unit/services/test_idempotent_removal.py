"""Requests that are done once: what the second gets, after success, refusal, fault, crash, deletion, and in a race."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from cutout.aws.s3.bucket import Bucket
from cutout.errors import (
    GoneError,
    IdempotencyMismatchError,
    InvalidImageError,
    JobBusyError,
    JobEndedError,
    ProcessingFailedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.services.idempotent_removal import IdempotentRemoval, Made
from cutout.usage import Charge, Usage
from tests.support.job_services import World, allowed, caller, refused

NOW = datetime.now(UTC)
MADE = CutoutResult("image/png", 2, 1, 4, 2, "m", {"decode": 1.0}, file=b"cutout")
JOB = Job.queued("job_1", "acct_1", JobOptions(), JobSource(SourceKind.REQUEST), NOW, request_fingerprint="f")
CHARGE = Charge("job_1", "acct_1", Usage(1, 8, 3, 6), NOW)


class Work:
    """Work that counts how often it was done, and may do something else in the middle."""

    def __init__(self, error: Exception | None = None, between=lambda: None) -> None:
        self.times = 0
        self._error = error
        self._between = between

    def __call__(self):
        self.times += 1
        self._between()
        if self._error:
            raise self._error
        return MADE, CHARGE


@pytest.fixture
def world():
    with mock_aws():
        yield World()


@pytest.fixture
def once(world):
    def run(job, work, quota, results=None):
        service = IdempotentRemoval(world.service, world.jobs, results or world.results, lambda *_: quota())
        return service.run(job, caller(), lambda _: Made(*work()), 29)

    return run


def never():
    raise AssertionError("the work was done twice")


def test_the_second_request_gets_the_first_one_s_result(world, once):
    assert once(JOB, Work(), allowed) == (MADE, False)
    assert once(JOB, never, refused) == (MADE, True)
    job = world.jobs.find("job_1")
    assert (job.state, job.attempts, job.result.bytes) == (JobState.SUCCEEDED, 1, 6)
    assert world.jobs.charges == {"job_1": CHARGE}
    assert world.keys("results") == ["results/acct_1/job_1/cutout.png"]


def test_a_first_request_is_created_and_begun_in_one_write(world, once, monkeypatch):
    monkeypatch.setattr(world.jobs, "start", never)
    begun: list[Job] = []
    assert once(JOB, Work(between=lambda: begun.append(world.jobs.find("job_1"))), allowed) == (MADE, False)
    assert (begun[0].state, begun[0].attempts) == (JobState.RUNNING, 1)
    assert 25 < (begun[0].lease_until - begun[0].started_at).total_seconds() <= 30


def test_one_whose_job_another_creates_in_between_is_told_to_wait(world, once):
    def created_meanwhile() -> None:
        world.jobs.create(JOB)
        world.jobs.start("job_1", 30)

    with pytest.raises(JobBusyError):
        once(JOB, never, created_meanwhile)


def test_the_second_request_gets_the_first_one_s_refusal(world, once):
    work = Work(InvalidImageError("Broken.", {"format": "png"}))
    for attempt in (work, never):
        with pytest.raises(InvalidImageError, match="Broken") as caught:
            once(JOB, attempt, allowed)
        assert caught.value.details == {"format": "png"}
    assert (work.times, world.jobs.charges, world.keys("results")) == (1, {}, [])


@pytest.mark.parametrize("fault", [ServiceUnavailableError("away"), RuntimeError("secret")])
def test_a_fault_of_ours_is_not_kept(world, once, fault):
    with pytest.raises(type(fault)):
        once(JOB, Work(fault), allowed)
    job = world.jobs.find("job_1")
    assert (job.state, job.lease_until) == (JobState.RUNNING, None)
    assert once(JOB, Work(), allowed) == (MADE, False)
    assert world.jobs.charges == {"job_1": CHARGE}


def test_a_result_that_could_not_be_stored_is_not_given_out_and_made_anew(world, once):
    nowhere = type(world.results)(Bucket(lambda: world.s3, "nowhere", 9), 0)
    with pytest.raises(ServiceUnavailableError):
        once(JOB, Work(), allowed, nowhere)
    assert world.jobs.charges == {}
    assert once(JOB, Work(), allowed) == (MADE, False)


def test_of_two_at_once_one_works_and_the_other_is_told_to_wait(world, once):
    def meanwhile() -> None:
        with pytest.raises(JobBusyError) as caught:
            once(JOB, never, allowed)
        assert caught.value.details == {"retry_after_s": 1}

    assert once(JOB, Work(between=meanwhile), allowed) == (MADE, False)
    assert once(JOB, never, allowed) == (MADE, True)


def test_one_that_was_killed_is_done_anew_when_its_time_is_over(world, once):
    world.jobs.create(JOB)
    world.jobs.start("job_1", 30)
    with pytest.raises(JobBusyError):
        once(JOB, never, allowed)
    world.jobs.jobs["job_1"] = replace(world.jobs.find("job_1"), lease_until=NOW - timedelta(seconds=1))
    assert once(JOB, Work(), allowed) == (MADE, False)
    assert world.jobs.find("job_1").attempts == 2


def test_an_image_that_kills_every_attempt_is_given_up(world, once):
    world.jobs.create(JOB)
    for _ in range(3):
        world.jobs.start("job_1", 0)
    for _ in range(2):
        with pytest.raises(ProcessingFailedError):
            once(JOB, never, allowed)


def test_a_slow_attempt_that_was_overtaken_neither_answers_nor_charges(world, once):
    def overtake() -> None:
        world.jobs.jobs["job_1"] = replace(world.jobs.find("job_1"), lease_until=None)
        world.jobs.start("job_1", 30)

    with pytest.raises(JobBusyError):
        once(JOB, Work(between=overtake), allowed)
    assert (world.jobs.find("job_1").state, world.jobs.charges) == (JobState.RUNNING, {})


def test_a_slow_attempt_whose_job_a_quicker_one_has_ended_answers_with_that_ones_result(world, once):
    def overtake() -> None:
        world.jobs.jobs["job_1"] = replace(world.jobs.find("job_1"), lease_until=None)
        assert once(JOB, Work(), allowed) == (MADE, False)

    assert once(JOB, Work(between=overtake), allowed) == (MADE, False)
    assert once(JOB, never, refused) == (MADE, True)
    assert world.jobs.charges == {"job_1": CHARGE}


def test_a_slow_attempt_whose_job_a_quicker_one_has_failed_answers_so_and_leaves_nothing(world, once):
    def overtake() -> None:
        world.jobs.jobs["job_1"] = replace(world.jobs.find("job_1"), lease_until=None)
        with pytest.raises(InvalidImageError):
            once(JOB, Work(InvalidImageError("Broken.")), allowed)

    with pytest.raises(InvalidImageError, match="Broken"):
        once(JOB, Work(between=overtake), allowed)
    assert (world.keys("results"), world.jobs.charges) == ([], {})


def test_one_that_is_deleted_while_it_is_done_leaves_nothing(world, once):
    with pytest.raises(JobEndedError):
        once(JOB, Work(between=lambda: world.service.delete("acct_1", "job_1")), allowed)
    assert (world.keys("results"), world.jobs.charges) == ([], {})
    with pytest.raises(GoneError, match="deleted"):
        once(JOB, never, allowed)


@pytest.mark.parametrize("work", [Work(), Work(InvalidImageError("Broken."))])
def test_what_was_deleted_afterwards_is_gone_and_not_made_again(world, once, work):
    with suppress(InvalidImageError):
        once(JOB, work, allowed)
    world.service.delete("acct_1", "job_1")
    with pytest.raises(GoneError):
        once(JOB, never, allowed)


def test_a_result_that_storage_has_lost_is_gone(world, once):
    once(JOB, Work(), allowed)
    world.s3.delete_object(Bucket="results", Key="results/acct_1/job_1/cutout.png")
    with pytest.raises(GoneError, match="24 hours"):
        once(JOB, never, allowed)


def test_after_a_day_the_key_is_free_again(world, once):
    old = replace(JOB, expires_at=NOW - timedelta(seconds=1))
    world.jobs.jobs["job_1"] = replace(old, state=JobState.SUCCEEDED)
    assert once(JOB, Work(), allowed) == (MADE, False)


def test_a_quota_that_is_used_up_is_not_kept_under_the_key(world, once):
    with pytest.raises(QuotaExceededError):
        once(JOB, never, refused)
    assert once(JOB, Work(), allowed) == (MADE, False)


@pytest.mark.parametrize("other", [replace(JOB, request_fingerprint="g"), replace(JOB, account_id="acct_2")])
def test_another_request_under_the_same_key_is_refused(world, once, other):
    once(JOB, Work(), allowed)
    with pytest.raises(IdempotencyMismatchError):
        once(other, never, allowed)
