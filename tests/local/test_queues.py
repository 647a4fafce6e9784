"""Queues of a running local service: from an object in a bucket to a function, with failing processes."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.cloud import client
from tests.local.instance import Instance, started

WAIT_S = 60


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with started(tmp_path_factory.mktemp("state"), CUTOUT_LOCAL_VISIBILITY_S="1") as instance:
        yield instance


def until(reached: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := reached()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def receives(toy: Instance, body: Any) -> list[dict[str, Any]]:
    """The records that the function stored of the messages with a body, in the order of their receives."""
    items = client("dynamodb", toy.endpoints["aws"]).scan(TableName="cutout-local-Things")["Items"]
    records = [{"pid": int(item["pid"]["N"]), **json.loads(item["record"]["S"])} for item in items]
    matching = [record for record in records if json.loads(record["body"]) == body]
    return sorted(matching, key=lambda record: int(record["attributes"]["ApproximateReceiveCount"]))


def send(toy: Instance, body: Any) -> None:
    client("sqs", toy.endpoints["aws"]).send_message(QueueUrl=toy.endpoints["inbox"], MessageBody=json.dumps(body))


def count(toy: Instance, name: str) -> int:
    """Messages in a queue, visible or not; counted twice, in case one was just changing."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = client("sqs", toy.endpoints["aws"])
    counts = [sqs.get_queue_attributes(QueueUrl=toy.endpoints[name], AttributeNames=names) for _ in range(2)]
    return max(sum(map(int, one["Attributes"].values())) for one in counts)


def test_an_object_below_the_prefix_reaches_the_function(toy):
    s3 = client("s3", toy.endpoints["aws"])
    bucket = toy.endpoints["results_bucket"]
    for key in ("out/b.jpg", "in/a photo ü.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    def objects() -> list[dict[str, Any]]:
        items = client("dynamodb", toy.endpoints["aws"]).scan(TableName="cutout-local-Things")["Items"]
        bodies = [json.loads(json.loads(item["record"]["S"])["body"]) for item in items]
        return [record["s3"] for body in bodies for record in body.get("Records", [])]

    (event,) = until(objects)
    assert event["bucket"]["name"] == bucket
    assert event["object"]["key"] in {"in/a+photo+%C3%BC.jpg", "in%2Fa+photo+%C3%BC.jpg"}


@pytest.mark.parametrize("how", ["fail", "raise", "exit", "sleep"])
def test_a_message_is_delivered_again_after_every_kind_of_failure(toy, how):
    body = {"how": how, "times": 1}
    send(toy, body)
    first, second, *_ = until(lambda: len(found := receives(toy, body)) >= 2 and found)
    assert first["messageId"] == second["messageId"]
    if how in {"exit", "sleep"}:
        assert first["pid"] != second["pid"]
    until(lambda: count(toy, "inbox") == 0)
    assert count(toy, "lost") == 0


def test_a_killed_worker_is_replaced_and_its_message_is_not_lost(toy):
    body = {"how": "sleep", "times": 1, "who": "killed"}
    send(toy, body)
    first, *_ = until(lambda: receives(toy, body))
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: len(receives(toy, body)) >= 2)
    until(lambda: count(toy, "inbox") == 0)


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(toy):
    body = {"how": "raise", "times": 99}
    send(toy, body)
    until(lambda: count(toy, "lost") == 1)
    assert count(toy, "inbox") == 0
