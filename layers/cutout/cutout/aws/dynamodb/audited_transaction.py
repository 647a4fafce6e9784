"""Changes to accounts: all writes or none, and with them, in the same transaction, who did what.

A change by a key stands only if that key is still good at that moment, whatever a cache says; so of two keys that
revoke each other one remains, and whoever changes keys still holds one afterwards.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cutout.accounts import ACTIVE_STATUSES, Account, Actor, AuditEntry, KeyStatus
from cutout.aws.dynamodb.account_items import (
    Item,
    audit_item,
    audit_prefix,
    key_id,
    listing_id,
    profile_id,
    profile_item,
    to_audit,
)
from cutout.aws.dynamodb.errors import NOT_MET, refusals, service_errors
from cutout.errors import CutoutError, InvalidApiKeyError, InvalidRequestError, ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNAVAILABLE = "Accounts cannot be looked up just now; try again shortly."

Change = tuple[Item, CutoutError]
"""A write of a transaction, and the error to raise when its condition is not met."""


class AuditedTransaction:
    """Writes to the table ``Accounts``. now: UTC. audited: told of every entry that was written."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        audited: Callable[[AuditEntry], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._table = table
        self.now = now
        self._audited = audited

    def commit(self, changes: Sequence[Change], entry: AuditEntry) -> None:
        """Do the changes and note the entry.

        Raises the error of the first change that was refused, InvalidApiKeyError when the acting key is no longer good,
        ServiceUnavailableError when a retry may work.
        """
        nonce = secrets.token_hex(4)
        note = {"Put": {"TableName": self._table, "Item": audit_item(entry, nonce)}}
        all_changes = [*changes, *self._guards(entry, [_key_of(write) for write, _ in changes])]
        writes: Any = [*(write for write, _ in all_changes), note]
        with service_errors(UNAVAILABLE):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except self._client.exceptions.TransactionCanceledException as error:
                for (_, refusal), reason in zip(all_changes, refusals(error), strict=False):
                    if reason == NOT_MET:
                        raise refusal from error
                raise ServiceUnavailableError(UNAVAILABLE) from error  # a conflict with another writer, or throttling
        self._audited(entry)

    def entries(self, account_id: str) -> Iterator[AuditEntry]:
        """All entries of an account's audit, oldest first. Raises ServiceUnavailableError."""
        prefix = audit_prefix(account_id)
        with service_errors(UNAVAILABLE):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": prefix["pk"], ":sk": prefix["sk"]},
            )
            for page in pages:
                yield from map(to_audit, page["Items"])

    def get(self, item_id: Item) -> Item | None:
        """Read one item, consistently. Raises ServiceUnavailableError."""
        with service_errors(UNAVAILABLE):
            return self._client.get_item(TableName=self._table, Key=item_id, ConsistentRead=True).get("Item")

    def add_if_absent(self, item: Item) -> bool:
        """Write one item without an audit; False when it is there already. Raises ServiceUnavailableError."""
        put: Any = self.new(item)["Put"]
        with service_errors(UNAVAILABLE):
            try:
                self._client.put_item(**put)
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def new(self, item: Item) -> Item:
        """Make the write of an item that must not be there yet."""
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def check(self, item_id: Item, condition: str, **expression: Item) -> Item:
        """Make a condition that writes nothing. expression: names and values, as DynamoDB calls these arguments."""
        checked = {"TableName": self._table, "Key": item_id, "ConditionExpression": condition}
        return {"ConditionCheck": checked | expression}

    def update(self, item_id: Item, update: str, condition: str, **expression: Item) -> Item:
        """Make a write that changes an item on a condition."""
        changed = {"TableName": self._table, "Key": item_id, "UpdateExpression": update}
        return {"Update": changed | {"ConditionExpression": condition} | expression}

    def _guards(self, entry: AuditEntry, changed: Sequence[Item]) -> Iterator[Change]:
        """Make the checks on the acting key and its account.

        A transaction takes each item once: what it changes is fenced by the change's own condition.
        """
        actor = entry.actor
        if actor.account_id is None:
            return
        invalid = InvalidApiKeyError("The API key is not valid.")
        pointer = self.get(listing_id(actor.account_id, actor.name))
        if pointer is None:
            raise invalid
        key = key_id(pointer["key_hash"]["S"])
        if key not in changed:
            values = {":active": {"S": KeyStatus.ACTIVE.value}}
            condition = "#status = :active AND attribute_not_exists(valid_until)"
            names = {"#status": "status"}
            yield (
                self.check(key, condition, ExpressionAttributeNames=names, ExpressionAttributeValues=values),
                invalid,
            )
        profile = profile_id(actor.account_id)
        if profile not in changed and profile != profile_id(entry.account_id):
            values = {f":{status}": {"S": status} for status in sorted(ACTIVE_STATUSES)}
            condition = f"subscription_status IN ({', '.join(values)})"
            yield self.check(profile, condition, ExpressionAttributeValues=values), invalid


def adding_account(ledger: AuditedTransaction, account: Account, actor: Actor) -> tuple[list[Change], AuditEntry]:
    """Make the change and the entry of a new account: InvalidRequestError when its id is taken."""
    taken = InvalidRequestError(f"The account {account.id} exists already.")
    entry = AuditEntry(account.id, "account.create", account.id, actor, ledger.now(), {"plan": account.plan})
    return [(ledger.new(profile_item(account)), taken)], entry


def _key_of(write: Item) -> Item:
    ((_, arguments),) = write.items()
    if "Key" in arguments:
        return dict(arguments["Key"])
    return {name: arguments["Item"][name] for name in ("pk", "sk")}
