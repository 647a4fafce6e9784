"""Audited changes to accounts: one transaction writes a change and its audit entry, or neither.

A change by a key is written only if that key is still valid at that moment, whatever a cache says. So when two keys
revoke each other, one remains.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cutout.accounts import Account, Actor, AuditEntry, KeyStatus
from cutout.authentication import ACTIVE_STATUSES
from cutout.aws.dynamodb.account_items import (
    Item,
    audit_item,
    audit_prefix,
    key_pointer_primary_key,
    key_primary_key,
    profile_item,
    profile_primary_key,
    to_audit,
)
from cutout.aws.dynamodb.errors import CONDITION_FAILED, refusals, service_errors
from cutout.errors import CutoutError, InvalidApiKeyError, InvalidRequestError, ServiceUnavailableError
from cutout.ids import AccountId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNAVAILABLE = "Accounts cannot be looked up just now; try again shortly."

Change = tuple[Item, CutoutError]
"""A write of a transaction, and the error that is raised when its condition is not met."""


class AuditedTable:
    """The table ``Accounts``, with its clock and its audit log.

    Attributes:
        client: The client that reads and writes the table.
        name: The name of the table.
        now: Gives the current time (UTC).

    Args:
        client: A DynamoDB client.
        name: The name of the table.
        now: Gives the current time (UTC).
        audited: Receives every audit entry after it was written.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        name: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        audited: Callable[[AuditEntry], None] = lambda _: None,
    ) -> None:
        self.client = client
        self.name = name
        self.now = now
        self._audited = audited

    def commit(self, changes: Sequence[Change], entry: AuditEntry) -> None:
        """Write changes and their audit entry in one transaction.

        Args:
            changes: The writes, each with the error for its refusal.
            entry: The audit entry.

        Raises:
            CutoutError: The error of the first change whose condition was not met.
            InvalidApiKeyError: The acting key is no longer valid.
            ServiceUnavailableError: DynamoDB is unavailable, or another writer was faster; a retry may work.
        """
        nonce = secrets.token_hex(4)
        note = {"Put": {"TableName": self.name, "Item": audit_item(entry, nonce)}}
        all_changes = [*changes, *self._guards(entry, [_key_of(write) for write, _ in changes])]
        writes: Any = [*(write for write, _ in all_changes), note]
        with service_errors(UNAVAILABLE):
            try:
                self.client.transact_write_items(TransactItems=writes)
            except self.client.exceptions.TransactionCanceledException as error:
                for (_, refusal), reason in zip(all_changes, refusals(error), strict=False):
                    if reason == CONDITION_FAILED:
                        raise refusal from error
                raise ServiceUnavailableError(UNAVAILABLE) from error  # a conflict with another writer, or throttling
        self._audited(entry)

    def entries(self, account_id: AccountId) -> Iterator[AuditEntry]:
        """Read the audit entries of an account.

        Args:
            account_id: The account.

        Yields:
            The entries, oldest first.

        Raises:
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        prefix = audit_prefix(account_id)
        with service_errors(UNAVAILABLE):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": prefix["pk"], ":sk": prefix["sk"]},
            )
            for page in pages:
                yield from map(to_audit, page["Items"])

    def get(self, primary_key: Item) -> Item | None:
        """Read one item with strong consistency.

        Args:
            primary_key: The item's primary key.

        Returns:
            The item, or None.

        Raises:
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        with service_errors(UNAVAILABLE):
            return self.client.get_item(TableName=self.name, Key=primary_key, ConsistentRead=True).get("Item")

    def add_if_absent(self, item: Item) -> bool:
        """Write one item without an audit entry, if it does not exist.

        Args:
            item: The item.

        Returns:
            Whether it was written; False: it exists already.

        Raises:
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        put: Any = self.new(item)["Put"]
        with service_errors(UNAVAILABLE):
            try:
                self.client.put_item(**put)
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def new(self, item: Item) -> Item:
        """Make the write of an item that must not exist yet."""
        return {"Put": {"TableName": self.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def check(self, primary_key: Item, condition: str, **expression: Item) -> Item:
        """Make a condition of a transaction that writes nothing.

        Args:
            primary_key: The item that is checked.
            condition: The condition expression.
            **expression: ``ExpressionAttributeNames`` and ``ExpressionAttributeValues``.

        Returns:
            The element of the transaction.
        """
        checked = {"TableName": self.name, "Key": primary_key, "ConditionExpression": condition}
        return {"ConditionCheck": checked | expression}

    def update(self, primary_key: Item, update: str, condition: str, **expression: Item) -> Item:
        """Make a write that changes an item on a condition.

        Args:
            primary_key: The item that is changed.
            update: The update expression.
            condition: The condition expression.
            **expression: ``ExpressionAttributeNames`` and ``ExpressionAttributeValues``.

        Returns:
            The element of the transaction.
        """
        changed = {"TableName": self.name, "Key": primary_key, "UpdateExpression": update}
        return {"Update": changed | {"ConditionExpression": condition} | expression}

    def _guards(self, entry: AuditEntry, changed: Sequence[Item]) -> Iterator[Change]:
        """Make the checks on the acting key and its account.

        A transaction may name each item once, so an item that it changes is guarded by the change's own condition.
        """
        actor = entry.actor
        if actor.account_id is None:
            return
        invalid = InvalidApiKeyError("The API key is not valid.")
        pointer = self.get(key_pointer_primary_key(actor.account_id, actor.name))
        if pointer is None:
            raise invalid
        key = key_primary_key(pointer["key_hash"]["S"])
        if key not in changed:
            values = {":active": {"S": KeyStatus.ACTIVE.value}}
            condition = "#status = :active AND attribute_not_exists(valid_until)"
            names = {"#status": "status"}
            yield (
                self.check(key, condition, ExpressionAttributeNames=names, ExpressionAttributeValues=values),
                invalid,
            )
        profile = profile_primary_key(actor.account_id)
        if profile not in changed and profile != profile_primary_key(entry.account_id):
            values = {f":{status}": {"S": status} for status in sorted(ACTIVE_STATUSES)}
            condition = f"subscription_status IN ({', '.join(values)})"
            yield self.check(profile, condition, ExpressionAttributeValues=values), invalid


def account_creation(table: AuditedTable, account: Account, actor: Actor) -> tuple[list[Change], AuditEntry]:
    """Make the change that adds an account, and its audit entry.

    Args:
        table: The table.
        account: The new account.
        actor: The author of the change.

    Returns:
        The changes, refused by InvalidRequestError when the id is in use, and the entry.
    """
    taken = InvalidRequestError(f"The account {account.id} exists already.")
    entry = AuditEntry(account.id, "account.create", account.id, actor, table.now(), {"plan": account.plan})
    return [(table.new(profile_item(account)), taken)], entry


def _key_of(write: Item) -> Item:
    ((_, arguments),) = write.items()
    if "Key" in arguments:
        return dict(arguments["Key"])
    return {name: arguments["Item"][name] for name in ("pk", "sk")}
