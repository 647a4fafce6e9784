"""A queue of jobs, on moto."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from cutout.aws.sqs import SqsJobQueue
from cutout.errors import ServiceUnavailableError
from local.cloud import client


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName="webhooks")["QueueUrl"])


def receive(sqs: Any, url: str, visible_s: int = 30) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=visible_s).get("Messages", [])
    return found


def test_a_message_names_the_job_and_nothing_else(sqs, url):
    SqsJobQueue(lambda: sqs, url).enqueue("job_1")

    assert [json.loads(message["Body"]) for message in receive(sqs, url)] == [{"job_id": "job_1"}]


def test_a_postponed_message_comes_after_its_delay(sqs, url):
    queue = SqsJobQueue(lambda: sqs, url)
    queue.enqueue("job_1")
    queue.enqueue("job_2")
    first, second = (receive(sqs, url)[0]["ReceiptHandle"] for _ in range(2))

    queue.postpone(first, 0)
    queue.postpone(second, 3_600)

    assert [json.loads(message["Body"])["job_id"] for message in receive(sqs, url)] == ["job_1"]
    assert receive(sqs, url) == []


def test_a_queue_that_cannot_be_asked_may_be_asked_again(sqs, url):
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs.invalid")

    sqs.meta.events.register("before-send.sqs", fail)
    queue = SqsJobQueue(lambda: sqs, url)

    with pytest.raises(ServiceUnavailableError):
        queue.enqueue("job_1")
    with pytest.raises(ServiceUnavailableError):
        queue.postpone("receipt", 5)
