"""The writes that make, retire and revoke a key. Both of its items change together, or not at all."""

from datetime import datetime, timedelta
from typing import Final

from cutout.accounts import ApiKey, KeyStatus
from cutout.aws.dynamodb.account_items import Item, key_id, key_item, listing_id, profile_id
from cutout.aws.dynamodb.audited_transaction import AuditedTransaction, Change
from cutout.errors import CutoutError, InvalidRequestError, NotFoundError

KEPT_DAYS: Final = 90
"""For so long a closed key stays listed; then both of its items are gone, and it is as unknown as if it never was."""
UNTOUCHED: Final = "#status = :active AND attribute_not_exists(valid_until)"
"""Neither revoked nor rotated."""


def adding(ledger: AuditedTransaction, key_hash: str, key: ApiKey) -> list[Change]:
    """A new key of an account that is there: NotFoundError, or InvalidRequestError for a key in use."""
    used = InvalidRequestError("This key is in use already.")
    pointer = listing_id(key.account_id, key.fingerprint) | {"key_hash": {"S": key_hash}}
    nobody = NotFoundError(f"There is no account {key.account_id}.")
    return [
        (ledger.check(profile_id(key.account_id), "attribute_exists(pk)"), nobody),
        (ledger.new(key_item(key_hash, key)), used),
        (ledger.new(pointer), used),
    ]


def revoking(ledger: AuditedTransaction, key_hash: str, key: ApiKey, refusal: CutoutError) -> list[Change]:
    """Close a key now, whatever its state. refusal: when it is not there."""
    values = {":status": {"S": KeyStatus.REVOKED.value}, ":expires_at": _forgotten(ledger.now())}
    names = {"#status": "status"}
    close = ledger.update(
        key_id(key_hash),
        "SET #status = :status, expires_at = :expires_at",
        "attribute_exists(pk)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
    return [(close, refusal), _unlisting(ledger, key, ledger.now(), refusal)]


def retiring(
    ledger: AuditedTransaction, key_hash: str, key: ApiKey, grace_s: int, refusal: CutoutError
) -> list[Change]:
    """Close an untouched key when the grace is over, or now. refusal: when it is revoked or was rotated before."""
    until = ledger.now().replace(microsecond=0) + timedelta(seconds=grace_s)
    values = {":active": {"S": KeyStatus.ACTIVE.value}, ":expires_at": _forgotten(until)}
    if grace_s > 0:
        update = "SET valid_until = :until, expires_at = :expires_at"
        values[":until"] = {"S": until.isoformat()}
    else:
        update = "SET #status = :revoked, expires_at = :expires_at"
        values[":revoked"] = {"S": KeyStatus.REVOKED.value}
    names = {"#status": "status"}
    close = ledger.update(
        key_id(key_hash), update, UNTOUCHED, ExpressionAttributeNames=names, ExpressionAttributeValues=values
    )
    return [(close, refusal), _unlisting(ledger, key, until, refusal)]


def _unlisting(ledger: AuditedTransaction, key: ApiKey, closed_at: datetime, refusal: CutoutError) -> Change:
    pointer = listing_id(key.account_id, key.fingerprint)
    values = {":expires_at": _forgotten(closed_at)}
    change = ledger.update(
        pointer, "SET expires_at = :expires_at", "attribute_exists(pk)", ExpressionAttributeValues=values
    )
    return change, refusal


def _forgotten(closed_at: datetime) -> Item:
    """The table's TTL attribute."""
    return {"N": str(int((closed_at + timedelta(days=KEPT_DAYS)).timestamp()))}
