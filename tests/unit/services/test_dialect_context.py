"""One account's context and the open public, with jobs in memory, storage in moto, and a clock that is told to go."""

from datetime import UTC, datetime

import pytest
from moto import mock_aws

from cutout.errors import ImageTooLargeError, InvalidRequestError, JobEndedError, MissingImageError, NotFoundError
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError, JobOptions, JobSource, SourceKind
from cutout.services.dialect_context import PAUSE_S, DialectContext, PublicDialectContext
from cutout.usage import Admission, RateState
from tests.support.job_services import World, caller

JOB_ID = "job_" + "0a" * 16
UPLOAD_ID = "upl_" + "0" * 32


class Time:
    """Passes by sleeping only; whatever is planned for a moment happens in it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plan = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for moment in [moment for moment in self.plan if moment <= self.now]:
            self.plan.pop(moment)()


@pytest.fixture
def world():
    with mock_aws():
        yield World()


@pytest.fixture
def passing() -> Time:
    return Time()


@pytest.fixture
def context(world, passing) -> DialectContext:
    sleep, clock = passing.sleep, lambda: passing.now
    return DialectContext(
        Admission(caller(), RateState(1, 1, 1)),
        world.service,
        world.uploads,
        world.results.links,
        sleep=sleep,
        clock=clock,
    )


@pytest.fixture
def job(world) -> Job:
    source = JobSource(SourceKind.REQUEST, bucket="uploads", key=f"direct/acct_1/{JOB_ID}")
    made = Job.queued(JOB_ID, "acct_1", JobOptions(), source, datetime.now(UTC), dialect="other", notes={"seed": "1"})
    world.jobs.create(made)
    return made


def states(jobs) -> list[JobState]:
    return [job.state for job in jobs]


def test_a_job_is_watched_from_step_to_step_until_it_has_ended(world, context, passing, job):
    passing.plan = {
        1: lambda: world.jobs.start(JOB_ID, 60),
        3: lambda: world.jobs.fail(world.jobs.find(JOB_ID), JobError("invalid_image", "No image.")),
    }

    assert states(context.watch(JOB_ID, 60)) == [JobState.QUEUED, JobState.RUNNING, JobState.FAILED]
    assert passing.now == 3


def test_a_job_without_news_is_watched_for_the_time_given(context, passing, job):
    assert states(context.watch(JOB_ID, 2)) == [JobState.QUEUED]
    assert 2 <= passing.now < 2 + PAUSE_S


def test_no_time_is_one_look(context, passing, job):
    assert states(context.watch(JOB_ID, 0)) == [JobState.QUEUED]
    assert passing.now == 0


def test_an_ended_job_is_not_waited_for(world, context, passing, job):
    world.jobs.forget("acct_1", JOB_ID)

    assert states(context.watch(JOB_ID, 60)) == [JobState.CANCELLED]
    assert passing.now == 0


def test_an_open_job_is_cancelled_with_its_image(world, context, job):
    world.uploads.store(job.source.key, b"picture")

    assert context.cancel(JOB_ID).state is JobState.CANCELLED
    assert world.keys("uploads") == []


def test_a_job_that_has_ended_keeps_what_it_holds(world, context, job):
    failed = world.jobs.fail(world.jobs.start(JOB_ID, 60), JobError("invalid_image", "No image."))

    with pytest.raises(JobEndedError):
        context.cancel(JOB_ID)

    assert world.jobs.find(JOB_ID) == failed


@pytest.mark.parametrize("act", ["find", "cancel", "watch"])
def test_another_accounts_job_is_not_there(world, job, act):
    stranger = DialectContext(
        Admission(caller("acct_2"), RateState(1, 1, 1)), world.service, world.uploads, world.results.links
    )

    with pytest.raises(NotFoundError):
        next(stranger.watch(JOB_ID, 0)) if act == "watch" else getattr(stranger, act)(JOB_ID)

    assert world.jobs.find(JOB_ID) == job


def test_an_upload_lies_below_its_account(world, context):
    context.store_upload(UPLOAD_ID, b"picture")

    assert world.keys("uploads") == [f"direct/acct_1/{UPLOAD_ID}"]
    assert world.uploads.read("acct_1", UPLOAD_ID) == b"picture"


@pytest.mark.parametrize(
    ("upload_id", "image", "error"),
    [
        (UPLOAD_ID, b"", MissingImageError),
        (UPLOAD_ID, b"x" * 1_001, ImageTooLargeError),
        ("../acct_2/x", b"picture", InvalidRequestError),
    ],
)
def test_what_cannot_be_an_upload_is_not_kept(world, context, upload_id, image, error):
    with pytest.raises(error):
        context.store_upload(upload_id, image)

    assert world.keys("uploads") == []


def test_places_and_files_are_signed_for_one_object(world, context):
    public = PublicDialectContext(world.uploads, lambda: b"public")

    for url in (context.upload_url(UPLOAD_ID), public.file_url("acct_1", UPLOAD_ID)):
        assert f"/direct/acct_1/{UPLOAD_ID}?" in url
        assert "Signature=" in url
    with pytest.raises(InvalidRequestError):
        context.upload_url("x")
    with pytest.raises(InvalidRequestError):
        public.file_url("acct_1", "x")
    assert public.public_key() == b"public"
