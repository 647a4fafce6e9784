"""Who may work on an object, on both implementations of DynamoDB."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from cutout.aws.dynamodb import errors as retries
from cutout.aws.dynamodb.object_lease import DynamoObjectLease, SupersededError, comparable_sequencer
from cutout.errors import JobBusyError, ServiceUnavailableError
from cutout.jobs.parts import JobSource, SourceKind
from local.resources import Template


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def source(sequencer: str = "", key: str = "uploads/a/p.jpg") -> JobSource:
    return JobSource(SourceKind.OBJECT, "bucket", key, sequencer=sequencer)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(template: Template) -> str:
    return template.tables["JobsTable"].name


@pytest.fixture
def lease(dynamodb: Any, table: str, clock: Clock) -> DynamoObjectLease:
    return DynamoObjectLease(dynamodb, table, clock)


def test_one_worker_at_a_time_holds_a_key(lease):
    holder = lease.acquire(source("01"), 60)
    for other in (source("01"), source("02")):
        with pytest.raises(JobBusyError) as busy:
            lease.acquire(other, 60)
        assert busy.value.details == {"retry_after_s": 60}

    lease.release(source("01"), holder)

    assert lease.acquire(source("02"), 60) != holder


def test_other_keys_are_free(lease):
    lease.acquire(source("01"), 60)

    assert lease.acquire(source("01", "uploads/a/p.jpg "), 60)


def test_a_worker_that_was_killed_loses_the_key_with_its_lease(lease, clock):
    killed = lease.acquire(source("01"), 60)
    clock.sleep(60)
    heir = lease.acquire(source("01"), 60)

    lease.release(source("01"), killed)

    with pytest.raises(JobBusyError):
        lease.acquire(source("01"), 60)
    lease.release(source("01"), heir)
    assert lease.acquire(source("01"), 60)


def test_an_older_object_has_no_turn_after_a_newer_one(lease):
    holder = lease.acquire(source("0A"), 60)
    with pytest.raises(SupersededError):
        lease.acquire(source("09"), 60)
    lease.release(source("0A"), holder)

    with pytest.raises(SupersededError):
        lease.acquire(source("09"), 60)
    assert lease.acquire(source("0A"), 60), "the same one may come again"


def test_without_sequencers_order_is_unknown_but_turns_are_kept(lease):
    holder = lease.acquire(source(), 60)
    with pytest.raises(JobBusyError):
        lease.acquire(source(), 60)
    lease.release(source(), holder)

    assert lease.acquire(source(), 60)


def test_sequencers_of_any_length_and_case_compare_as_s3_says():
    ordered = ["", "0055AED6DCD90281E4", "0055aed6dcd90281e5", "0055AED6DCD90281E501", "0055AED6DCD90281E6", "01"]

    assert sorted(ordered, key=comparable_sequencer) == ordered
    assert comparable_sequencer("0055") == comparable_sequencer("005500")
    assert comparable_sequencer("00ab") == comparable_sequencer("00AB")


class Far:
    """A client whose answers to updates are lost."""

    def __init__(self, dynamodb: Any, losses: int) -> None:
        self._dynamodb = dynamodb
        self.losses = losses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def update_item(self, **arguments: Any) -> Any:
        answer = None
        try:
            answer = self._dynamodb.update_item(**arguments)
        finally:
            if self.losses:
                self.losses -= 1
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
        return answer


def test_a_key_that_was_taken_without_hearing_of_it_is_held(dynamodb, table, clock, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    far = Far(dynamodb, 2)
    lease = DynamoObjectLease(far, table, clock)  # type: ignore[arg-type]  # plays the client

    holder = lease.acquire(source("01"), 60)

    assert far.losses == 0
    with pytest.raises(JobBusyError):
        DynamoObjectLease(dynamodb, table, clock).acquire(source("01"), 60)
    lease.release(source("01"), holder)
    assert DynamoObjectLease(dynamodb, table, clock).acquire(source("01"), 60)


def test_a_table_that_stays_away_is_told_so(dynamodb, table, clock, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)

    with pytest.raises(ServiceUnavailableError):
        DynamoObjectLease(Far(dynamodb, 1_000), table, clock).acquire(source("01"), 60)  # type: ignore[arg-type]


def test_the_item_expires_and_hides_the_key(lease, dynamodb, table, clock):
    lease.acquire(source("01"), 60)

    (item,) = dynamodb.scan(TableName=table)["Items"]

    assert item["expires_at"] == {"N": str(int((clock.now + timedelta(hours=24)).timestamp()))}
    assert "account_id" not in item, "the index lists jobs alone"
    assert "p.jpg" not in repr(item)
