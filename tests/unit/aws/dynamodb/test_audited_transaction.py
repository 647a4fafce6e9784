"""Changes are audited in their own transaction, and stand only while the acting key is good."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cutout.accounts import PLANS, Account, Actor, AuditEntry, KeyMode, KeyStatus
from cutout.authentication import hash_key
from cutout.aws.dynamodb.accounts import DynamoAccountStore
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.key_changes import RETENTION_DAYS
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.errors import ConflictError, CutoutError, InvalidApiKeyError, NotFoundError, ServiceUnavailableError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADMIN = Account.on_plan("acct_admin", "admin@example.com", PLANS["unlimited"])
OTHER = Account.on_plan("acct_other", "other@example.com", PLANS["free"])


@pytest.fixture
def world(dynamodb: Any, template: Any) -> SimpleNamespace:
    """Two accounts; ``root`` acts by the admin key of the one, ``owner`` by the live key of the other."""
    table = template.tables["AccountsTable"].name
    told: list[AuditEntry] = []
    keys = DynamoKeyStore(AuditedTable(dynamodb, table, lambda: NOON, told.append))
    accounts = DynamoAccountStore(AuditedTable(dynamodb, table, lambda: NOON, told.append))
    keys.create_account(ADMIN)
    keys.create_account(OTHER)
    root = keys.create_key("acct_admin", "root-key", KeyMode.ADMIN)
    owner = keys.create_key("acct_other", "owner-key", KeyMode.LIVE)
    return SimpleNamespace(
        client=dynamodb,
        table=table,
        told=told,
        keys=keys,
        accounts=accounts,
        root=Actor(root.fingerprint, "acct_admin", "req_root"),
        owner=Actor(owner.fingerprint, "acct_other", "req_owner"),
    )


def items(world: SimpleNamespace) -> list[dict[str, Any]]:
    return list(world.client.scan(TableName=world.table, ConsistentRead=True)["Items"])


def audit(world: SimpleNamespace, account_id: str) -> list[dict[str, str]]:
    """The account's entries as plain values, without those that the fixture made."""
    of_account = [item for item in items(world) if item["pk"]["S"] == f"ACCOUNT#{account_id}"]
    entries = [item for item in of_account if item["sk"]["S"].startswith("AUDIT#") and "request_id" in item]
    return [{name: value["S"] for name, value in item.items()} for item in entries]


def test_each_change_leaves_one_entry_that_tells_who_what_and_in_which_request(world):
    made = world.keys.create_key("acct_other", "new-key", KeyMode.LIVE, "laptop", actor=world.owner)

    (entry,) = audit(world, "acct_other")
    assert entry["sk"].startswith("AUDIT#2026-11-20T12:00:00.000000+00:00#")
    assert {name: entry[name] for name in ("action", "target", "actor", "actor_account", "request_id")} == {
        "action": "key.create",
        "target": made.fingerprint,
        "actor": world.owner.name,
        "actor_account": "acct_other",
        "request_id": "req_owner",
    }
    assert json.loads(entry["changes"]) == {"mode": "live", "label": "laptop"}


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (lambda world: world.keys.create_key("acct_other", "new", KeyMode.LIVE, actor=world.root), "key.create"),
        (lambda world: world.keys.revoke("acct_other", world.owner.name, actor=world.root), "key.revoke"),
        (lambda world: world.keys.rotate("acct_other", world.owner.name, "new", actor=world.root), "key.rotate"),
        (lambda world: world.keys.rotate("acct_other", world.owner.name, "new", world.root, 60), "key.rotate"),
        (
            lambda world: world.accounts.change("acct_other", {"training_opt_in": True}, world.root),
            "account.change",
        ),
    ],
    ids=["create", "revoke", "rotate", "rotate with grace", "change"],
)
def test_every_kind_of_change_by_an_administrator_is_in_the_audit_of_the_account_it_is_done_to(world, change, action):
    change(world)

    assert [(entry["action"], entry["actor"]) for entry in audit(world, "acct_other")] == [(action, world.root.name)]
    assert audit(world, "acct_admin") == []
    assert (world.told[-1].action, world.told[-1].actor) == (action, world.root)


