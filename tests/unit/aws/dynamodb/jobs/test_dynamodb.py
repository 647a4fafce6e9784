"""What only the store on DynamoDB does, and can do wrong: charges, lost answers, tables that are away."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from cutout.aws.dynamodb import errors as retries
from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.errors import (
    JobBusyError,
    JobEndedError,
    ServiceUnavailableError,
)
from cutout.jobs.job import Job, JobState
from cutout.usage import Usage
from tests.unit.aws.dynamodb.jobs.made import ERROR, NOON, RESULT, Clock, charge, job, started


def test_success_is_charged_once(dynamo_store, usage, clock):
    running = started(dynamo_store, clock)

    dynamo_store.succeed(running, RESULT, charge(running))

    assert usage.total("acct_1", "2026-11") == Usage(1, 7_200, 100, 1_234)
    with pytest.raises(JobEndedError):
        dynamo_store.succeed(running, RESULT, charge(running))
    assert usage.total("acct_1", "2026-11").images == 1


def test_what_was_charged_before_is_not_charged_again_and_the_job_succeeds(dynamo_store, usage, clock):
    running = started(dynamo_store, clock)
    assert usage.record(charge(running))

    assert dynamo_store.succeed(running, RESULT, charge(running)).state is JobState.SUCCEEDED

    assert dynamo_store.find(running.id).result == RESULT
    assert usage.total("acct_1", "2026-11").images == 1


@pytest.mark.parametrize("recorded", [False, True], ids=["new charge", "charged before"])
def test_a_cancelled_job_is_not_charged(dynamo_store, usage, clock, recorded):
    running = started(dynamo_store, clock)
    if recorded:
        usage.record(charge(running))
    cancelled = dynamo_store.forget("acct_1", running.id)

    with pytest.raises(JobEndedError):
        dynamo_store.succeed(running, RESULT, charge(running))

    assert dynamo_store.find(running.id) == cancelled
    assert usage.total("acct_1", "2026-11").images == int(recorded)


def test_an_overtaken_attempt_is_not_charged(dynamo_store, usage, clock):
    running = started(dynamo_store, clock)
    clock.sleep(61)
    dynamo_store.start(running.id, 60)

    with pytest.raises(JobBusyError):
        dynamo_store.succeed(running, RESULT, charge(running))

    assert usage.total("acct_1", "2026-11").images == 0


class Line:
    """The line to DynamoDB, broken on demand: before a call is done, or after, when only its answer is lost."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._broken: list[str] = []
        self.failures = 0

    def lose_answers(self, times: int) -> None:
        """The next writes are done, but nobody hears of it."""
        self._broken = ["answer"] * times

    def lose_calls(self, times: int) -> None:
        """The next writes never come to DynamoDB."""
        self._broken = ["call"] * times

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._dynamodb, name)
        if name not in {"put_item", "update_item", "transact_write_items"}:
            return method

        def call(**arguments: Any) -> Any:
            broken = self._broken.pop(0) if self._broken else ""
            if broken != "call":
                try:
                    answer = method(**arguments)
                except ClientError:
                    if not broken:
                        raise
                    answer = None
            if broken:
                self.failures += 1
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
            return answer

        return call


