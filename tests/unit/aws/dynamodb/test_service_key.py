from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.secrets import DynamoServiceKey


@pytest.fixture
def world(dynamodb: Any, template: Any) -> SimpleNamespace:
    table = template.tables["AccountsTable"].name
    return SimpleNamespace(client=dynamodb, table=table, key=DynamoServiceKey(AuditedTable(dynamodb, table)))


def test_the_key_is_made_when_it_is_first_needed_and_is_the_same_for_all(world):
    signature = world.key.sign(b"message")

    other = DynamoServiceKey(AuditedTable(world.client, world.table))
    Ed25519PublicKey.from_public_bytes(other.public()).verify(signature, b"message")
    assert other.sign(b"message") == signature


def test_of_two_that_make_the_key_at_once_both_get_the_same(world, monkeypatch):
    other = DynamoServiceKey(AuditedTable(world.client, world.table))
    add = world.key._table.add_if_absent

    def add_and_be_overtaken(item: Any) -> bool:
        other.public()
        return add(item)

    monkeypatch.setattr(world.key._table, "add_if_absent", add_and_be_overtaken)

    assert world.key.public() == other.public()


def test_what_is_told_is_not_the_key_itself(world):
    item = {"pk": {"S": "SERVICE"}, "sk": {"S": "SIGNING_KEY"}}
    told = world.key.public() + world.key.sign(b"message")

    seed = bytes(world.client.get_item(TableName=world.table, Key=item)["Item"]["seed"]["B"])

    assert len(seed) == 32
    assert seed not in told
