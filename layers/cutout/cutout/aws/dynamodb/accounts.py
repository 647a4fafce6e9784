"""Accounts in DynamoDB, as administrators read and change them. API keys are in ``keys.py``."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cutout.accounts import Account, AccountPage, Actor, AuditEntry
from cutout.aws.dynamodb.account_items import LISTED, profile_fields, profile_primary_key, to_account
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE, AuditedTable, account_creation
from cutout.aws.dynamodb.errors import service_errors
from cutout.errors import ConflictError, NotFoundError
from cutout.ids import AccountId

INDEX = "accounts"
"""The index of all profiles by id; like every global index it follows the table within about a second."""


class DynamoAccountStore:
    """The accounts in the table ``Accounts``.

    Every method raises ServiceUnavailableError while DynamoDB is unavailable.

    Args:
        table: The table.
    """

    def __init__(self, table: AuditedTable) -> None:
        self._table = table

    def find(self, account_id: AccountId) -> Account:
        """Look an account up with strong consistency.

        Args:
            account_id: The account's id.

        Returns:
            The account.

        Raises:
            NotFoundError: There is no such account.
        """
        profile = self._table.get(profile_primary_key(account_id))
        if profile is None:
            raise _unknown(account_id)
        return to_account(profile)

    def create(self, account: Account, actor: Actor) -> None:
        """Add an account.

        Args:
            account: The account.
            actor: The author of the change.

        Raises:
            InvalidRequestError: The id is in use.
        """
        self._table.commit(*account_creation(self._table, account, actor))

    def page(self, limit: int, after: AccountId | None) -> AccountPage:
        """List accounts by id.

        Args:
            limit: The most accounts of one page, from 1.
            after: The page begins after this id (any text); None: at the first account.

        Returns:
            The page.
        """
        start = {"listed": {"S": LISTED}, "account_id": {"S": after}, **profile_primary_key(after)} if after else None
        query: Any = {
            "TableName": self._table.name,
            "IndexName": INDEX,
            "KeyConditionExpression": "listed = :listed",
            "ExpressionAttributeValues": {":listed": {"S": LISTED}},
            "Limit": limit,
        }
        with service_errors(UNAVAILABLE):
            answer = self._table.client.query(**query | ({"ExclusiveStartKey": start} if start else {}))
        last = answer.get("LastEvaluatedKey")
        found = tuple(to_account(item) for item in answer["Items"])
        return AccountPage(found, AccountId(last["account_id"]["S"]) if last else None)

    def change(self, account_id: AccountId, changes: Mapping[str, Any], actor: Actor) -> Account:
        """Change fields of an account.

        Args:
            account_id: The account's id.
            changes: New values by field of :class:`~cutout.accounts.Account`; all other fields stay.
            actor: The author of the change.

        Returns:
            The changed account.

        Raises:
            NotFoundError: There is no such account.
            ConflictError: Another request has changed the account at the same time.
        """
        old = self.find(account_id)
        new = replace(old, **changes)
        if new == old:
            return old
        before, after = profile_fields(old), profile_fields(new)
        touched = sorted(name for name in before | after if before.get(name) != after.get(name))
        removed = [name for name in touched if name not in after]
        written = [name for name in touched if name in after]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in written) if written else ""
        update += " REMOVE " + ", ".join(f"#{name}" for name in removed) if removed else ""
        unchanged = [
            f"#{name} = :old_{name}" if name in before else f"attribute_not_exists(#{name})" for name in touched
        ]
        values = {f":{name}": after[name] for name in written}
        values |= {f":old_{name}": before[name] for name in touched if name in before}
        write = self._table.update(
            profile_primary_key(account_id),
            update.strip(),
            " AND ".join(unchanged),
            ExpressionAttributeNames={f"#{name}": name for name in touched},
            ExpressionAttributeValues=values,
        )
        lost = ConflictError("The account was changed by another request just now; look at it and try again.")
        shown = {name: getattr(new, name) for name in touched}
        entry = AuditEntry(account_id, "account.change", account_id, actor, self._table.now(), shown)
        self._table.commit([(write, lost)], entry)
        return new


def _unknown(account_id: AccountId) -> NotFoundError:
    return NotFoundError(f"There is no account {account_id}.")