@pytest.fixture
def line(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    return Line(dynamodb)


@pytest.fixture
def far_store(line: Line, tables: tuple[str, str], clock: Clock) -> DynamoJobStore:
    return DynamoJobStore(line, tables[0], tables[1], clock)  # type: ignore[arg-type]  # plays the client


CHANGES: dict[str, Callable[[DynamoJobStore, Job], Job]] = {
    "start": lambda store, job: store.start(job.id, 60),
    "release": lambda store, job: store.release(job, "fault"),
    "succeed": lambda store, job: store.succeed(job, RESULT, charge(job)),
    "succeed uncharged": lambda store, job: store.succeed(job, RESULT, None),
    "fail": lambda store, job: store.fail(job, ERROR),
    "supersede": lambda store, job: store.supersede(job),
    "forget": lambda store, job: store.forget("acct_1", job.id),
}


@pytest.mark.parametrize("losses", [("answers", 1), ("answers", 3), ("calls", 1), ("calls", 3)])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_whose_answer_is_lost_is_made_once_and_reported(far_store, usage, clock, change, losses):
    made = job(clock)
    far_store.create(made)
    before = made if change == "start" else far_store.start(made.id, 60)
    lost, times = losses
    line: Line = far_store._client
    getattr(line, f"lose_{lost}")(times)

    after = CHANGES[change](far_store, before)

    assert line.failures == times
    assert far_store.find(made.id) == after
    assert after.attempts == 1
    assert after.faults == (1 if change == "release" else 0)
    assert usage.total("acct_1", "2026-11").images == (1 if change == "succeed" else 0)


@pytest.mark.parametrize("lost", ["answers", "calls"])
def test_a_job_whose_making_was_not_heard_of_is_made(far_store, line, clock, lost):
    made = job(clock)
    getattr(line, f"lose_{lost}")(2)

    assert far_store.create(made)

    assert far_store.find(made.id) == made
    line.lose_answers(1)
    assert not far_store.create(replace(made, account_id="acct_2"))
    assert far_store.find(made.id) == made


def test_two_workers_that_begin_in_the_same_millisecond_are_told_apart(far_store, dynamo_store, line, clock):
    """Both compute the same job; the one whose call was lost must not take the other's write for its own."""
    made = job(clock)
    far_store.create(made)

    class Rival(Line):
        def __getattr__(self, name: str) -> Any:
            if name == "put_item":
                dynamo_store.start(made.id, 60)
            return super().__getattr__(name)

    far_store._client = Rival(line)
    with pytest.raises(JobBusyError):
        far_store.start(made.id, 60)


def test_a_table_that_stays_away_is_told_so(far_store, line, clock):
    running = started(far_store, clock)
    line.lose_calls(100)

    for change in ("release", "succeed", "fail", "forget"):
        with pytest.raises(ServiceUnavailableError):
            CHANGES[change](far_store, running)
    assert line.failures == 4 * retries.TRIES


@pytest.fixture
def cancelled_first(moto: Any) -> Iterator[Callable[[list[str]], Any]]:
    """A client whose first transactions are cancelled for these reasons, as under contention."""
    dynamodb = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    waiting: list[list[str]] = []

    def cancel(**_: object) -> None:
        if waiting:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": "m"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
                "CancellationReasons": [{"Code": code} for code in waiting.pop(0)],
            }
            raise dynamodb.exceptions.TransactionCanceledException(answer, "TransactWriteItems")

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", cancel)

    def make(*reasons: list[str]) -> Any:
        waiting.extend(reasons)
        return dynamodb

    return make


def test_a_counter_in_use_by_another_is_tried_again_on_any_counter(cancelled_first, tables, clock, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    conflict = ["None", "None", "TransactionConflict"]
    dynamodb = cancelled_first(conflict, conflict, ["ThrottlingError", "None", "None"])
    store = DynamoJobStore(dynamodb, *tables, clock)
    running = started(store, clock)

    assert store.succeed(running, RESULT, charge(running)).state is JobState.SUCCEEDED

    assert DynamoUsageStore(dynamodb, tables[1]).total("acct_1", "2026-11").images == 1


def test_a_missing_right_is_our_fault_and_passes_as_it_is(cancelled_first, tables, clock):
    store = DynamoJobStore(cancelled_first(["None", "None", "AccessDenied"]), *tables, clock)
    running = started(store, clock)

    with pytest.raises(ClientError):
        store.succeed(running, RESULT, charge(running))
    assert store.find(running.id) == running


def test_the_item_says_what_the_index_and_the_expiry_need(dynamodb, dynamo_store, tables, clock):
    made = job(clock)
    dynamo_store.create(made)

    (item,) = dynamodb.scan(TableName=tables[0])["Items"]

    assert item["pk"] == {"S": made.id}
    assert item["created"] == {"S": f"2026-11-20T12:00:00.123+00:00#{made.id}"}
    assert item["expires_at"] == {"N": str(int(NOON.timestamp()) + 24 * 3600)}
    assert {"account_id", "state", "attempts", "faults"} <= item.keys()
