"""The same rules for the store on DynamoDB and for the one in memory that other tests use; then what only one has."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from cutout.accounts import PLANS, Account, Caller, KeyMode, KeyStatus
from cutout.authentication import authenticate, fingerprint_key, hash_key
from cutout.aws.dynamodb import keys
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.errors import ConflictError, InvalidApiKeyError, InvalidRequestError, NotFoundError, ServiceUnavailableError
from local.cloud import aws_environment, client
from local.resources import Template
from tests.support.dynalite_server import IMPLEMENTATIONS
from tests.support.key_stores import MemoryKeyStore

NOON = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
TODAY = date(2026, 11, 20)
ACCOUNT = Account.on_plan("acct_1", "a@example.com", PLANS["free"])

Store = DynamoKeyStore | MemoryKeyStore


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s

    def time(self) -> datetime:
        return NOON + timedelta(seconds=self.now_s - 1_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(template: Template, moto: Any) -> str:
    return template.tables["AccountsTable"].name


@pytest.fixture(params=["memory", *IMPLEMENTATIONS])
def store(request: pytest.FixtureRequest, template: Template, clock: Clock) -> Store:
    store: Store
    if request.param == "memory":
        store = MemoryKeyStore(clock.time)
    else:
        dynamodb = request.getfixturevalue(request.param)
        store = DynamoKeyStore(AuditedTable(dynamodb, template.tables["AccountsTable"].name, clock.time))
    store.create_account(ACCOUNT)
    return store


def items(table: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = client("dynamodb").scan(TableName=table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def test_a_key_made_for_an_account_is_found_with_it(store):
    key = store.create_key("acct_1", "raw", KeyMode.ADMIN, "laptop")

    assert store.find(hash_key("raw")) == Caller(ACCOUNT, key)
    assert (key.account_id, key.mode, key.label, key.status) == ("acct_1", KeyMode.ADMIN, "laptop", KeyStatus.ACTIVE)
    assert key.fingerprint == fingerprint_key(hash_key("raw"))
    assert key.created_at == NOON.replace(microsecond=0)
    assert key.last_used_day is None


@pytest.mark.parametrize("plan", PLANS)
def test_an_account_comes_back_as_it_was_written(store, plan):
    account = Account.on_plan("acct_2", "ü@example.com", PLANS[plan])
    store.create_account(account)
    store.create_key("acct_2", "raw", KeyMode.LIVE)

    caller = store.find(hash_key("raw"))

    assert caller is not None
    assert caller.account == account


def test_an_unknown_key_is_not_found(store):
    assert store.find(hash_key("raw")) is None


def test_an_account_cannot_be_made_twice(store):
    with pytest.raises(InvalidRequestError):
        store.create_account(Account.on_plan("acct_1", "thief@example.com", PLANS["unlimited"]))

    store.create_key("acct_1", "raw", KeyMode.LIVE)
    assert store.find(hash_key("raw")).account == ACCOUNT


def test_a_key_cannot_be_made_for_an_account_that_is_not_there(store):
    with pytest.raises(NotFoundError):
        store.create_key("acct_9", "raw", KeyMode.LIVE)

    assert store.find(hash_key("raw")) is None
    assert store.list_keys("acct_9") == []


def test_a_key_cannot_be_given_to_a_second_account(store):
    store.create_account(Account.on_plan("acct_2", "b@example.com", PLANS["free"]))
    store.create_key("acct_1", "raw", KeyMode.LIVE)

    with pytest.raises(InvalidRequestError):
        store.create_key("acct_2", "raw", KeyMode.LIVE)

    assert store.find(hash_key("raw")).account.id == "acct_1"
    assert store.list_keys("acct_2") == []


@pytest.mark.parametrize("raw_key", ["", "ü", "k" * 257])
def test_a_key_that_could_never_be_used_is_not_made(store, raw_key):
    with pytest.raises(InvalidApiKeyError):
        store.create_key("acct_1", raw_key, KeyMode.LIVE)

    assert store.list_keys("acct_1") == []


def test_the_list_has_every_key_of_one_account_oldest_first(store, clock):
    store.create_account(Account.on_plan("acct_2", "b@example.com", PLANS["free"]))
    first = store.create_key("acct_1", "one", KeyMode.LIVE)
    store.create_key("acct_2", "other", KeyMode.LIVE)
    clock.now_s += 1
    second = store.create_key("acct_1", "two", KeyMode.SYNTHETIC)

    assert store.list_keys("acct_1") == [first, second]


def test_a_revoked_key_stays_listed_and_no_longer_opens(store):
    key = store.create_key("acct_1", "raw", KeyMode.LIVE)

    store.revoke("acct_1", key.fingerprint)
    store.revoke("acct_1", key.fingerprint)

    assert [key.status for key in store.list_keys("acct_1")] == [KeyStatus.REVOKED]
    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", store)


def test_a_key_cannot_be_revoked_or_rotated_by_another_account(store):
    store.create_account(Account.on_plan("acct_2", "b@example.com", PLANS["free"]))
    key = store.create_key("acct_1", "raw", KeyMode.LIVE)

    with pytest.raises(NotFoundError):
        store.revoke("acct_2", key.fingerprint)
    with pytest.raises(NotFoundError):
        store.rotate("acct_2", key.fingerprint, "new")

    assert authenticate("raw", store).account == ACCOUNT


def test_rotation_replaces_a_key_and_keeps_its_mode_and_label(store):
    old = store.create_key("acct_1", "old", KeyMode.SYNTHETIC, "canary")

    new = store.rotate("acct_1", old.fingerprint, "new")

    assert authenticate("new", store).key.fingerprint == new.fingerprint
    assert (new.mode, new.label, new.status) == (KeyMode.SYNTHETIC, "canary", KeyStatus.ACTIVE)
    with pytest.raises(InvalidApiKeyError):
        authenticate("old", store)
    assert len(store.list_keys("acct_1")) == 2


def test_a_revoked_key_cannot_be_rotated(store):
    key = store.create_key("acct_1", "old", KeyMode.LIVE)
    store.revoke("acct_1", key.fingerprint)

    with pytest.raises(ConflictError):
        store.rotate("acct_1", key.fingerprint, "new")

    assert store.find(hash_key("new")) is None


def test_a_rotated_key_opens_beside_its_successor_until_the_grace_is_over(store):
    old = store.create_key("acct_1", "old", KeyMode.LIVE, "laptop")

    new = store.rotate("acct_1", old.fingerprint, "new", grace_s=3_600)

    end = NOON.replace(microsecond=0) + timedelta(hours=1)
    assert store.find_key("acct_1", old.fingerprint).valid_until == end
    assert store.find_key("acct_1", new.fingerprint).valid_until is None
    for moment in (NOON, end - timedelta(seconds=1)):
        assert authenticate("old", store, moment).key.fingerprint == old.fingerprint
        assert authenticate("new", store, moment).key.fingerprint == new.fingerprint
    with pytest.raises(InvalidApiKeyError):
        authenticate("old", store, end)
    assert authenticate("new", store, end).key.label == "laptop"


def test_a_key_has_one_successor(store):
    old = store.create_key("acct_1", "old", KeyMode.LIVE)
    store.rotate("acct_1", old.fingerprint, "new", grace_s=3_600)

    with pytest.raises(ConflictError):
        store.rotate("acct_1", old.fingerprint, "third", grace_s=3_600)

    assert store.find(hash_key("third")) is None
    assert len(store.list_keys("acct_1")) == 2


def test_a_rotated_key_can_be_revoked_before_its_time(store):
    old = store.create_key("acct_1", "old", KeyMode.LIVE)
    store.rotate("acct_1", old.fingerprint, "new", grace_s=3_600)

    store.revoke("acct_1", old.fingerprint)

    with pytest.raises(InvalidApiKeyError):
        authenticate("old", store, NOON)


def test_rotation_to_a_used_key_changes_nothing(store):
    old = store.create_key("acct_1", "old", KeyMode.LIVE)
    store.create_key("acct_1", "used", KeyMode.LIVE)

    with pytest.raises(InvalidRequestError):
        store.rotate("acct_1", old.fingerprint, "used")

    assert {key.status for key in store.list_keys("acct_1")} == {KeyStatus.ACTIVE}


def test_the_day_of_use_moves_forward_only(store):
    store.create_key("acct_1", "raw", KeyMode.LIVE)

    for day in (TODAY, TODAY - timedelta(days=1), TODAY):
        store.touch(hash_key("raw"), day)

    assert store.find(hash_key("raw")).key.last_used_day == TODAY
    assert store.list_keys("acct_1")[0].last_used_day == TODAY


def test_the_use_of_an_unknown_key_leaves_no_trace(store):
    store.touch(hash_key("raw"), TODAY)

    assert store.find(hash_key("raw")) is None


def test_the_table_holds_the_design_s_items_and_never_the_key(table):
    store = DynamoKeyStore(AuditedTable(client("dynamodb"), table))
    store.create_account(ACCOUNT)

    key = store.create_key("acct_1", "ct_live_topsecret", KeyMode.LIVE, "laptop")

    stored = items(table)
    key_hash = hash_key("ct_live_topsecret")
    assert {name for name in stored if not name[1].startswith("AUDIT#")} == {
        ("ACCOUNT#acct_1", "PROFILE"),
        (f"KEY#{key_hash}", "KEY"),
        ("ACCOUNT#acct_1", f"KEY#{key.fingerprint}"),
    }
    assert stored["ACCOUNT#acct_1", f"KEY#{key.fingerprint}"]["key_hash"] == {"S": key_hash}
    assert "topsecret" not in repr(stored)


def test_more_keys_than_one_batch_are_listed(table, monkeypatch):
    assert keys.BATCH_GET_ITEMS == 100  # DynamoDB API reference, "BatchGetItem"
    monkeypatch.setattr(keys, "BATCH_GET_ITEMS", 3)
    store = DynamoKeyStore(AuditedTable(client("dynamodb"), table))
    store.create_account(ACCOUNT)
    made = [store.create_key("acct_1", f"key-{number}", KeyMode.LIVE).fingerprint for number in range(7)]

    assert sorted(key.fingerprint for key in store.list_keys("acct_1")) == sorted(made)


def test_a_key_whose_account_is_gone_is_unknown(table, caplog):
    store = DynamoKeyStore(AuditedTable(client("dynamodb"), table))
    store.create_account(ACCOUNT)
    store.create_key("acct_1", "raw", KeyMode.LIVE)
    client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": "ACCOUNT#acct_1"}, "sk": {"S": "PROFILE"}})

    assert store.find(hash_key("raw")) is None
    assert fingerprint_key(hash_key("raw")) in caplog.text


def client_error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetItem")


def impatient_client() -> Any:
    return boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def failing() -> Iterator[Callable[[Exception], DynamoKeyStore]]:
    """A store whose client fails below boto3's methods, where a network or a service would."""
    errors: list[Exception] = []

    def fail(**_: object) -> None:
        raise errors[-1]

    def make(error: Exception) -> DynamoKeyStore:
        errors.append(error)
        return store

    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_environment().items():
            patch.setenv(name, value)
        dynamodb = impatient_client()
        dynamodb.meta.events.register("before-send.dynamodb", fail)
        store = DynamoKeyStore(AuditedTable(dynamodb, "Accounts"))
        yield make


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("RequestLimitExceeded"),
        client_error("InternalServerError", 500),
        client_error("ServiceUnavailable", 503),
        EndpointConnectionError(endpoint_url="https://dynamodb.invalid"),
        ConnectTimeoutError(endpoint_url="https://dynamodb.invalid"),
        ReadTimeoutError(endpoint_url="https://dynamodb.invalid"),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.find("0" * 64),
        lambda store: store.create_account(ACCOUNT),
        lambda store: store.create_key("acct_1", "raw", KeyMode.LIVE),
        lambda store: store.list_keys("acct_1"),
        lambda store: store.revoke("acct_1", "tok_fp_0"),
    ],
    ids=["find", "create_account", "create_key", "list_keys", "revoke"],
)
def test_what_a_retry_may_cure_says_so_and_keeps_its_cause(failing, error, call):
    with pytest.raises(ServiceUnavailableError) as raised:
        call(failing(error))

    assert raised.value.__cause__ is error
    assert "dynamodb" not in raised.value.message.lower()