def test_a_new_account_begins_its_audit_itself(world):
    world.accounts.create(replace(OTHER, id="acct_new"), world.root)

    assert [entry["action"] for entry in audit(world, "acct_new")] == ["account.create"]


def test_a_change_that_is_refused_leaves_neither_trace_nor_entry(world):
    before = items(world)

    for refused in (
        lambda: world.keys.revoke("acct_other", "tok_fp_000000000000", actor=world.root),
        lambda: world.keys.create_key("acct_nobody", "new", KeyMode.LIVE, actor=world.root),
        lambda: world.keys.create_key("acct_other", "owner-key", KeyMode.LIVE, actor=world.root),
        lambda: world.accounts.change("acct_nobody", {"training_opt_in": True}, world.root),
    ):
        with pytest.raises(CutoutError):
            refused()

    key = lambda item: (item["pk"]["S"], item["sk"]["S"])  # noqa: E731
    assert sorted(items(world), key=key) == sorted(before, key=key)
    assert world.told[-1].action == "key.create"  # the fixture's


def test_no_entry_and_no_item_ever_holds_a_raw_key(world):
    world.keys.create_key("acct_other", "ct_live_topsecret", KeyMode.LIVE, actor=world.owner)
    world.keys.rotate("acct_other", world.owner.name, "ct_live_secondsecret", actor=world.owner)

    assert "secret" not in repr(items(world)) + repr(world.told)


@pytest.mark.parametrize("grace_s", [None, 0, 3_600], ids=["revoked", "rotated at once", "rotated with grace"])
def test_a_key_that_is_closed_or_on_its_way_out_changes_nothing_more_though_a_cache_still_lets_it_in(world, grace_s):
    if grace_s is None:
        world.keys.revoke("acct_other", world.owner.name, actor=world.root)
    else:
        world.keys.rotate("acct_other", world.owner.name, "successor", world.root, grace_s)

    with pytest.raises(InvalidApiKeyError):
        world.keys.create_key("acct_other", "new", KeyMode.LIVE, actor=world.owner)

    assert world.keys.find(hash_key("new")) is None


def test_of_two_admin_keys_that_revoke_each_other_one_remains(world):
    second = world.keys.create_key("acct_other", "second-root", KeyMode.ADMIN)
    by_second = Actor(second.fingerprint, "acct_other", "req_second")

    world.keys.revoke("acct_other", second.fingerprint, actor=world.root)
    with pytest.raises(InvalidApiKeyError):
        world.keys.revoke("acct_admin", world.root.name, actor=by_second)

    assert world.keys.find(hash_key("root-key")).key.status is KeyStatus.ACTIVE


def test_of_two_administrators_that_suspend_each_other_s_accounts_one_remains(world):
    second = world.keys.create_key("acct_other", "second-root", KeyMode.ADMIN)
    by_second = Actor(second.fingerprint, "acct_other", "req_second")

    world.accounts.change("acct_other", {"subscription_status": "suspended"}, world.root)
    with pytest.raises(InvalidApiKeyError):
        world.accounts.change("acct_admin", {"subscription_status": "suspended"}, by_second)

    assert world.accounts.find("acct_admin").subscription_status == "active"


def test_an_actor_whose_key_is_gone_from_the_table_is_refused(world):
    with pytest.raises(InvalidApiKeyError):
        world.keys.create_key(
            "acct_other", "new", KeyMode.LIVE, actor=Actor("tok_fp_000000000000", "acct_other", "req")
        )


def test_a_key_may_rotate_itself(world):
    world.keys.rotate("acct_other", world.owner.name, "successor", world.owner, 60)

    assert world.keys.find(hash_key("owner-key")).key.valid_until == NOON + timedelta(seconds=60)
    assert world.keys.find(hash_key("successor")).key.status is KeyStatus.ACTIVE


