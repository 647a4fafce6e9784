"""Accounts and keys in DynamoDB.

One item alone decides whether a key is valid (``KEY#<sha256>``). The account's listing only points to it; both are
written in one transaction, so they cannot disagree. A raw key is hashed on entry, and neither stored nor logged.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from botocore.exceptions import ClientError

from cutout.accounts import OPERATOR, Account, Actor, ApiKey, AuditEntry, Caller, KeyMode, KeyStatus
from cutout.authentication import fingerprint_key, hash_key
from cutout.aws.dynamodb import key_changes
from cutout.aws.dynamodb.account_items import (
    Item,
    key_pointer_primary_key,
    key_primary_key,
    profile_primary_key,
    to_account,
    to_key,
)
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE, AuditedTable, account_creation
from cutout.aws.dynamodb.errors import is_condition_failed, service_errors
from cutout.errors import ConflictError, NotFoundError, ServiceUnavailableError
from cutout.ids import AccountId, KeyFingerprint, KeyHash

logger = logging.getLogger(__name__)

BATCH_GET_ITEMS: Final = 100
"""Items of one BatchGetItem (service quota)."""
MAX_KEYS: Final = 500
"""The most keys of an account, closed ones included; only a client that makes keys in a loop reaches it."""


class DynamoKeyStore:
    """The accounts and API keys in the table ``Accounts``; every change is audited.

    Every method raises ServiceUnavailableError while DynamoDB is unavailable.

    Args:
        table: The table.
    """

    def __init__(self, table: AuditedTable) -> None:
        self._table = table

    def find(self, key_hash: KeyHash) -> Caller | None:
        """Look a key up.

        Reads are strongly consistent, so that a key works as soon as it is made and ends as soon as it is revoked; the
        cache in front of this store makes the more expensive read rare.

        Args:
            key_hash: SHA-256 of the raw key.

        Returns:
            The key and its account; None for a key that is unknown or whose account does not exist.
        """
        key_found = self._table.get(key_primary_key(key_hash))
        if key_found is None:
            return None
        key = to_key(key_found)
        account = self.find_account(key.account_id)
        if account is None:
            logger.warning("key %s belongs to no account", key.fingerprint)
            return None
        return Caller(account=account, key=key)

    def find_account(self, account_id: AccountId) -> Account | None:
        """Look an account up with strong consistency; return None when there is none."""
        profile = self._table.get(profile_primary_key(account_id))
        return to_account(profile) if profile else None

    def touch(self, key_hash: KeyHash, day: date) -> None:
        """Record the day of use, once a day per key. A failure is only logged: it must not end the request.

        Args:
            key_hash: SHA-256 of the raw key.
            day: The day of use (UTC).
        """
        try:
            with service_errors(UNAVAILABLE):
                self._table.client.update_item(
                    TableName=self._table.name,
                    Key=key_primary_key(key_hash),
                    UpdateExpression="SET last_used_day = :day",
                    ConditionExpression="attribute_exists(pk) AND NOT last_used_day >= :day",
                    ExpressionAttributeValues={":day": {"S": day.isoformat()}},
                )
        except (ClientError, ServiceUnavailableError) as error:
            if isinstance(error, ClientError) and is_condition_failed(error):
                return  # the day is noted already
            logger.warning("day of use not noted for key %s", fingerprint_key(key_hash), exc_info=True)

    def create_account(self, account: Account, actor: Actor = OPERATOR) -> None:
        """Add an account.

        Args:
            account: The account.
            actor: The author of the change.

        Raises:
            InvalidRequestError: The id is in use.
        """
        self._table.commit(*account_creation(self._table, account, actor))

    def create_key(
        self, account_id: AccountId, raw_key: str, mode: KeyMode, label: str = "", actor: Actor = OPERATOR
    ) -> ApiKey:
        """Add a key to an account.

        Args:
            account_id: The account.
            raw_key: The key.
            mode: What the key may be used for.
            label: A name for people.
            actor: The author of the change.

        Returns:
            The key's facts.

        Raises:
            NotFoundError: There is no such account.
            InvalidApiKeyError: No key can look like this.
            InvalidRequestError: The key is in use.
            ConflictError: The account has MAX_KEYS keys.
        """
        key_hash = hash_key(raw_key)
        self._require_below_limit(account_id)
        key = self._make(account_id, key_hash, mode, label)
        entry = self._entry(key, "key.create", actor, {"mode": mode.value, "label": label})
        self._table.commit(key_changes.creation(self._table, key_hash, key), entry)
        return key

    def list_keys(self, account_id: AccountId) -> list[ApiKey]:
        """List all keys of an account, closed ones included, oldest first; none for an unknown account."""
        with service_errors(UNAVAILABLE):
            keys = [to_key(item) for item in self._get_keys(self._hashes(account_id))]
        return sorted(keys, key=lambda key: (key.created_at, key.fingerprint))

    def find_key(self, account_id: AccountId, key_fingerprint: KeyFingerprint) -> ApiKey:
        """Look one of an account's keys up.

        Args:
            account_id: The account.
            key_fingerprint: The key's fingerprint.

        Returns:
            The key's facts.

        Raises:
            NotFoundError: The account has no such key.
        """
        return self._key_of(account_id, key_fingerprint)[1]

    def revoke(self, account_id: AccountId, key_fingerprint: KeyFingerprint, actor: Actor = OPERATOR) -> ApiKey:
        """Revoke a key for ever; to revoke a closed key is no error.

        Args:
            account_id: The account.
            key_fingerprint: The key's fingerprint.
            actor: The author of the change.

        Returns:
            The revoked key's facts.

        Raises:
            NotFoundError: The account has no such key.
        """
        key_hash, key = self._key_of(account_id, key_fingerprint)
        changes = key_changes.revocation(self._table, key_hash, key, _unknown_key(account_id, key_fingerprint))
        self._table.commit(changes, self._entry(key, "key.revoke", actor))
        return replace(key, status=KeyStatus.REVOKED)

    def rotate(
        self,
        account_id: AccountId,
        key_fingerprint: KeyFingerprint,
        raw_key: str,
        actor: Actor = OPERATOR,
        grace_s: int = 0,
    ) -> ApiKey:
        """Replace an active key by a new one with the same mode and label, which is valid at once.

        Args:
            account_id: The account.
            key_fingerprint: The fingerprint of the old key.
            raw_key: The new key.
            actor: The author of the change.
            grace_s: Seconds for which the old key remains valid; 0: it is revoked now.

        Returns:
            The new key's facts.

        Raises:
            NotFoundError: The account has no such key.
            InvalidApiKeyError: No key can look like the new one.
            InvalidRequestError: The new key is in use.
            ConflictError: The old key is revoked or was rotated before, or the account has MAX_KEYS keys.
        """
        self._require_below_limit(account_id)
        old_hash, old = self._key_of(account_id, key_fingerprint)
        key_hash = hash_key(raw_key)
        key = self._make(account_id, key_hash, old.mode, old.label)
        closed = ConflictError(f"The key {key_fingerprint} is revoked or was rotated already.")
        changes = [
            *key_changes.retirement(self._table, old_hash, old, grace_s, closed),
            *key_changes.creation(self._table, key_hash, key),
        ]
        entry = self._entry(old, "key.rotate", actor, {"successor": key.fingerprint, "grace_s": grace_s})
        self._table.commit(changes, entry)
        return key

    def audit(self, account_id: AccountId) -> Iterator[AuditEntry]:
        """Read the changes to an account and its keys, oldest first; none for an unknown account."""
        return self._table.entries(account_id)

    def _make(self, account_id: AccountId, key_hash: KeyHash, mode: KeyMode, label: str) -> ApiKey:
        created_at = self._table.now().replace(microsecond=0)
        return ApiKey(account_id, mode, fingerprint_key(key_hash), KeyStatus.ACTIVE, created_at, None, label)

    def _entry(self, key: ApiKey, action: str, actor: Actor, changes: dict[str, object] | None = None) -> AuditEntry:
        return AuditEntry(key.account_id, action, key.fingerprint, actor, self._table.now(), changes or {})

    def _hashes(self, account_id: AccountId) -> list[KeyHash]:
        prefix = key_pointer_primary_key(account_id, "")
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": prefix["pk"], ":sk": prefix["sk"]},
        )
        return [KeyHash(item["key_hash"]["S"]) for page in pages for item in page["Items"]]

    def _require_below_limit(self, account_id: AccountId) -> None:
        with service_errors(UNAVAILABLE):
            if len(self._hashes(account_id)) >= MAX_KEYS:
                days = key_changes.RETENTION_DAYS
                message = f"The account has {MAX_KEYS} keys; closed ones leave the list after {days} days."
                raise ConflictError(message, {"maximum": MAX_KEYS})

    def _get_keys(self, hashes: Sequence[KeyHash]) -> Iterator[Item]:
        waiting: list[Any] = [key_primary_key(key_hash) for key_hash in hashes]
        while waiting:
            batch, waiting = waiting[:BATCH_GET_ITEMS], waiting[BATCH_GET_ITEMS:]
            answer = self._table.client.batch_get_item(
                RequestItems={self._table.name: {"Keys": batch, "ConsistentRead": True}}
            )
            yield from answer["Responses"].get(self._table.name, [])
            left = answer["UnprocessedKeys"].get(self._table.name)
            waiting.extend(left["Keys"] if left else ())

    def _key_of(self, account_id: AccountId, key_fingerprint: KeyFingerprint) -> tuple[KeyHash, ApiKey]:
        pointer = self._table.get(key_pointer_primary_key(account_id, key_fingerprint))
        found = pointer and self._table.get(key_primary_key(pointer["key_hash"]["S"]))
        if not pointer or not found:
            raise _unknown_key(account_id, key_fingerprint)
        return KeyHash(pointer["key_hash"]["S"]), to_key(found)


def _unknown_key(account_id: AccountId, key_fingerprint: KeyFingerprint) -> NotFoundError:
    return NotFoundError(f"The account {account_id} has no key {key_fingerprint}.")
