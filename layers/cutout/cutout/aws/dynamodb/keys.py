"""Accounts and keys in DynamoDB.

One item alone tells whether a key is good (``KEY#<sha256>``); the account's listing only points to it, and both are
written in one transaction, so they cannot disagree. A raw key is hashed on entry and neither kept nor logged.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cutout.accounts import (
    OPERATOR,
    Account,
    Actor,
    ApiKey,
    AuditEntry,
    Caller,
    KeyMode,
    KeyStatus,
    fingerprint,
    hash_key,
)
from cutout.aws.dynamodb import key_changes
from cutout.aws.dynamodb.account_items import Item, key_id, listing_id, profile_id, to_account, to_key
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE, AuditedTransaction, adding_account
from cutout.aws.dynamodb.errors import is_not_met, service_errors
from cutout.errors import ConflictError, NotFoundError, ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

BATCH_GET_ITEMS: Final = 100
"""Items of one BatchGetItem (service quota)."""
MAX_KEYS: Final = 500
"""Keys that an account may list, closed ones included: only who makes them in a loop will meet it."""


class DynamoKeyStore:
    """The table ``Accounts``. Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now.

    Every change is audited (:mod:`cutout.aws.dynamodb.audited_transaction`): ``by`` says who makes it. now: UTC.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        audited: Callable[[AuditEntry], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._table = table
        self._transaction = AuditedTransaction(client, table, now, audited)

    def find(self, key_hash: str) -> Caller | None:
        """Look a key up; one whose account is gone is unknown.

        Reads are consistent, so that a key works when it is made and is gone when it is revoked; the cache in front
        makes the dearer read rare.
        """
        key_found = self._transaction.get(key_id(key_hash))
        if key_found is None:
            return None
        key = to_key(key_found)
        account = self.find_account(key.account_id)
        if account is None:
            logger.warning("key %s belongs to no account", key.fingerprint)
            return None
        return Caller(account=account, key=key)

    def find_account(self, account_id: str) -> Account | None:
        """Look an account up by its id; None when there is none. Consistent."""
        profile = self._transaction.get(profile_id(account_id))
        return to_account(profile) if profile else None

    def touch(self, key_hash: str, day: date) -> None:
        """Note the day of use, at most once a day per key; a failure is logged, for no request may fail over it."""
        try:
            with service_errors(UNAVAILABLE):
                self._client.update_item(
                    TableName=self._table,
                    Key=key_id(key_hash),
                    UpdateExpression="SET last_used_day = :day",
                    ConditionExpression="attribute_exists(pk) AND NOT last_used_day >= :day",
                    ExpressionAttributeValues={":day": {"S": day.isoformat()}},
                )
        except (ClientError, ServiceUnavailableError) as error:
            if isinstance(error, ClientError) and is_not_met(error):
                return  # the day is noted already
            logger.warning("day of use not noted for key %s", fingerprint(key_hash), exc_info=True)

    def create_account(self, account: Account, actor: Actor = OPERATOR) -> None:
        """Add an account. Raises InvalidRequestError when its id is taken."""
        self._transaction.commit(*adding_account(self._transaction, account, actor))

    def create_key(
        self, account_id: str, raw_key: str, mode: KeyMode, label: str = "", actor: Actor = OPERATOR
    ) -> ApiKey:
        """Let a raw key open an account.

        Raises NotFoundError (no such account), InvalidRequestError (used key), ConflictError (too many keys).
        """
        key_hash = hash_key(raw_key)
        self._require_room(account_id)
        key = self._make(account_id, key_hash, mode, label)
        entry = self._entry(key, "key.create", actor, {"mode": mode.value, "label": label})
        self._transaction.commit(key_changes.adding(self._transaction, key_hash, key), entry)
        return key

    def list_keys(self, account_id: str) -> list[ApiKey]:
        """All keys of an account, closed ones included, oldest first; none for an unknown account."""
        with service_errors(UNAVAILABLE):
            keys = [to_key(item) for item in self._get_keys(self._hashes(account_id))]
        return sorted(keys, key=lambda key: (key.created_at, key.fingerprint))

    def find_key(self, account_id: str, key_fingerprint: str) -> ApiKey:
        """One of an account's keys. Raises NotFoundError."""
        return self._key_of(account_id, key_fingerprint)[1]

    def revoke(self, account_id: str, key_fingerprint: str, actor: Actor = OPERATOR) -> ApiKey:
        """Close a key for good; a closed one stays closed. Raises NotFoundError for a key that is not the account's."""
        key_hash, key = self._key_of(account_id, key_fingerprint)
        changes = key_changes.revoking(self._transaction, key_hash, key, _unknown_key(account_id, key_fingerprint))
        self._transaction.commit(changes, self._entry(key, "key.revoke", actor))
        return replace(key, status=KeyStatus.REVOKED)

    def rotate(
        self, account_id: str, key_fingerprint: str, raw_key: str, actor: Actor = OPERATOR, grace_s: int = 0
    ) -> ApiKey:
        """Put a raw key in the place of an active one, mode and label kept; the new one opens at once.

        grace_s: for so long the old one opens too; 0: it closes as the new one opens. Raises NotFoundError for an
        unknown key, ConflictError for one that is revoked or was rotated before, InvalidRequestError for a used new
        one, ConflictError for too many keys.
        """
        self._require_room(account_id)
        old_hash, old = self._key_of(account_id, key_fingerprint)
        key_hash = hash_key(raw_key)
        key = self._make(account_id, key_hash, old.mode, old.label)
        closed = ConflictError(f"The key {key_fingerprint} is revoked or was rotated already.")
        changes = [
            *key_changes.retiring(self._transaction, old_hash, old, grace_s, closed),
            *key_changes.adding(self._transaction, key_hash, key),
        ]
        entry = self._entry(old, "key.rotate", actor, {"successor": key.fingerprint, "grace_s": grace_s})
        self._transaction.commit(changes, entry)
        return key

    def audit(self, account_id: str) -> Iterator[AuditEntry]:
        """What was done to an account and its keys, oldest first; nothing for an unknown account."""
        return self._transaction.entries(account_id)

    def _make(self, account_id: str, key_hash: str, mode: KeyMode, label: str) -> ApiKey:
        created_at = self._transaction.now().replace(microsecond=0)
        return ApiKey(account_id, mode, fingerprint(key_hash), KeyStatus.ACTIVE, created_at, None, label)

    def _entry(self, key: ApiKey, action: str, actor: Actor, changes: dict[str, object] | None = None) -> AuditEntry:
        return AuditEntry(key.account_id, action, key.fingerprint, actor, self._transaction.now(), changes or {})

    def _hashes(self, account_id: str) -> list[str]:
        prefix = listing_id(account_id, "")
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": prefix["pk"], ":sk": prefix["sk"]},
        )
        return [item["key_hash"]["S"] for page in pages for item in page["Items"]]

    def _require_room(self, account_id: str) -> None:
        with service_errors(UNAVAILABLE):
            if len(self._hashes(account_id)) >= MAX_KEYS:
                message = (
                    f"The account has {MAX_KEYS} keys; closed ones leave the list after {key_changes.KEPT_DAYS} days."
                )
                raise ConflictError(message, {"maximum": MAX_KEYS})

    def _get_keys(self, hashes: Sequence[str]) -> Iterator[Item]:
        waiting: list[Any] = [key_id(key_hash) for key_hash in hashes]
        while waiting:
            batch, waiting = waiting[:BATCH_GET_ITEMS], waiting[BATCH_GET_ITEMS:]
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": batch, "ConsistentRead": True}})
            yield from answer["Responses"].get(self._table, [])
            left = answer["UnprocessedKeys"].get(self._table)
            waiting.extend(left["Keys"] if left else ())

    def _key_of(self, account_id: str, key_fingerprint: str) -> tuple[str, ApiKey]:
        pointer = self._transaction.get(listing_id(account_id, key_fingerprint))
        found = pointer and self._transaction.get(key_id(pointer["key_hash"]["S"]))
        if not pointer or not found:
            raise _unknown_key(account_id, key_fingerprint)
        return str(pointer["key_hash"]["S"]), to_key(found)


def _unknown_key(account_id: str, key_fingerprint: str) -> NotFoundError:
    return NotFoundError(f"The account {account_id} has no key {key_fingerprint}.")
