"""moto's server with many clients at once, for which moto alone is not made."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from local.cloud import client, create_cloud
from local.template import load_template
from tools.emulator import aws_server

TOY = load_template(Path(__file__).parent / "toy.yaml")
TABLE = TOY.tables["Things"].name
QUEUE = TOY.queues["Inbox"].name
WRITERS = 8
EACH = 10
"""Messages of one writer."""


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with aws_server() as url:
        create_cloud(TOY, url)
        yield url


def add_one(pk: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": pk}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def put_once(pk: str) -> dict[str, Any]:
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"Put": {"TableName": TABLE, "Item": {"pk": {"S": pk}}, **condition}}


def count(dynamodb: Any, pk: str) -> int:
    return int(dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": pk}})["Item"]["n"]["N"])


def test_a_cancelled_transaction_keeps_the_writes_of_other_clients(aws):
    dynamodb = client("dynamodb", aws)

    def write(writer: int) -> int:
        refused = 0
        for number in range(10):
            try:
                once = put_once(f"once/{number}")
                dynamodb.transact_write_items(TransactItems=[add_one("sum"), once, add_one(f"mine/{writer}")])
            except ClientError as error:
                codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
                assert codes == ["None", "ConditionalCheckFailed", "None"]
                refused += 1
            dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"plain/{writer}/{number}"}})
        return refused

    with ThreadPoolExecutor(WRITERS) as pool:
        refused = sum(pool.map(write, range(WRITERS)))
    assert refused == 10 * WRITERS - 10
    assert count(dynamodb, "sum") == 10
    items = [item["pk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]]
    assert len([pk for pk in items if pk.startswith("plain/")]) == 10 * WRITERS
    assert len([pk for pk in items if pk.startswith("once/")]) == 10
    assert sum(count(dynamodb, pk) for pk in items if pk.startswith("mine/")) == 10


def test_a_transaction_deletes_its_items_and_a_cancelled_one_does_not(aws):
    dynamodb = client("dynamodb", aws)
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "old"}})
    delete = {"Delete": {"TableName": TABLE, "Key": {"pk": {"S": "old"}}}}
    dynamodb.transact_write_items(TransactItems=[put_once("new")])
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[delete, put_once("new")])
    assert "Item" in dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "old"}})
    dynamodb.transact_write_items(TransactItems=[delete, put_once("newer")])
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "old"}})


def test_messages_are_not_lost_while_others_are_deleted(aws):
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="busy")["QueueUrl"]
    sent, seen = WRITERS * EACH, []

    def send(writer: int) -> None:
        for number in range(EACH):
            sqs.send_message(QueueUrl=url, MessageBody=f"{writer}/{number}")

    def receive(_: int) -> None:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=3, WaitTimeSeconds=1).get("Messages"):
            for message in messages:
                seen.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        jobs = [pool.submit(send, writer) for writer in range(WRITERS)] + [
            pool.submit(receive, 0),
            pool.submit(receive, 1),
        ]
        for job in jobs:
            job.result()
    assert len(seen) == len(set(seen)) == sent


def test_a_request_that_waits_for_a_message_does_not_block_others(aws):
    sqs, s3 = client("sqs", aws), client("s3", aws)
    url = sqs.create_queue(QueueName="quiet")["QueueUrl"]
    received: list[Any] = []
    request = {"QueueUrl": url, "WaitTimeSeconds": 20}
    waiting = threading.Thread(target=lambda: received.extend(sqs.receive_message(**request)["Messages"]))
    waiting.start()
    time.sleep(0.2)  # the request has arrived by now; if not, what follows holds too
    s3.list_buckets()
    sqs.send_message(QueueUrl=url, MessageBody="at last")
    waiting.join(15)
    assert [message["Body"] for message in received] == ["at last"]


@pytest.fixture
def connection(aws: str) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(urlsplit(aws).netloc)) as connection:
        yield connection


def ask(connection: HTTPConnection, method: str, path: str) -> tuple[int, str | None, bytes]:
    connection.request(method, path, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=any/any/any/s3/any"})
    answer = connection.getresponse()
    return answer.status, answer.headers["Content-Length"], answer.read()


def test_a_connection_answers_one_request_after_the_other(aws, connection):
    client("s3", aws).put_object(Bucket=TOY.buckets["Files"].name, Key="kept", Body=b"twelve bytes")
    place = f"/{TOY.buckets['Files'].name}/kept"
    connection.connect()
    socket = connection.sock
    assert ask(connection, "HEAD", place) == (200, "12", b"")
    assert ask(connection, "GET", place) == (200, "12", b"twelve bytes")
    assert ask(connection, "DELETE", place) == (204, None, b"")
    assert ask(connection, "GET", place)[0] == 404
    assert connection.sock is socket


def test_a_request_that_moto_fails_at_is_answered_and_so_are_those_after_it(connection):
    headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", b"no JSON", headers)
    broken = connection.getresponse()
    assert (broken.status, broken.read()) == (500, b"moto failed\n")
    assert ask(connection, "GET", f"/{TOY.buckets['Files'].name}")[0] == 200


def test_a_body_in_chunks_arrives_whole(aws):
    def chunks() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    s3 = client("s3", aws)
    place = {"Bucket": TOY.buckets["Files"].name, "Key": "chunked"}
    url = s3.generate_presigned_url("put_object", Params=place)
    assert httpx.put(url, content=chunks()).status_code == 200
    assert s3.get_object(**place)["Body"].read() == b"one two"
