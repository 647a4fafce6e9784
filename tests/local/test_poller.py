"""The poller with queues in moto's server and functions that are coroutines of the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from local.cloud import client
from local.poller import Poller
from local.pool import BusyError
from local.worker import Fault, Outcome
from tools.emulator import aws_server

NOTHING_FAILED = Outcome(b'{"batchItemFailures": []}')
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with aws_server() as url:
        yield url


class Inbox:
    """A queue that returns messages after a second, and moves them to another after three receives."""

    def __init__(self, aws: str) -> None:
        self.sqs = client("sqs", aws, Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5))
        name = uuid4().hex
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-lost")["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        redrive = {"deadLetterTargetArn": f"{self.arn}-lost", "maxReceiveCount": 3}
        attributes = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def count(self, url: str | None = None) -> int:
        """Messages in a queue, visible or not; counted twice, in case one was just changing."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = [self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names) for _ in range(2)]
        return max(sum(map(int, one["Attributes"].values())) for one in counts)


@pytest.fixture
def inbox(aws: str) -> Inbox:
    return Inbox(aws)


class Function:
    """Responds by ``respond``; records every batch, and the most that were in progress at one time.

    meet: no response before so many batches were in progress at one time.
    """

    def __init__(self, respond: Callable[[Records], Outcome] = lambda _: NOTHING_FAILED, meet: int = 1) -> None:
        self.respond = respond
        self.meet = meet
        self.met = asyncio.Event()
        self.batches: list[Records] = []
        self.busy = self.most = 0

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for batch in self.batches for record in batch]

    async def invoke(self, payload: bytes, request_id: str) -> Outcome:
        assert request_id
        records = json.loads(payload)["Records"]
        self.batches.append(records)
        self.busy += 1
        self.most = max(self.most, self.busy)
        if self.most >= self.meet:
            self.met.set()
        try:
            await self.met.wait()
            return self.respond(records)
        finally:
            self.busy -= 1


@asynccontextmanager
async def polling(inbox: Inbox, function: Function, **more: Any) -> AsyncIterator[asyncio.Task]:
    settings = {"batch_size": 1, "concurrency": 1, "partial": True} | more
    poller = Poller(inbox.sqs, inbox.url, inbox.arn, function.invoke, **settings)
    task = asyncio.create_task(poller.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(reached):  # noqa: ASYNC110 - it is another process that has to reach it
            await asyncio.sleep(0.05)


def feed(inbox: Inbox, function: Function, reached: Callable[[], bool], **more: Any) -> None:
    async def scenario() -> None:
        async with polling(inbox, function, **more):
            await until(reached)

    asyncio.run(scenario())


def test_messages_are_delivered_once_and_deleted(inbox):
    function = Function()
    inbox.send("a", "b", "c")
    feed(inbox, function, lambda: inbox.count() == 0)
    assert sorted(function.bodies) == ["a", "b", "c"]
    assert {record["eventSourceARN"] for (record,) in function.batches} == {inbox.arn}
    assert inbox.count(inbox.dead_letters) == 0


def test_a_batch_has_the_given_size(inbox):
    function = Function()
    inbox.send(*"abcdefg")
    feed(inbox, function, lambda: inbox.count() == 0, batch_size=5)
    assert [len(batch) for batch in function.batches] == [5, 2]


def test_only_failed_messages_are_delivered_again(inbox):
    def bad_once(records: Records) -> Outcome:
        failed = [
            {"itemIdentifier": record["messageId"]}
            for record in records
            if record["body"] == "bad" and record["attributes"]["ApproximateReceiveCount"] == "1"
        ]
        return Outcome(json.dumps({"batchItemFailures": failed}).encode())

    function = Function(bad_once)
    inbox.send("good", "bad", "fine")
    feed(inbox, function, lambda: inbox.count() == 0, batch_size=10)
    assert sorted(function.bodies) == ["bad", "bad", "fine", "good"]


def test_without_partial_responses_a_batch_succeeds_whole_whatever_the_response(inbox):
    function = Function(lambda records: Outcome(json.dumps({"batchItemFailures": [{"itemIdentifier": "x"}]}).encode()))
    inbox.send("a", "b")
    feed(inbox, function, lambda: inbox.count() == 0, batch_size=2, partial=False)
    assert len(function.batches) == 1


@pytest.mark.parametrize("fault", list(Fault))
def test_a_batch_whose_function_fails_is_delivered_again(inbox, fault):
    outcomes = iter([Outcome(b"{}", fault), NOTHING_FAILED])
    function = Function(lambda _: next(outcomes))
    inbox.send("a")
    feed(inbox, function, lambda: inbox.count() == 0)
    assert function.bodies == ["a", "a"]


def test_a_message_that_fails_too_often_goes_to_the_dead_letter_queue(inbox):
    function = Function(lambda _: Outcome(b"{}", Fault.EXITED))
    inbox.send("poison")
    feed(inbox, function, lambda: inbox.count(inbox.dead_letters) == 1)
    assert function.bodies == ["poison"] * 3
    assert inbox.count() == 0


def test_a_function_without_free_workers_leaves_the_message_for_later(inbox):
    def busy_once(_: Records) -> Outcome:
        if len(function.batches) == 1:
            raise BusyError
        return NOTHING_FAILED

    function = Function(busy_once)
    inbox.send("a")
    feed(inbox, function, lambda: inbox.count() == 0)
    assert function.bodies == ["a", "a"]


def test_no_more_batches_are_in_progress_at_one_time_than_allowed(inbox):
    function = Function(meet=3)
    inbox.send(*"abcdefgh")
    feed(inbox, function, lambda: inbox.count() == 0, concurrency=3)
    assert function.most == 3


def test_a_message_that_cannot_be_deleted_is_delivered_again(inbox, monkeypatch):
    function = Function()
    delete = inbox.sqs.delete_message_batch
    refused = []

    def delete_later(**arguments: Any) -> Any:
        if len(function.batches) > 1:
            return delete(**arguments)
        refused.append(1)
        return inbox.sqs.delete_message(QueueUrl=f"{inbox.url}-nowhere", ReceiptHandle="x")

    monkeypatch.setattr(inbox.sqs, "delete_message_batch", delete_later)
    inbox.send("a")
    feed(inbox, function, lambda: inbox.count() == 0)
    assert function.bodies == ["a", "a"]
    assert len(refused) == 3


def test_it_waits_while_the_queue_is_unavailable_and_continues_afterwards(inbox, monkeypatch):
    function = Function()
    receive = inbox.sqs.receive_message
    requests = []

    def unavailable_at_first(**arguments: Any) -> Any:
        requests.append(1)
        return receive(**arguments | ({"QueueUrl": f"{inbox.url}-nowhere"} if len(requests) < 4 else {}))

    monkeypatch.setattr(inbox.sqs, "receive_message", unavailable_at_first)
    inbox.send("a")
    feed(inbox, function, lambda: inbox.count() == 0)
    assert function.bodies == ["a"]


def test_a_stopped_poller_abandons_its_batch_and_the_message_is_delivered_again(inbox):
    function = Function(meet=2)

    async def scenario() -> bool:
        async with polling(inbox, function) as task:
            inbox.send("a")
            await until(lambda: function.busy == 1)
        return task.cancelled()

    assert asyncio.run(scenario())
    assert function.busy == 0
    assert inbox.count() == 1
    second = Function()
    feed(inbox, second, lambda: inbox.count() == 0)
    assert second.bodies == ["a"]
