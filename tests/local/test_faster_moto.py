"""moto's server, which repeats no work and goes past Flask, answers as moto in this process does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.cloud import client, create_cloud
from local.template import load_template
from tools.emulator import aws_server

TOY = load_template(Path(__file__).parent / "toy.yaml")
THINGS, ACCOUNTS, FILES = TOY.tables["Things"].name, TOY.tables["Accounts"].name, TOY.buckets["Files"].name
KEY = {"pk": {"S": "a"}}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[str, None]]:
    """Endpoints of the server's moto, and of moto in this process."""
    with aws_server() as url, mock_aws():
        for endpoint in (url, None):
            create_cloud(TOY, endpoint)
        yield url, None


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def update(expression: str, values: Any = None, names: Any = None, key: Any = None, **more: Any) -> tuple[str, Any]:
    request = {"TableName": THINGS, "Key": key or KEY, "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
    given = {"ExpressionAttributeValues": values, "ExpressionAttributeNames": names}
    return "update_item", request | {name: value for name, value in given.items() if value} | more


def put(item: dict[str, Any], condition: str = "", values: Any = None, names: Any = None) -> tuple[str, Any]:
    given = {"ConditionExpression": condition, "ExpressionAttributeValues": values, "ExpressionAttributeNames": names}
    request = {"TableName": THINGS, "Item": KEY | item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return "put_item", request | {name: value for name, value in given.items() if value}


def transact(*writes: tuple[str, dict[str, Any]]) -> tuple[str, Any]:
    return "transact_write_items", {"TransactItems": [{kind: write} for kind, write in writes]}


COUNTERS = {f":{name}": number(step) for step, name in enumerate(("images", "pixels", "bytes"), 1)}
COUNT = "ADD images :images, pixels :pixels, bytes_in :bytes"
CONDITION = "#state = :state AND attempts = :attempts"
AT = {":state": {"S": "running"}, ":attempts": number(1)}
STATE = {"#state": "state"}
COUNT_IN = {"TableName": THINGS, "UpdateExpression": COUNT, "ExpressionAttributeValues": COUNTERS}
RANGED = {"TableName": ACCOUNTS, "Key": {"pk": {"S": "a"}, "sk": {"S": "1"}}}
OTHER_RANGED = {"TableName": ACCOUNTS, "Key": {"pk": {"S": "a"}, "sk": {"S": "2"}}}
NEW = {"TableName": THINGS, "Item": {"pk": {"S": "new"}}, "ConditionExpression": "attribute_not_exists(pk)"}

UPDATES = [
    update(COUNT, COUNTERS),
    update(COUNT, COUNTERS),
    update(f"{COUNT} SET expires_at = :one, made.#at = :one", {**COUNTERS, ":one": number(1)}, {"#at": "at"}),
    update("SET made = :map, rows = :rows", {":map": {"M": {}}, ":rows": {"L": [number(n) for n in range(5)]}}),
    update("SET made.#at = :one", {":one": number(1)}, {"#at": "at"}),
    update("REMOVE rows[0], rows[2], made.nothing"),
    update("SET rows = list_append(rows, :more), n = if_not_exists(n, :one)", {":more": {"L": []}, ":one": number(1)}),
    update("SET n = n + :one, m = :one - n", {":one": number(1)}),
    update("ADD tags :tags", {":tags": {"SS": ["x", "y"]}}),
    update("DELETE tags :tags", {":tags": {"SS": ["x"]}}),
    update("SET n = :one", {":one": number(2)}, ConditionExpression="n = :one"),
    update("SET n = :one", {":one": number(7)}, ConditionExpression="attribute_exists(n) AND NOT n = :one"),
]
WRONG_UPDATES = [
    update("SET a = :one, a = :one", {":one": number(1)}),
    update("SET a = :one, a.b = :one", {":one": number(1)}),
    update("SET #a = :one, #b = :one", {":one": number(1)}, {"#a": "a", "#b": "a"}),
    update("SET a = :one SET b = :one", {":one": number(1)}),
    update("ADD a :one ADD b :one", {":one": number(1)}),
    update("SET pk = :one", {":one": number(1)}),
    update("SET size = :one", {":one": number(1)}),
    update("SET a = :two", {":one": number(1)}),
    update("SET a = :one", {":one": number(1), ":two": number(2)}),
    update("SET a = :one", {":one": number(1)}, {"#unused": "a"}),
    update("SET nowhere.a = :one", {":one": number(1)}),
    update("SET a = nothing + :one", {":one": number(1)}),
    update("ADD a :text", {":text": {"S": "x"}}),
    update("SET a = :one,", {":one": number(1)}),
    update("NONSENSE a"),
]
PUTS = [
    put({"state": {"S": "running"}, "attempts": number(1)}),
    put({"state": {"S": "running"}, "attempts": number(1)}, CONDITION, AT, STATE),
    put({"state": {"S": "done"}}, CONDITION, AT, STATE),
    put({"state": {"S": "again"}}, CONDITION, AT, STATE),
    put({"n": number(3)}, "attribute_not_exists(pk) OR expires_at <= :now", {":now": number(5)}),
    put({"n": number(3)}, "(NOT n BETWEEN :one AND :two) OR n IN (:one, :two)", {":one": number(1), ":two": number(2)}),
    put({"n": number(4)}, "begins_with(pk, :a) AND size(pk) = :one", {":a": {"S": "a"}, ":one": number(1)}),
    put({"large": {"S": "x" * 404_000}}),
    put({"large": {"S": "x" * 404_000}, "larger": {"S": "x" * 2_000}}),
]
TRANSACTIONS = [
    transact(("Put", NEW), ("Update", COUNT_IN | {"Key": KEY}), ("Update", COUNT_IN | {"Key": {"pk": {"S": "b"}}})),
    transact(("Put", NEW), ("Update", COUNT_IN | {"Key": KEY}), ("Update", COUNT_IN | {"Key": {"pk": {"S": "c"}}})),
    transact(("Update", COUNT_IN | {"Key": KEY}), ("Update", COUNT_IN | {"Key": KEY})),
    transact(("Delete", {"TableName": THINGS, "Key": KEY}), ("Put", NEW)),
    transact(("Delete", {"TableName": THINGS, "Key": KEY}), ("Put", NEW | {"Item": {"pk": {"S": "newer"}}})),
    transact(("ConditionCheck", {"TableName": THINGS, "Key": KEY, "ConditionExpression": "attribute_exists(pk)"})),
    transact(("Update", COUNT_IN | RANGED), ("Update", COUNT_IN | OTHER_RANGED)),
    transact(("Update", COUNT_IN | RANGED), ("Delete", OTHER_RANGED)),
    transact(("Update", COUNT_IN | RANGED), ("Put", NEW)),
    transact(("Update", {"TableName": THINGS, "Key": KEY, "UpdateExpression": "SET pk = pk"})),
    transact(("Update", COUNT_IN | {"Key": KEY, "TableName": "Nowhere"})),
]


OBJECT = {"Bucket": FILES, "Key": "a folder/ü %2F+.png"}
OBJECTS = [
    (
        "put_object",
        OBJECT | {"Body": b"first", "ContentType": "image/png", "Metadata": {"job": "1", "under_score": "2"}},
    ),
    ("put_object", OBJECT | {"Body": b"twelve bytes", "IfNoneMatch": "*"}),
    ("head_object", OBJECT),
    ("get_object", OBJECT),
    ("get_object", OBJECT | {"Range": "bytes=1-3"}),
    ("get_object", OBJECT | {"Range": "bytes=99-"}),
    ("get_object", OBJECT | {"IfMatch": "another"}),
    ("get_object", OBJECT | {"Key": "nothing"}),
    ("head_object", OBJECT | {"Key": "nothing"}),
    ("get_object", OBJECT | {"Bucket": "nowhere"}),
    ("put_object_tagging", OBJECT | {"Tagging": {"TagSet": [{"Key": "format", "Value": "webp"}]}}),
    ("get_object", OBJECT),
    ("get_object_tagging", OBJECT),
    ("copy_object", OBJECT | {"Key": "copy", "CopySource": OBJECT}),
    ("list_objects_v2", {"Bucket": FILES}),
    ("delete_object", OBJECT | {"IfMatch": "another"}),
    ("delete_object", OBJECT),
    ("delete_object", OBJECT),
    ("delete_objects", {"Bucket": FILES, "Delete": {"Objects": [{"Key": "copy"}]}}),
    ("list_objects_v2", {"Bucket": FILES}),
]


def answer(service: Any, operation: str, request: dict[str, Any]) -> Any:
    """Ask, and leave out of the answer what is different each time."""
    try:
        given = getattr(service, operation)(**request)
    except ClientError as error:
        given = dict(error.response)
    status = given.pop("ResponseMetadata")["HTTPStatusCode"]
    if "Body" in given:
        given["Body"] = given["Body"].read()
    given["Contents"] = [(item["Key"], item["Size"], item["ETag"]) for item in given.get("Contents", [])]
    return status, {name: value for name, value in given.items() if name not in {"LastModified", "CopyObjectResult"}}


@pytest.mark.parametrize("requests", [UPDATES, WRONG_UPDATES, PUTS, TRANSACTIONS, UPDATES + TRANSACTIONS])
def test_items_are_written_and_refused_as_by_moto_itself(both, requests):
    ours, theirs = (client("dynamodb", endpoint) for endpoint in both)
    for operation, request in requests:
        assert answer(ours, operation, request) == answer(theirs, operation, request), request
        for table in (THINGS, ACCOUNTS):
            assert ours.scan(TableName=table)["Items"] == theirs.scan(TableName=table)["Items"], request
    for dynamodb in (ours, theirs):
        for item in dynamodb.scan(TableName=THINGS)["Items"]:
            dynamodb.delete_item(TableName=THINGS, Key={"pk": item["pk"]})


def test_objects_are_written_and_read_as_by_moto_itself(both):
    ours, theirs = (client("s3", endpoint) for endpoint in both)
    for operation, request in OBJECTS:
        assert answer(ours, operation, request) == answer(theirs, operation, request), (operation, request)


def test_what_was_changed_or_deleted_is_not_kept(both):
    server, _ = both
    for name, arguments in (update(COUNT, COUNTERS), update(COUNT, COUNTERS), transact(("Delete", RANGED))):
        getattr(client("dynamodb", server), name)(**arguments)
    files = client("s3", server)
    files.put_object(Bucket=FILES, Key="gone", Body=b"x")
    files.delete_object(Bucket=FILES, Key="gone")

    with urlopen(f"{server}/moto-api/data.json") as answer:
        kept = json.load(answer)

    assert (kept["dynamodb"]["Item"], kept["s3"]["FakeKey"]) == ([], [])