def test_a_missing_right_is_our_fault_and_passes_as_it_is(failing):
    with pytest.raises(ClientError):
        failing(client_error("AccessDeniedException")).find("0" * 64)


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_lost_to_another_writer_may_be_tried_again(table, reason):
    dynamodb = impatient_client()
    cancelled: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": [{"Code": "None"}, {"Code": reason}, {"Code": "None"}],
    }

    def fail(**_: object) -> None:
        raise dynamodb.exceptions.TransactionCanceledException(cancelled, "TransactWriteItems")

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", fail)

    with pytest.raises(ServiceUnavailableError):
        DynamoKeyStore(AuditedTable(dynamodb, table)).create_key("acct_1", "raw", KeyMode.LIVE)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_request_does_not_fail_over_the_day_of_use(table, caplog, code):
    dynamodb = impatient_client()
    store = DynamoKeyStore(AuditedTable(dynamodb, table))
    store.create_account(ACCOUNT)
    store.create_key("acct_1", "raw", KeyMode.LIVE)

    def fail(**_: object) -> None:
        raise client_error(code)

    dynamodb.meta.events.register("before-send.dynamodb.UpdateItem", fail)

    assert authenticate("raw", store).account == ACCOUNT
    assert fingerprint_key(hash_key("raw")) in caplog.text
    assert "raw" not in [word.strip(".") for word in caplog.text.split()]


def test_parts_of_a_batch_that_were_not_read_are_asked_for_again(table):
    dynamodb = client("dynamodb")
    store = DynamoKeyStore(AuditedTable(dynamodb, table))
    store.create_account(ACCOUNT)
    made = [store.create_key("acct_1", f"key-{number}", KeyMode.LIVE).fingerprint for number in range(3)]

    def only_one(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        asked = params["RequestItems"][table]["Keys"]
        context["left"], params["RequestItems"][table]["Keys"] = asked[1:], asked[:1]

    def leave_rest(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["left"]:
            parsed["UnprocessedKeys"] = {table: {"Keys": context["left"]}}

    dynamodb.meta.events.register("before-parameter-build.dynamodb.BatchGetItem", only_one)
    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_rest)

    assert sorted(key.fingerprint for key in store.list_keys("acct_1")) == sorted(made)
