"""The same rules for the store on DynamoDB and for the one in memory; then what can go wrong on the way to DynamoDB."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from cutout.accounts import PLANS, Account, KeyMode
from cutout.aws.dynamodb.errors import TRIES
from cutout.aws.dynamodb.usage import CHARGE_DAYS, DynamoUsageStore, charge_writes
from cutout.errors import ServiceUnavailableError
from cutout.usage import MAX_SHARDS, Charge, DailyUsage, Usage, charge_for
from local.resources import Template
from tests.support.dynalite_server import IMPLEMENTATIONS
from tests.support.usage_stores import MemoryUsageStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
IMAGE = Usage.of_image(4_000, 3_000, 2_000_000, 900_000)


def charge(name: str = "req_1", account: str = "acct_1", at: datetime = NOON, shards: int = 100) -> Charge:
    return Charge(name, account, IMAGE, at, shards)


def on_dynamo(client: Any, template: Template) -> DynamoUsageStore:
    return DynamoUsageStore(client, template.tables["AccountsTable"].name, sleep=lambda _: None)


@pytest.fixture(params=["memory", *IMPLEMENTATIONS])
def store(request: pytest.FixtureRequest, template: Template) -> DynamoUsageStore | MemoryUsageStore:
    if request.param == "memory":
        return MemoryUsageStore()
    return on_dynamo(request.getfixturevalue(request.param), template)


def times(count: int) -> Usage:
    return sum((IMAGE for _ in range(count)), Usage())


def test_an_account_that_made_nothing_has_used_nothing(store):
    assert store.total("acct_1", "2026-11") == Usage()


def test_a_charge_is_counted_once_however_often_it_is_recorded(store):
    assert [store.record(charge()) for _ in range(5)] == [True, False, False, False, False]

    assert store.total("acct_1", "2026-11") == IMAGE


def test_the_counters_of_a_month_add_up(store):
    for number in range(30):
        assert store.record(charge(f"req_{number}"))

    assert store.total("acct_1", "2026-11") == times(30)


def test_a_month_is_told_by_day_and_key_and_adds_up(store):
    evening = NOON + timedelta(hours=11, minutes=59)
    for number in range(20):
        store.record(replace(charge(f"req_{number}"), key="tok_fp_a"))
    store.record(replace(charge("req_b", at=evening), key="tok_fp_b"))
    store.record(replace(charge("req_b", at=evening), key="tok_fp_b"))
    store.record(charge("dropped", at=evening + timedelta(minutes=2)))
    store.record(charge("another", account="acct_11"))

    assert store.daily("acct_1", "2026-11") == [
        DailyUsage("2026-11-20", "tok_fp_a", times(20)),
        DailyUsage("2026-11-20", "tok_fp_b", IMAGE),
        DailyUsage("2026-11-21", "", IMAGE),
    ]
    assert store.total("acct_1", "2026-11") == times(22)
    assert store.daily("acct_1", "2026-12") == []


def test_accounts_are_counted_apart_even_where_one_name_begins_like_the_other(store):
    store.record(charge("req_1", "acct_1"))
    store.record(charge("req_2", "acct_11"))
    store.record(charge("req_3", "acct_11"))

    assert store.total("acct_1", "2026-11") == IMAGE
    assert store.total("acct_11", "2026-11") == times(2)


def test_the_month_of_the_charge_pays_also_when_it_is_recorded_again_in_the_next(store):
    last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)

    store.record(charge(at=last))
    store.record(charge(at=last + timedelta(seconds=1)))
    store.record(charge("req_2", at=last + timedelta(seconds=1)))

    assert store.total("acct_1", "2026-11") == IMAGE
    assert store.total("acct_1", "2026-12") == IMAGE


def test_usage_stays_whole_when_the_account_s_rate_and_its_counters_change(store):
    for number, shards in enumerate([100, 1, 50, 2, 100, 100]):
        store.record(charge(f"req_{number}", shards=shards))

    assert store.total("acct_1", "2026-11") == times(6)


def items(dynamodb: Any, template: Template) -> dict[str, dict[str, Any]]:
    found = dynamodb.scan(TableName=template.tables["AccountsTable"].name)["Items"]
    return {item["pk"]["S"]: item for item in found}


def test_a_charge_is_three_items_with_integers_only(dynamodb, template):
    on_dynamo(dynamodb, template).record(charge(shards=1))

    stored = items(dynamodb, template)
    assert stored.keys() == {"CHARGE#req_1", "USAGE#acct_1#2026-11#0", "USAGE#acct_1#2026-11#DAYS0"}
    assert stored["USAGE#acct_1#2026-11#DAYS0"]["sk"] == {"S": "DAY#2026-11-20##0"}
    expires_at = int((NOON + timedelta(days=CHARGE_DAYS)).timestamp())
    assert stored["CHARGE#req_1"]["expires_at"] == {"N": str(expires_at)}
    counter = {name: int(stored["USAGE#acct_1#2026-11#0"][name]["N"]) for name in ("images", "pixels", "bytes_in")}
    assert counter == {"images": 1, "pixels": 12_000_000, "bytes_in": 2_000_000}
    assert "expires_at" not in stored["USAGE#acct_1#2026-11#0"]


def test_each_write_of_a_charge_is_good_on_its_own(dynamodb, template):
    put, month, day = charge_writes(charge(shards=1), template.tables["AccountsTable"].name)

    dynamodb.put_item(**put["Put"])
    dynamodb.update_item(**month["Update"])
    dynamodb.update_item(**day["Update"])

    store = on_dynamo(dynamodb, template)
    assert store.total("acct_1", "2026-11") == IMAGE
    assert store.daily("acct_1", "2026-11") == [DailyUsage("2026-11-20", "", IMAGE)]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(**put["Put"])


def test_charges_go_to_all_the_counters_there_are():
    writes = [charge_writes(charge(f"req_{number}", shards=20), "Accounts")[1:] for number in range(2_000)]
    months = {month["Update"]["Key"]["pk"]["S"] for month, _ in writes}
    days = {tuple(part["S"] for part in day["Update"]["Key"].values()) for _, day in writes}

    assert months == {f"USAGE#acct_1#2026-11#{shard}" for shard in range(20)}
    assert days == {(f"USAGE#acct_1#2026-11#DAYS{shard % 10}", f"DAY#2026-11-20##{shard // 10}") for shard in range(20)}


def test_the_most_counters_an_account_can_have_are_those_that_are_read():
    account = Account.on_plan("acct_1", "a@example.com", PLANS["unlimited"])
    most = charge_for(account, KeyMode.LIVE, "req_1", IMAGE, NOON)

    assert most is not None
    assert most.shards <= MAX_SHARDS == 100  # what one BatchGetItem takes


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": reasons,
    }
    return ClientError(answer, "TransactWriteItems")


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "TransactWriteItems")


TROUBLES = [
    cancelled("None", "TransactionConflict"),
    cancelled("TransactionConflict", "None"),
    cancelled("None", "ThrottlingError"),
    cancelled("None", "ProvisionedThroughputExceeded"),
    refused("ThrottlingException"),
    refused("ProvisionedThroughputExceededException"),
    refused("RequestLimitExceeded"),
    refused("TransactionInProgressException"),
    refused("InternalServerError", 500),
    ReadTimeoutError(endpoint_url="https://dynamodb.invalid"),
    ConnectionClosedError(endpoint_url="https://dynamodb.invalid"),
]


class Trouble:
    """Makes calls of one operation fail, before or after DynamoDB has done what it was asked."""

    def __init__(self, client: Any, operation: str) -> None:
        self.errors: list[Exception | None] = []
        self.calls = 0
        self._do = getattr(client, operation)
        setattr(client, operation, self)
        self.lose_answers = False

    def __call__(self, **arguments: Any) -> Any:
        self.calls += 1
        error = self.errors.pop(0) if self.errors else None
        answer = self._do(**arguments) if error is None or self.lose_answers else None
        if error is not None:
            raise error
        return answer


class Waits:
    def __init__(self) -> None:
        self.all_s: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.all_s.append(seconds)


@pytest.fixture
def troubled(moto: Any, template: Template) -> Iterator[Callable[..., tuple[DynamoUsageStore, Trouble, Waits]]]:
    def make(operation: str = "transact_write_items") -> tuple[DynamoUsageStore, Trouble, Waits]:
        client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
        trouble, waits = Trouble(client, operation), Waits()
        pick = random.Random(7).randrange
        return DynamoUsageStore(client, template.tables["AccountsTable"].name, pick, waits), trouble, waits

    return make


@pytest.mark.parametrize("error", TROUBLES, ids=str)
@pytest.mark.parametrize("lose_answers", [False, True], ids=["not done", "done, answer lost"])
def test_a_charge_is_tried_again_and_counted_once(troubled, error, lose_answers):
    store, trouble, waits = troubled()
    trouble.errors = [error] * 3
    trouble.lose_answers = lose_answers and not isinstance(error, ClientError)

    store.record(charge())

    assert store.total("acct_1", "2026-11") == IMAGE
    assert len(waits.all_s) == 3 or trouble.lose_answers
    assert all(0 <= wait_s < 0.025 * 2**turn for turn, wait_s in enumerate(waits.all_s))


def test_an_answer_that_was_lost_is_not_counted_again_by_the_next_try(troubled):
    store, trouble, _ = troubled()
    trouble.errors, trouble.lose_answers = [refused("InternalServerError", 500)], True

    assert store.record(charge()) is False  # by the second try, which found what the first had done

    assert store.total("acct_1", "2026-11") == IMAGE


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_many_charges_with_faults_lost_answers_and_repeats_the_sum_is_exact(troubled, seed):
    store, trouble, _ = troubled()
    chance = random.Random(seed)
    do = trouble._do

    def unreliable(**arguments: Any) -> Any:
        fate = chance.random()
        if fate < 0.15:
            raise chance.choice(TROUBLES)
        answer = do(**arguments)
        if fate < 0.3:
            raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
        return answer

    trouble._do = unreliable
    names = [f"req_{number}" for number in range(40)] + [f"req_{number}" for number in range(0, 40, 2)]
    chance.shuffle(names)

    counted = 0
    for name in names:
        try:
            counted += store.record(charge(name, shards=chance.choice([1, 7, 100])))
        except ServiceUnavailableError:  # after TRIES faults in a row; whoever delivers again records again
            names.append(name)

    assert store.total("acct_1", "2026-11") == times(40)
    assert counted <= 40


def test_another_try_may_pick_another_counter(troubled):
    store, trouble, _ = troubled()
    written = []
    do = trouble._do
    trouble._do = lambda **arguments: written.append(arguments["TransactItems"][1]["Update"]["Key"]) or do(**arguments)
    trouble.errors, trouble.lose_answers = [ReadTimeoutError(endpoint_url="u")] * 5, True

    for number in range(3):
        store.record(charge(f"req_{number}"))

    assert len({key["pk"]["S"] for key in written}) > 1


def test_after_the_last_try_the_store_says_that_it_is_away_and_the_charge_may_be_recorded_later(troubled):
    store, trouble, _ = troubled()
    trouble.errors = [cancelled("None", "TransactionConflict")] * TRIES

    with pytest.raises(ServiceUnavailableError) as away:
        store.record(charge())

    assert trouble.calls == TRIES >= 6
    assert isinstance(away.value.__cause__, ClientError)
    assert store.total("acct_1", "2026-11") == Usage()
    assert store.record(charge()) is True


@pytest.mark.parametrize(
    "error", [refused("AccessDeniedException"), refused("ValidationException"), cancelled("None", "ValidationError")]
)
def test_what_no_retry_can_cure_is_not_tried_again(troubled, error):
    store, trouble, _ = troubled()
    trouble.errors = [error]

    with pytest.raises(ClientError):
        store.record(charge())

    assert trouble.calls == 1


def test_counters_that_a_batch_left_out_are_asked_for_again(troubled):
    store, trouble, _ = troubled("batch_get_item")
    for number in range(40):
        store.record(charge(f"req_{number}"))
    do = trouble._do

    def a_part(RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
        ((table, asked),) = RequestItems.items()
        now, later = asked["Keys"][:30], asked["Keys"][30:]
        answer = do(RequestItems={table: asked | {"Keys": now}})
        return answer | {"UnprocessedKeys": {table: {"Keys": later}} if later else {}}

    trouble._do = a_part

    assert store.total("acct_1", "2026-11") == times(40)
    assert trouble.calls == 4


def test_counters_that_never_come_are_not_taken_for_zero(troubled):
    store, trouble, _ = troubled("batch_get_item")

    def nothing(RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    trouble._do = nothing

    with pytest.raises(ServiceUnavailableError):
        store.total("acct_1", "2026-11")


@pytest.mark.parametrize("error", TROUBLES[4:], ids=str)
def test_a_total_that_cannot_be_read_says_so(troubled, error):
    store, trouble, _ = troubled("batch_get_item")
    store.record(charge())
    trouble.errors = [error] * TRIES

    with pytest.raises(ServiceUnavailableError):
        store.total("acct_1", "2026-11")
    trouble.errors = [error] * (TRIES - 1)
    assert store.total("acct_1", "2026-11") == IMAGE
