"""The same rules for the store on DynamoDB, twice, and for the one in memory; then what only DynamoDB can do wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from cutout.accounts import KeyMode
from cutout.aws import job_listing, retries
from cutout.aws.job_store import DynamoJobStore
from cutout.aws.usage_store import DynamoUsageStore
from cutout.errors import (
    InvalidOptionError,
    JobBusyError,
    JobEndedError,
    NotFoundError,
    ServiceUnavailableError,
)
from cutout.imaging.spec import CutoutSpec, ImageFormat
from cutout.job_ids import new_job_id
from cutout.job_parts import PROCESSING_FAILED, SUPERSEDED, JobError, JobOptions, JobResult, JobSource, SourceKind
from cutout.jobs import Job, JobState
from cutout.metering import Charge, Usage
from local.resources import Template
from tests.dynalite_server import IMPLEMENTATIONS
from tests.job_stores import MemoryJobStore

NOON = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)
RESULT = JobResult("results/a/j/cutout.png", "image/png", 8, 9, 80, 90, 1_234, "cutout-s", {"decode": 1.5}, "m.png")
ERROR = JobError("invalid_image", "No image.", {"format": "png"})

Store = DynamoJobStore | MemoryJobStore


class Clock:
    """A moment that moves when told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tables(template: Template) -> tuple[str, str]:
    return template.tables["JobsTable"].name, template.tables["AccountsTable"].name


@pytest.fixture(params=["memory", *IMPLEMENTATIONS])
def store(request: pytest.FixtureRequest, tables: tuple[str, str], clock: Clock) -> Store:
    if request.param == "memory":
        return MemoryJobStore(clock)
    return DynamoJobStore(request.getfixturevalue(request.param), *tables, clock)


def job(clock: Clock, **changes: Any) -> Job:
    made = Job.queued(new_job_id(), "acct_1", JobOptions(), JobSource(SourceKind.URL, url="https://a.example"), clock())
    return replace(made, **changes)


def charge(of: Job) -> Charge:
    return Charge(of.id, of.account_id, Usage(1, 7_200, 100, 1_234), NOON)


@pytest.fixture
def queued(store: Store, clock: Clock) -> Job:
    made = job(clock)
    assert store.create(made)
    return made


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
        fingerprint="f" * 64,
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
    made = job(clock, webhook_url="https://hook.example", fingerprint="f")
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


def test_an_account_sees_its_own_jobs_newest_first_in_pages(store, clock):
    made = []
    for number in range(7):
        clock.sleep(0 if number == 3 else 1)  # two are of the same millisecond
        made.append(job(clock))
        store.create(made[-1])
        store.create(job(clock, account_id="acct_2"))

    pages = []
    cursor = None
    while True:
        page = store.page("acct_1", 3, cursor)
        pages.append(page.jobs)
        cursor = page.cursor
        if cursor is None:
            break

    assert [len(page) for page in pages] == [3, 3, 1]
    listed = [one for page in pages for one in page]
    assert {one.id for one in listed} == {one.id for one in made}
    assert [one.created_at for one in listed] == sorted((one.created_at for one in made), reverse=True)
    assert listed[0] == made[-1]
    assert store.page("acct_3", 10).jobs == ()


def test_jobs_can_be_listed_by_state(store, clock):
    for number in range(6):
        clock.sleep(1)
        made = job(clock)
        store.create(made)
        if number % 2:
            store.start(made.id, 60)

    running = store.page("acct_1", 2, state=JobState.RUNNING)
    rest = store.page("acct_1", 2, running.cursor, JobState.RUNNING)

    assert [one.state for one in (*running.jobs, *rest.jobs)] == [JobState.RUNNING] * 3
    assert store.page("acct_1", 10, state=JobState.SUCCEEDED).jobs == ()


def test_rare_jobs_are_found_by_going_on_though_pages_may_be_short(dynamo_store, clock, monkeypatch):
    monkeypatch.setattr(job_listing, "QUERY_ITEMS", 2)
    monkeypatch.setattr(job_listing, "MAX_QUERIES", 2)
    rare = job(clock)
    dynamo_store.create(rare)
    dynamo_store.start(rare.id, 60)
    for _ in range(9):
        clock.sleep(1)
        dynamo_store.create(job(clock))

    pages = [dynamo_store.page("acct_1", 3, state=JobState.RUNNING)]
    while pages[-1].cursor:
        pages.append(dynamo_store.page("acct_1", 3, pages[-1].cursor, JobState.RUNNING))

    assert [[one.id for one in page.jobs] for page in pages] == [[], [], [rare.id]]


def test_a_cursor_of_another_account_shows_nothing_of_it(dynamo_store, clock):
    for account in ("acct_1", "acct_2"):
        for _ in range(3):
            clock.sleep(1)
            dynamo_store.create(job(clock, account_id=account))
    cursor = dynamo_store.page("acct_2", 1).cursor

    assert {one.account_id for one in dynamo_store.page("acct_1", 10, cursor).jobs} == {"acct_1"}


@pytest.mark.parametrize("cursor", ["?", "abc", "####", "Zm9v", "ä", "A" * 60])
def test_a_cursor_of_somebodys_own_making_is_refused(store, queued, cursor):
    with pytest.raises(InvalidOptionError):
        store.page("acct_1", 10, cursor)


# ------------------------------------------------------------------------------------------------ DynamoDB only


@pytest.fixture
def dynamo_store(dynamodb: Any, tables: tuple[str, str], clock: Clock) -> DynamoJobStore:
    return DynamoJobStore(dynamodb, *tables, clock)


@pytest.fixture
def usage(dynamodb: Any, tables: tuple[str, str]) -> DynamoUsageStore:
    return DynamoUsageStore(dynamodb, tables[1])


def started(store: DynamoJobStore, clock: Clock) -> Job:
    made = job(clock)
    store.create(made)
    return store.start(made.id, 60)


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
