"""Accounts and keys in DynamoDB.

One item alone tells whether a key is good (``KEY#<sha256>``); the account's listing only points to it, and both are
written in one transaction, so they cannot disagree. A raw key is hashed on entry and neither kept nor logged.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cutout.accounts import Account, ApiKey, Caller, KeyMode, KeyStatus, fingerprint, hash_key
from cutout.aws.account_items import Item, key_id, key_item, listing_id, profile_id, profile_item, to_account, to_key
from cutout.aws.dynamo_errors import NOT_MET, is_not_met, refusals, service_errors
from cutout.errors import CutoutError, InvalidRequestError, NotFoundError, ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

AWAY = "Accounts cannot be looked up just now; try again shortly."
BATCH_GET_ITEMS = 100
"""Items of one BatchGetItem (service quota)."""


class DynamoKeyStore:
    """The table ``Accounts``. Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now."""

    def __init__(
        self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._table = table
        self._now = now

    def find(self, key_hash: str) -> Caller | None:
        """Look a key up; one whose account is gone is unknown.

        Reads are consistent, so that a key works when it is made and is gone when it is revoked; the cache in front
        makes the dearer read rare.
        """
        key_found = self._get(key_id(key_hash))
        if key_found is None:
            return None
        key = to_key(key_found)
        profile = self._get(profile_id(key.account_id))
        if profile is None:
            logger.warning("key %s belongs to no account", key.fingerprint)
            return None
        return Caller(account=to_account(profile), key=key)

    def find_account(self, account_id: str) -> Account | None:
        """Look an account up by its id; None when there is none. Consistent."""
        profile = self._get(profile_id(account_id))
        return to_account(profile) if profile else None

    def touch(self, key_hash: str, day: date) -> None:
        """Note the day of use, at most once a day per key; a failure is logged, for no request may fail over it."""
        try:
            with service_errors(AWAY):
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

    def create_account(self, account: Account) -> None:
        """Add an account. Raises InvalidRequestError when its id is taken."""
        write: Any = {"Put": self._new(profile_item(account))}
        self._write([(write, InvalidRequestError(f"The account {account.id} exists already."))])

    def create_key(self, account_id: str, raw_key: str, mode: KeyMode, label: str = "") -> ApiKey:
        """Let a raw key open an account. Raises NotFoundError (no such account), InvalidRequestError (used key)."""
        key_hash = hash_key(raw_key)
        key = self._make(account_id, key_hash, mode, label)
        self._write(self._adding(key_hash, key))
        return key

    def list_keys(self, account_id: str) -> list[ApiKey]:
        """All keys of an account, revoked ones included, oldest first; none for an unknown account."""
        prefix = listing_id(account_id, "")
        with service_errors(AWAY):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": prefix["pk"], ":sk": prefix["sk"]},
            )
            hashes = [item["key_hash"]["S"] for page in pages for item in page["Items"]]
            keys = [to_key(item) for item in self._get_keys(hashes)]
        return sorted(keys, key=lambda key: (key.created_at, key.fingerprint))

    def revoke(self, account_id: str, key_fingerprint: str) -> None:
        """Close a key for good; a closed one stays closed. Raises NotFoundError for a key that is not the account's."""
        key_hash = self._hash_of(account_id, key_fingerprint)
        self._write([(self._closing(key_hash), _unknown_key(account_id, key_fingerprint))])

    def rotate(self, account_id: str, key_fingerprint: str, raw_key: str) -> ApiKey:
        """Put a raw key in the place of an active one, mode and label kept: the new one opens as the old one closes.

        Raises NotFoundError for an unknown key, InvalidRequestError for a revoked one or a used new one. For a time
        in which both work, create a key and revoke the old one later.
        """
        old_hash = self._hash_of(account_id, key_fingerprint)
        found = self._get(key_id(old_hash))
        if found is None:
            raise _unknown_key(account_id, key_fingerprint)
        old = to_key(found)
        key_hash = hash_key(raw_key)
        key = self._make(account_id, key_hash, old.mode, old.label)
        closed = InvalidRequestError(f"The key {key_fingerprint} is revoked already.")
        self._write([(self._closing(old_hash, if_active=True), closed), *self._adding(key_hash, key)])
        return key

    def _make(self, account_id: str, key_hash: str, mode: KeyMode, label: str) -> ApiKey:
        created_at = self._now().replace(microsecond=0)
        return ApiKey(account_id, mode, fingerprint(key_hash), KeyStatus.ACTIVE, created_at, None, label)

    def _get(self, item_id: Item) -> Item | None:
        with service_errors(AWAY):
            return self._client.get_item(TableName=self._table, Key=item_id, ConsistentRead=True).get("Item")

    def _get_keys(self, hashes: Sequence[str]) -> Iterator[Item]:
        waiting: list[Any] = [key_id(key_hash) for key_hash in hashes]
        while waiting:
            batch, waiting = waiting[:BATCH_GET_ITEMS], waiting[BATCH_GET_ITEMS:]
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": batch, "ConsistentRead": True}})
            yield from answer["Responses"].get(self._table, [])
            left = answer["UnprocessedKeys"].get(self._table)
            waiting.extend(left["Keys"] if left else ())

    def _hash_of(self, account_id: str, key_fingerprint: str) -> str:
        pointer = self._get(listing_id(account_id, key_fingerprint))
        if pointer is None:
            raise _unknown_key(account_id, key_fingerprint)
        return str(pointer["key_hash"]["S"])

    def _new(self, item: Item) -> Item:
        return {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}

    def _adding(self, key_hash: str, key: ApiKey) -> "list[tuple[Any, CutoutError]]":
        used = InvalidRequestError("This key is in use already.")
        pointer = listing_id(key.account_id, key.fingerprint) | {"key_hash": {"S": key_hash}}
        account = {"Key": profile_id(key.account_id), "ConditionExpression": "attribute_exists(pk)"}
        return [
            (
                {"ConditionCheck": {"TableName": self._table, **account}},
                NotFoundError(f"There is no account {key.account_id}."),
            ),
            ({"Put": self._new(key_item(key_hash, key))}, used),
            ({"Put": self._new(pointer)}, used),
        ]

    def _closing(self, key_hash: str, *, if_active: bool = False) -> Item:
        states = (KeyStatus.ACTIVE,) if if_active else (KeyStatus.ACTIVE, KeyStatus.REVOKED)
        return {
            "Update": {
                "TableName": self._table,
                "Key": key_id(key_hash),
                "UpdateExpression": "SET #status = :revoked",
                "ConditionExpression": f"#status IN ({', '.join(f':{state.value}' for state in states)})",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {f":{state.value}": {"S": state.value} for state in KeyStatus},
            }
        }

    def _write(self, writes: "Sequence[tuple[Any, CutoutError]]") -> None:
        """Do all writes or none; each comes with the error to raise when its condition is not met."""
        try:
            with service_errors(AWAY):
                self._client.transact_write_items(TransactItems=[write for write, _ in writes])
        except self._client.exceptions.TransactionCanceledException as error:
            for (_, refusal), reason in zip(writes, refusals(error), strict=True):
                if reason == NOT_MET:
                    raise refusal from error
            raise ServiceUnavailableError(
                AWAY
            ) from error  # every other reason is a conflict with another writer, or throttling


def _unknown_key(account_id: str, key_fingerprint: str) -> NotFoundError:
    return NotFoundError(f"The account {account_id} has no key {key_fingerprint}.")
