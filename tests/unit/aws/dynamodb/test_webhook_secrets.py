import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cutout.accounts import OPERATOR, PLANS, Account
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.aws.dynamodb.secrets import DynamoWebhookSecrets
from cutout.errors import ConflictError, NotFoundError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GRACE_S = 3_600


@pytest.fixture
def world(dynamodb: Any, template: Any) -> SimpleNamespace:
    table = template.tables["AccountsTable"].name
    time = SimpleNamespace(now=NOON)
    DynamoKeyStore(AuditedTable(dynamodb, table)).create_account(
        Account.on_plan("acct_1", "a@example.com", PLANS["free"])
    )
    secrets = DynamoWebhookSecrets(AuditedTable(dynamodb, table, lambda: time.now), GRACE_S)
    return SimpleNamespace(client=dynamodb, table=table, time=time, secrets=secrets)


def test_the_first_secret_is_made_when_it_is_first_needed_and_stays(world):
    (secret,) = world.secrets.signing("acct_1", NOON)

    prefix, _, encoded = secret.partition("_")
    assert prefix == "whsec"
    assert 24 <= len(base64.b64decode(encoded, validate=True)) <= 64
    assert world.secrets.signing("acct_1", NOON) == (secret,)
    assert world.secrets.find("acct_1").created_at == NOON


def test_no_two_accounts_share_a_secret(world):
    keys = DynamoKeyStore(AuditedTable(world.client, world.table))
    keys.create_account(Account.on_plan("acct_2", "b@example.com", PLANS["free"]))

    assert world.secrets.signing("acct_1", NOON) != world.secrets.signing("acct_2", NOON)


def test_of_two_that_make_the_first_secret_at_once_both_get_the_same(world, monkeypatch):
    other = DynamoWebhookSecrets(AuditedTable(world.client, world.table, lambda: NOON), GRACE_S)
    overtaken = []
    get = world.secrets._table.get

    def get_and_be_overtaken(item_id: Any) -> Any:
        found = get(item_id)
        if not overtaken:
            overtaken.append(other.signing("acct_1", NOON))
        return found

    monkeypatch.setattr(world.secrets._table, "get", get_and_be_overtaken)

    assert world.secrets.signing("acct_1", NOON) == overtaken[0]


def test_an_account_that_is_not_there_has_no_secret_and_gets_none(world):
    with pytest.raises(NotFoundError):
        world.secrets.signing("acct_nobody", NOON)

    items = world.client.scan(TableName=world.table)["Items"]
    assert "ACCOUNT#acct_nobody" not in {item["pk"]["S"] for item in items}


def test_after_a_rotation_both_sign_and_after_the_grace_the_new_one_alone(world):
    (old,) = world.secrets.signing("acct_1", NOON)

    new = world.secrets.rotate("acct_1", OPERATOR)

    end = NOON + timedelta(seconds=GRACE_S)
    assert new.current != old
    assert new.previous_until == end
    assert world.secrets.signing("acct_1", end - timedelta(seconds=1)) == (new.current, old)
    assert world.secrets.signing("acct_1", end) == (new.current,)


def test_a_second_rotation_lets_the_oldest_go(world):
    (first,) = world.secrets.signing("acct_1", NOON)
    second = world.secrets.rotate("acct_1", OPERATOR).current
    third = world.secrets.rotate("acct_1", OPERATOR).current

    assert world.secrets.signing("acct_1", NOON) == (third, second)
    assert first not in (second, third)


def test_two_rotations_at_once_make_one_new_secret(world, monkeypatch):
    world.secrets.find("acct_1")
    find = world.secrets.find

    def find_and_be_overtaken(account_id: str) -> Any:
        found = find(account_id)
        monkeypatch.setattr(world.secrets, "find", find)
        world.secrets.rotate("acct_1", OPERATOR)
        return found

    monkeypatch.setattr(world.secrets, "find", find_and_be_overtaken)
    with pytest.raises(ConflictError):
        world.secrets.rotate("acct_1", OPERATOR)

    assert len(world.secrets.signing("acct_1", NOON)) == 2


def test_a_rotation_is_audited_without_the_secret(world):
    secret = world.secrets.rotate("acct_1", OPERATOR)

    items = world.client.scan(TableName=world.table)["Items"]
    (entry,) = [item for item in items if item.get("action") == {"S": "webhook_secret.rotate"}]
    assert secret.current not in repr(entry)
    assert secret.previous not in repr(entry)
