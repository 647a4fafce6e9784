"""The writes that add, retire and revoke a key. Both items of the key change together, or neither does."""

from datetime import datetime, timedelta
from typing import Final

from cutout.accounts import ApiKey, KeyStatus
from cutout.aws.dynamodb.account_items import (
    Item,
    key_item,
    key_pointer_primary_key,
    key_primary_key,
    profile_primary_key,
)
from cutout.aws.dynamodb.audited_transaction import AuditedTable, Change
from cutout.errors import CutoutError, InvalidRequestError, NotFoundError
from cutout.ids import KeyHash

RETENTION_DAYS: Final = 90
"""Days for which a closed key stays listed; then both of its items are deleted, and the key is unknown."""
_UNCHANGED: Final = "#status = :active AND attribute_not_exists(valid_until)"
"""The condition that a key is neither revoked nor rotated."""


def creation(table: AuditedTable, key_hash: KeyHash, key: ApiKey) -> list[Change]:
    """Make the writes that add a key.

    Args:
        table: The table.
        key_hash: SHA-256 of the raw key.
        key: The key's facts.

    Returns:
        The changes, refused by NotFoundError when there is no such account, and by InvalidRequestError when the key
        is in use.
    """
    used = InvalidRequestError("This key is in use already.")
    pointer = key_pointer_primary_key(key.account_id, key.fingerprint) | {"key_hash": {"S": key_hash}}
    nobody = NotFoundError(f"There is no account {key.account_id}.")
    return [
        (table.check(profile_primary_key(key.account_id), "attribute_exists(pk)"), nobody),
        (table.new(key_item(key_hash, key)), used),
        (table.new(pointer), used),
    ]


def revocation(table: AuditedTable, key_hash: KeyHash, key: ApiKey, refusal: CutoutError) -> list[Change]:
    """Make the writes that revoke a key in any state.

    Args:
        table: The table.
        key_hash: SHA-256 of the raw key.
        key: The key's facts.
        refusal: The error when the key does not exist.

    Returns:
        The changes.
    """
    values = {":status": {"S": KeyStatus.REVOKED.value}, ":expires_at": _expiry(table.now())}
    names = {"#status": "status"}
    close = table.update(
        key_primary_key(key_hash),
        "SET #status = :status, expires_at = :expires_at",
        "attribute_exists(pk)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
    return [(close, refusal), _pointer_expiry(table, key, table.now(), refusal)]


def retirement(table: AuditedTable, key_hash: KeyHash, key: ApiKey, grace_s: int, refusal: CutoutError) -> list[Change]:
    """Make the writes that close a rotated key at the end of its grace period.

    Args:
        table: The table.
        key_hash: SHA-256 of the raw key.
        key: The key's facts.
        grace_s: Seconds for which the key remains valid; 0: it is revoked now.
        refusal: The error when the key is revoked or was rotated before.

    Returns:
        The changes.
    """
    until = table.now().replace(microsecond=0) + timedelta(seconds=grace_s)
    values = {":active": {"S": KeyStatus.ACTIVE.value}, ":expires_at": _expiry(until)}
    if grace_s > 0:
        update = "SET valid_until = :until, expires_at = :expires_at"
        values[":until"] = {"S": until.isoformat()}
    else:
        update = "SET #status = :revoked, expires_at = :expires_at"
        values[":revoked"] = {"S": KeyStatus.REVOKED.value}
    names = {"#status": "status"}
    close = table.update(
        key_primary_key(key_hash), update, _UNCHANGED, ExpressionAttributeNames=names, ExpressionAttributeValues=values
    )
    return [(close, refusal), _pointer_expiry(table, key, until, refusal)]


def _pointer_expiry(table: AuditedTable, key: ApiKey, closed_at: datetime, refusal: CutoutError) -> Change:
    pointer = key_pointer_primary_key(key.account_id, key.fingerprint)
    values = {":expires_at": _expiry(closed_at)}
    change = table.update(
        pointer, "SET expires_at = :expires_at", "attribute_exists(pk)", ExpressionAttributeValues=values
    )
    return change, refusal


def _expiry(closed_at: datetime) -> Item:
    """Write the time at which DynamoDB may delete an item of a closed key (the table's TTL attribute)."""
    return {"N": str(int((closed_at + timedelta(days=RETENTION_DAYS)).timestamp()))}
