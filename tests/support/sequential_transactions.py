"""A DynamoDB client that does transactions with single writes, for dynalite, which has none.

Every condition and every update expression of a transaction is so executed by that second implementation. What this
cannot show is atomicity: other clients see the writes come, and go again when one is refused. That part stays with
moto here and with DynamoDB in the cloud. Source of the rules: DynamoDB API reference, "TransactWriteItems".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

MAX_ITEMS = 100
REFUSED = "ConditionalCheckFailed"
OPERATIONS = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item", "ConditionCheck": "update_item"}
"""A check is an update without an expression: it writes nothing but the key, and is undone at once."""

Item = dict[str, Any]


class SequentialTransactions:
    """The client of ``client``, with transact_write_items of our own."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._schemas: dict[str, list[str]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        """Do each write by itself, in order, and undo them all when the condition of any was not met.

        No item occurs twice in a transaction, so that writes which went before cannot change what a condition sees.
        """
        writes = [next(iter(item.items())) for item in TransactItems]
        keys = [self._key(write) for _, write in writes]
        assert 1 <= len(writes) <= MAX_ITEMS, "DynamoDB takes up to 100 items"
        assert all(keys.count(key) == 1 for key in keys), "DynamoDB takes each item once in a transaction"
        undo: list[Callable[[], object]] = []
        reasons = [self._perform(kind, write, undo) for kind, write in writes]
        if any(reason["Code"] != "None" for reason in reasons):
            for step in reversed(undo):
                step()
            raise self._cancelled(reasons)
        return {}

    def _perform(self, kind: str, write: Mapping[str, Any], undo: list[Callable[[], object]]) -> Item:
        """The cancellation reason of one write."""
        table, key = self._key(write)
        before = self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        arguments = {name: value for name, value in write.items() if name != "ReturnValuesOnConditionCheckFailure"}
        try:
            getattr(self._client, OPERATIONS[kind])(**arguments)
        except self._client.exceptions.ConditionalCheckFailedException:
            wanted = write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and before
            return {
                "Code": REFUSED,
                "Message": "The conditional request failed",
                **({"Item": before} if wanted else {}),
            }
        if kind == "ConditionCheck":
            self._restore(table, key, before)
        else:
            undo.append(lambda: self._restore(table, key, before))
        return {"Code": "None"}

    def _restore(self, table: str, key: Item, before: Item | None) -> None:
        if before is None:
            self._client.delete_item(TableName=table, Key=key)
        else:
            self._client.put_item(TableName=table, Item=before)

    def _key(self, write: Mapping[str, Any]) -> tuple[str, Item]:
        table = write["TableName"]
        if "Key" in write:
            return table, write["Key"]
        if table not in self._schemas:
            schema = self._client.describe_table(TableName=table)["Table"]["KeySchema"]
            self._schemas[table] = [part["AttributeName"] for part in schema]
        return table, {name: write["Item"][name] for name in self._schemas[table]}

    def _cancelled(self, reasons: list[Item]) -> ClientError:
        codes = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": message},
            "Message": message,
            "ResponseMetadata": {"HTTPStatusCode": 400},
            "CancellationReasons": reasons,
        }
        error: ClientError = self._client.exceptions.TransactionCanceledException(answer, "TransactWriteItems")
        return error
