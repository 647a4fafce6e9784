"""Accounts as their administrators see and change them. Keys are in ``key_store``."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cutout.accounts import Account, AccountPage, Actor, AuditEntry
from cutout.aws.dynamodb.account_items import LISTED, profile_fields, profile_id, to_account
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE, AuditedTransaction, adding_account
from cutout.aws.dynamodb.errors import service_errors
from cutout.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "accounts"
"""Holds profiles only, by id; as up to date as a global index is, which is within a second or so."""


class DynamoAccountStore:
    """The table ``Accounts``. Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now."""

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

    def find(self, account_id: str) -> Account:
        """An account by its id, consistently. Raises NotFoundError."""
        profile = self._transaction.get(profile_id(account_id))
        if profile is None:
            raise _unknown(account_id)
        return to_account(profile)

    def create(self, account: Account, actor: Actor) -> None:
        """Add an account. Raises InvalidRequestError when its id is taken."""
        self._transaction.commit(*adding_account(self._transaction, account, actor))

    def page(self, limit: int, after: str | None) -> AccountPage:
        """The accounts whose ids come after this one (any text; None: from the first), at most ``limit``."""
        start = {"listed": {"S": LISTED}, "account_id": {"S": after}, **profile_id(after)} if after else None
        query: Any = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "listed = :listed",
            "ExpressionAttributeValues": {":listed": {"S": LISTED}},
            "Limit": limit,
        }
        with service_errors(UNAVAILABLE):
            answer = self._client.query(**query | ({"ExclusiveStartKey": start} if start else {}))
        last = answer.get("LastEvaluatedKey")
        found = tuple(to_account(item) for item in answer["Items"])
        return AccountPage(found, str(last["account_id"]["S"]) if last else None)

    def change(self, account_id: str, changes: Mapping[str, Any], actor: Actor) -> Account:
        """Give fields of an account new values (as :class:`~cutout.accounts.Account` has them) and keep the others.

        Raises NotFoundError, and ConflictError when somebody else changes the account at the same time.
        """
        old = self.find(account_id)
        new = replace(old, **changes)
        if new == old:
            return old
        before, after = profile_fields(old), profile_fields(new)
        touched = sorted(name for name in before | after if before.get(name) != after.get(name))
        gone = [name for name in touched if name not in after]
        kept = [name for name in touched if name in after]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in kept) if kept else ""
        update += " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
        was = [f"#{name} = :old_{name}" if name in before else f"attribute_not_exists(#{name})" for name in touched]
        values = {f":{name}": after[name] for name in kept}
        values |= {f":old_{name}": before[name] for name in touched if name in before}
        write = self._transaction.update(
            profile_id(account_id),
            update.strip(),
            " AND ".join(was),
            ExpressionAttributeNames={f"#{name}": name for name in touched},
            ExpressionAttributeValues=values,
        )
        lost = ConflictError("The account was changed by another request just now; look at it and try again.")
        shown = {name: getattr(new, name) for name in touched}
        entry = AuditEntry(account_id, "account.change", account_id, actor, self._transaction.now(), shown)
        self._transaction.commit([(write, lost)], entry)
        return new


def _unknown(account_id: str) -> NotFoundError:
    return NotFoundError(f"There is no account {account_id}.")
