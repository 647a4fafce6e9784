"""What only the values tell; every store's rules are in tests/unit/aws/job_store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.errors import InvalidImageError, JobBusyError, JobEndedError
from cutout.jobs.job import MAX_CRASHES, Job, JobState, to_milliseconds
from cutout.jobs.parts import PROCESSING_FAILED, JobError, JobOptions, JobResult, JobSource, SourceKind

NOON = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
RESULT = JobResult("image/png", 1, 1, 1, 1, "m", {}, key="k", bytes=1)
ORDER = [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]


def job(source: JobSource | None = None) -> Job:
    return Job.queued("job_1", "acct_1", JobOptions(), source or JobSource(SourceKind.UPLOAD), NOON)


def test_times_are_whole_milliseconds():
    assert job().created_at == NOON.replace(microsecond=999_000)
    assert job().started(NOON, 1.0005).lease_until == to_milliseconds(NOON + timedelta(seconds=1.0005))


def test_results_lie_where_people_can_foresee_them():
    assert job(JobSource(SourceKind.OBJECT, "b", "uploads/acct_1/a/b c.jpg")).folder == "a/b c.jpg"
    assert job(JobSource(SourceKind.UPLOAD, "b", "uploads/acct_1/job_1/image")).folder == "job_1"
    assert job(JobSource(SourceKind.URL)).folder == "job_1"


def test_an_error_is_told_in_its_own_words():
    assert JobError.of(InvalidImageError("No.", {"a": 1})) == JobError("invalid_image", "No.", {"a": 1})


def test_crashes_and_our_faults_are_counted_apart():
    now, moved = NOON, job()
    for crash in range(MAX_CRASHES):
        for _ in range(5):
            moved = moved.started(now, 10).released("ours")
        moved = moved.started(now, 10)
        now += timedelta(seconds=11)
        assert moved.attempts - moved.faults == crash + 1

    moved = moved.started(now, 10)

    assert (moved.state, moved.error) == (JobState.FAILED, PROCESSING_FAILED)


STEPS: dict[str, Any] = {
    "start": lambda job, now: job.started(now, 10),
    "release": lambda job, now: job.released("fault"),
    "succeed": lambda job, now: job.succeeded(now, RESULT),
    "fail": lambda job, now: job.failed(now, PROCESSING_FAILED),
    "cancel": lambda job, now: job.cancelled(now),
    "forget": lambda job, now: job.forgotten(now),
    "wait": lambda job, now: job,
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_whatever_happens_a_job_moves_forward_only(steps: list[str]) -> None:
    moved, now = job(), NOON
    for step in steps:
        before = moved
        now += timedelta(seconds=6)
        try:
            moved = STEPS[step](moved, now)
        except JobEndedError:
            assert before.state.is_final
        except JobBusyError:
            assert step == "start"
            assert before.lease_until is not None
            assert now < before.lease_until
        if before.state.is_final:
            assert moved.state is before.state
        else:
            assert moved.state.is_final or ORDER.index(moved.state) >= ORDER.index(before.state)
        assert (moved.attempts, moved.faults) >= (before.attempts, before.faults)
        assert (moved.finished_at is not None) == moved.state.is_final
        assert moved.lease_until is None or moved.state is JobState.RUNNING


def test_a_busy_job_says_how_long_it_may_be() -> None:
    running = job().started(NOON, 10)

    for passed_s, wait_s in ((0, 10), (7, 3), (9.9, 1)):
        with pytest.raises(JobBusyError) as busy:
            running.started(NOON + timedelta(seconds=passed_s), 10)
        assert busy.value.details == {"retry_after_s": wait_s}


@pytest.mark.parametrize("state", JobState)
def test_three_states_are_final(state):
    assert state.is_final == (state in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
