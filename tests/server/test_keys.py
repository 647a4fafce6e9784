"""The keys of the environment in the accounts table."""

import pytest
from moto import mock_aws

from cutout.accounts import KeyMode, KeyStatus
from cutout.authentication import hash_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from local.cloud import LOCAL_ACCOUNT, client, create_cloud
from local.service import StartError
from server.keys import write_keys


@pytest.fixture
def table(template):
    with mock_aws():
        create_cloud(template)
        yield template.tables["AccountsTable"].name


def keys(table: str) -> dict[str, tuple[KeyMode, KeyStatus]]:
    store = DynamoKeyStore(AuditedTable(client("dynamodb"), table))
    return {key.fingerprint: (key.mode, key.status) for key in store.list_keys(LOCAL_ACCOUNT.id)}


def test_a_second_start_changes_nothing(table):
    write_keys(None, table, {KeyMode.LIVE: "one", KeyMode.ADMIN: "two"})
    first = keys(table)
    assert sorted(first.values()) == [(KeyMode.ADMIN, KeyStatus.ACTIVE), (KeyMode.LIVE, KeyStatus.ACTIVE)]
    write_keys(None, table, {KeyMode.LIVE: "one", KeyMode.ADMIN: "two"})
    assert keys(table) == first


def test_a_key_that_is_no_longer_given_is_revoked_and_others_are_not(table):
    write_keys(None, table, {KeyMode.LIVE: "one", KeyMode.ADMIN: ""})
    store = DynamoKeyStore(AuditedTable(client("dynamodb"), table))
    own = store.create_key(LOCAL_ACCOUNT.id, "made over HTTP", KeyMode.LIVE, "mine").fingerprint
    write_keys(None, table, {KeyMode.LIVE: "three", KeyMode.ADMIN: ""})
    status = {fingerprint: status for fingerprint, (_, status) in keys(table).items()}
    assert status.pop(own) is KeyStatus.ACTIVE
    assert sorted(status.values()) == [KeyStatus.ACTIVE, KeyStatus.REVOKED]
    assert store.find(hash_key("three")).key.status is KeyStatus.ACTIVE
    with pytest.raises(StartError, match="revoked"):
        write_keys(None, table, {KeyMode.LIVE: "one"})


@pytest.mark.parametrize("raw_key", ["Schlüssel", "x" * 257])
def test_what_cannot_be_a_key_is_refused(table, raw_key):
    with pytest.raises(StartError, match="live key"):
        write_keys(None, table, {KeyMode.LIVE: raw_key})


def test_one_text_is_not_a_live_and_an_admin_key(table):
    with pytest.raises(StartError, match="stored as a live key"):
        write_keys(None, table, {KeyMode.LIVE: "same", KeyMode.ADMIN: "same"})