@pytest.mark.parametrize("close", ["revoke", "rotate"])
def test_both_items_of_a_closed_key_leave_the_table_after_the_same_time(world, close):
    if close == "revoke":
        world.keys.revoke("acct_other", world.owner.name)
        closed_at = NOON
    else:
        world.keys.rotate("acct_other", world.owner.name, "successor", grace_s=3_600)
        closed_at = NOON + timedelta(hours=1)

    left = {item["pk"]["S"] for item in items(world) if "expires_at" in item}
    times = {item["expires_at"]["N"] for item in items(world) if "expires_at" in item}
    assert left == {f"KEY#{hash_key('owner-key')}", "ACCOUNT#acct_other"}
    assert times == {str(int((closed_at + timedelta(days=RETENTION_DAYS)).timestamp()))}


def test_an_account_cannot_list_more_keys_than_the_most(world, monkeypatch):
    monkeypatch.setattr("cutout.aws.dynamodb.keys.MAX_KEYS", 2)
    world.keys.create_key("acct_other", "second", KeyMode.LIVE)

    with pytest.raises(ConflictError):
        world.keys.create_key("acct_other", "third", KeyMode.LIVE)
    with pytest.raises(ConflictError):
        world.keys.rotate("acct_other", world.owner.name, "third")

    assert world.keys.find(hash_key("third")) is None


# ------------------------------------------------------------------ accounts


def test_what_is_changed_is_changed_and_all_else_stays(world):
    changes = {"plan": "metered", "requests_per_second": 7, "monthly_quota": None, "training_opt_in": True}

    changed = world.accounts.change("acct_other", changes, world.root)

    assert changed == replace(OTHER, **changes) == world.accounts.find("acct_other")
    assert world.keys.find(hash_key("owner-key")).account == changed


def test_a_quota_comes_and_goes(world):
    for quota in (None, 7, None, 0):
        world.accounts.change("acct_other", {"monthly_quota": quota}, world.root)
        assert world.accounts.find("acct_other").monthly_quota == quota


def test_a_change_to_what_is_so_already_writes_nothing(world):
    assert world.accounts.change("acct_other", {"plan": "free", "monthly_quota": 50}, world.root) == OTHER

    assert audit(world, "acct_other") == []


def test_the_audit_of_an_account_names_the_new_values(world):
    world.accounts.change("acct_other", {"monthly_quota": 70, "subscription_status": "suspended"}, world.root)

    (entry,) = audit(world, "acct_other")
    assert json.loads(entry["changes"]) == {"monthly_quota": 70, "subscription_status": "suspended"}


def test_a_change_that_crosses_another_one_of_the_same_field_is_a_conflict(world, monkeypatch):
    find = world.accounts.find

    def find_and_be_overtaken(account_id: str) -> Account:
        found = find(account_id)
        monkeypatch.setattr(world.accounts, "find", find)
        world.accounts.change("acct_other", {"monthly_quota": 60}, world.root)
        return found

    monkeypatch.setattr(world.accounts, "find", find_and_be_overtaken)
    with pytest.raises(ConflictError):
        world.accounts.change("acct_other", {"monthly_quota": 70}, world.root)

    assert find("acct_other").monthly_quota == 60


def test_an_unknown_account_is_not_found(world):
    with pytest.raises(NotFoundError):
        world.accounts.find("acct_nobody")


def test_the_pages_of_the_list_have_every_account_once_by_id(world):
    made = [replace(OTHER, id=f"acct_{number:02}") for number in range(5)]
    for account in made:
        world.accounts.create(account, world.root)

    found, after = [], None
    while True:
        page = world.accounts.page(3, after)
        assert len(page.accounts) <= 3
        found += page.accounts
        after = page.after
        if after is None:
            break

    assert found == [*made, ADMIN, OTHER]
    assert world.accounts.page(100, "acct_04").accounts == (ADMIN, OTHER)
    assert world.accounts.page(100, "acct_zzz").accounts == ()


def test_a_transaction_lost_to_another_writer_may_be_tried_again(moto, template, monkeypatch):
    store = DynamoAccountStore(AuditedTable(moto, template.tables["AccountsTable"].name))
    cancelled: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
    }

    def lose(**_: object) -> None:
        raise moto.exceptions.TransactionCanceledException(cancelled, "TransactWriteItems")

    monkeypatch.setattr(moto, "transact_write_items", lose)
    with pytest.raises(ServiceUnavailableError) as lost:
        store.create(OTHER, Actor("operator"))
    assert isinstance(lost.value.__cause__, ClientError)
