"""The stand-in for dynalite's missing transactions does to a table, and says, what moto's own do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.sequential_transactions import SequentialTransactions

ABSENT = "attribute_not_exists(pk)"
THERE = "attribute_exists(pk)"


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "-"}}


def put(table: str, name: str, condition: str = ABSENT, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": key(name), "ConditionExpression": condition, **more}}


def delete(table: str, name: str) -> dict[str, Any]:
    return {"Delete": {"TableName": table, "Key": key(name), "ConditionExpression": THERE}}


def check(table: str, name: str, condition: str) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": table, "Key": key(name), "ConditionExpression": condition}}


def add(table: str, name: str, condition: str = THERE) -> dict[str, Any]:
    values = {":one": {"N": "1"}}
    update = {"UpdateExpression": "ADD uses :one", "ExpressionAttributeValues": values}
    return {"Update": {"TableName": table, "Key": key(name), "ConditionExpression": condition, **update}}


TRANSACTIONS = {
    "all": lambda table: [put(table, "new"), add(table, "old"), check(table, "other", THERE)],
    "all, with a check of what is not there": lambda table: [check(table, "new", ABSENT), delete(table, "old")],
    "the first refused": lambda table: [put(table, "old"), add(table, "other"), put(table, "new")],
    "the last refused": lambda table: [put(table, "new"), add(table, "old"), delete(table, "other"), put(table, "more"),
                                       check(table, "none", THERE)],
    "two refused": lambda table: [put(table, "old"), put(table, "new"), add(table, "none")],
    "refused, with the item": lambda table: [put(table, "old", ReturnValuesOnConditionCheckFailure="ALL_OLD")],
    "refused, with no item": lambda table: [put(table, "no", THERE, ReturnValuesOnConditionCheckFailure="ALL_OLD")],
}  # fmt: skip


def outcome(client: Any, table: str, writes: list[dict[str, Any]]) -> tuple[list[tuple[str, Any]], Any]:
    """The reasons of a cancelled transaction, and the table after it."""
    for name in ("old", "other"):
        client.put_item(TableName=table, Item=key(name) | {"uses": {"N": "5"}})
    reasons = []
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as error:
        reasons = [(reason["Code"], reason.get("Item")) for reason in error.response["CancellationReasons"]]
    items = client.scan(TableName=table)["Items"]
    return reasons, sorted(items, key=lambda item: str(item["pk"]["S"]))


@pytest.mark.parametrize("transaction", TRANSACTIONS.values(), ids=TRANSACTIONS)
def test_a_transaction_ends_as_it_does_with_moto(template, moto, dynalite, transaction):
    table = template.tables["AccountsTable"].name

    expected = outcome(moto, table, transaction(table))

    assert outcome(dynalite, table, transaction(table)) == expected


def test_dynalite_still_has_no_transactions_of_its_own(dynalite, template):
    table = template.tables["AccountsTable"].name

    with pytest.raises(ClientError, match="UnknownOperation"):
        dynalite._client.transact_write_items(TransactItems=[put(table, "new")])
    assert isinstance(dynalite, SequentialTransactions)
