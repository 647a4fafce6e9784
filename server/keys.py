"""The keys of the environment, written to the accounts table at every start."""

from collections.abc import Mapping
from contextlib import suppress

from cutout.accounts import KeyMode, KeyStatus
from cutout.authentication import fingerprint_key, hash_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.errors import InvalidApiKeyError, NotFoundError
from local.cloud import LOCAL_ACCOUNT, client
from local.service import StartError

LABEL = "environment"
"""The label of these keys; other keys of the account are its owner's."""


def write_keys(aws: str | None, table: str, keys: Mapping[KeyMode, str]) -> None:
    """Make the account ``acct_local`` and its keys, and revoke those that the environment has no longer.

    Args:
        aws: URL of the process that holds the state; None where moto works inside this process.
        table: Name of the accounts table.
        keys: Raw keys by mode; empty text: none.

    Raises:
        StartError: A key is not one, or was revoked for good.
    """
    store = DynamoKeyStore(AuditedTable(client("dynamodb", aws), table))
    if store.find_account(LOCAL_ACCOUNT.id) is None:
        store.create_account(LOCAL_ACCOUNT)
    wanted = {mode: raw_key for mode, raw_key in keys.items() if raw_key}
    for mode, raw_key in wanted.items():
        _write(store, mode, raw_key)
    fingerprints = {fingerprint_key(hash_key(raw_key)) for raw_key in wanted.values()}
    for key in store.list_keys(LOCAL_ACCOUNT.id):
        if key.label == LABEL and key.status is KeyStatus.ACTIVE and key.fingerprint not in fingerprints:
            with suppress(NotFoundError):
                store.revoke(LOCAL_ACCOUNT.id, key.fingerprint)


def _write(store: DynamoKeyStore, mode: KeyMode, raw_key: str) -> None:
    try:
        found = store.find(hash_key(raw_key))
    except InvalidApiKeyError as error:
        raise StartError(f"the {mode} key must have 1 to 256 ASCII characters") from error
    if found is None:
        store.create_key(LOCAL_ACCOUNT.id, raw_key, mode, LABEL)
    elif found.key.status is KeyStatus.REVOKED:
        raise StartError(f"the {mode} key was revoked and never works again; give another one")
    elif found.key.mode is not mode:
        raise StartError(f"the {mode} key is stored as a {found.key.mode} key; give another one")
