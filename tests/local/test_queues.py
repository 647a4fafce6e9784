"""Queues of a running local service: from an object in a bucket to a function, whatever becomes of its processes."""

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
    """What the function noted of the messages with a body, in the order of their receives."""
    items = client("dynamodb", toy.endpoints["aws"]).scan(TableName="cutout-local-Things")["Items"]
    notes = [{"pid": int(item["pid"]["N"]), **json.loads(item["record"]["S"])} for item in items]
    mine = [note for note in notes if json.loads(note["body"]) == body]
    return sorted(mine, key=lambda note: int(note["attributes"]["ApproximateReceiveCount"]))


def send(toy: Instance, body: Any) -> None:
    client("sqs", toy.endpoints["aws"]).send_message(QueueUrl=toy.endpoints["inbox"], MessageBody=json.dumps(body))


def held(toy: Instance, name: str) -> int:
    """Messages that are there, whether they can be seen or not; asked twice, lest one was just appearing."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = client("sqs", toy.endpoints["aws"])
    asked = [sqs.get_queue_attributes(QueueUrl=toy.endpoints[name], AttributeNames=names) for _ in range(2)]
    return max(sum(map(int, told["Attributes"].values())) for told in asked)


def test_an_object_below_the_prefix_reaches_the_function(toy):
    s3 = client("s3", toy.endpoints["aws"])
    bucket = toy.endpoints["results_bucket"]
    for key in ("out/b.jpg", "in/a photo ü.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    def told() -> list[dict[str, Any]]:
        items = client("dynamodb", toy.endpoints["aws"]).scan(TableName="cutout-local-Things")["Items"]
        bodies = [json.loads(json.loads(item["record"]["S"])["body"]) for item in items]
        return [record["s3"] for body in bodies for record in body.get("Records", [])]

    (event,) = until(told)
    assert event["bucket"]["name"] == bucket
    assert event["object"]["key"] in {"in/a+photo+%C3%BC.jpg", "in%2Fa+photo+%C3%BC.jpg"}


@pytest.mark.parametrize("how", ["fail", "raise", "exit", "sleep"])
def test_a_message_comes_again_after_every_kind_of_failure(toy, how):
    body = {"how": how, "times": 1}
    send(toy, body)
    first, second, *_ = until(lambda: len(found := receives(toy, body)) >= 2 and found)
    assert first["messageId"] == second["messageId"]
    if how in {"exit", "sleep"}:
        assert first["pid"] != second["pid"]
    until(lambda: held(toy, "inbox") == 0)
    assert held(toy, "lost") == 0


def test_a_killed_worker_is_replaced_and_its_message_is_not_lost(toy):
    body = {"how": "sleep", "times": 1, "who": "killed"}
    send(toy, body)
    first, *_ = until(lambda: receives(toy, body))
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: len(receives(toy, body)) >= 2)
    until(lambda: held(toy, "inbox") == 0)


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(toy):
    body = {"how": "raise", "times": 99}
    send(toy, body)
    until(lambda: held(toy, "lost") == 1)
    assert held(toy, "inbox") == 0
