"""The webhooks' function in this process, on moto: what is heard leaves its queue, the rest waits there."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from cutout.accounts import KeyMode
from cutout.aws import clients
from cutout.container import container
from cutout.jobs.ids import new_job_id
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobSource, SourceKind
from functions.deliver_webhook.app import handler
from local.cloud import LOCAL_ACCOUNT
from local.sqs_events import sqs_event
from tests.support.webhook_receiver import Receiver

ARN = "arn:aws:sqs:us-east-1:123456789012:cutout-local-WebhooksQueue"
CONTEXT = SimpleNamespace(
    function_name="deliver_webhook",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:deliver_webhook",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 30_000,
)


@pytest.fixture(autouse=True)
def _fresh(cloud: Any, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOUT_URL_ALLOW", hooks.authority)


def queue_failed_job(webhook_url: str) -> Job:
    source = JobSource(SourceKind.URL, url="https://pictures.example/a.png")
    job = Job.queued(
        new_job_id(), LOCAL_ACCOUNT.id, JobOptions(), source, datetime.now(UTC),
        charged_mode=KeyMode.LIVE, webhook_url=webhook_url,
    )  # fmt: skip
    container().jobs.create(job)
    ended = container().jobs.fail(container().jobs.start(job.id, 60), JobError("invalid_image", "No image."))
    container().webhook_queue.enqueue(job.id)
    return ended


def receive() -> list[Any]:
    """What the queue gives now, as Lambda takes it."""
    answer = clients.sqs_client().receive_message(
        QueueUrl=container().settings.webhooks_queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )
    messages: list[Any] = answer.get("Messages", [])
    return messages


def failures(messages: list[Any]) -> list[str]:
    answer = handler(sqs_event(messages, ARN), CONTEXT)
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_what_was_heard_leaves_the_queue(hooks):
    path = f"/refuse/0/{uuid4()}"
    job = queue_failed_job(hooks.url(path))

    assert failures(receive()) == []

    (delivery,) = hooks.at(path)
    assert json.loads(delivery.body)["data"]["id"] == job.id


def test_of_a_batch_only_what_was_not_heard_comes_again(hooks):
    heard, unheard = f"/refuse/0/{uuid4()}", f"/refuse/1/{uuid4()}"
    for path in (heard, unheard):
        queue_failed_job(hooks.url(path))
    messages = receive()

    failed = failures(messages)

    assert [message["MessageId"] in failed for message in messages] == [False, True]
    assert [len(hooks.at(path)) for path in (heard, unheard)] == [1, 1]


@pytest.mark.parametrize(("first_s", "comes_at_once"), [("0", True), ("1000000", False)])
def test_the_backoff_is_the_message_s_visibility(hooks, monkeypatch, first_s, comes_at_once):
    monkeypatch.setenv("CUTOUT_WEBHOOK_BACKOFF_S", first_s)
    monkeypatch.setattr("secrets.randbelow", lambda bound: bound - 1)  # the longest wait: an hour
    queue_failed_job(hooks.url(f"/refuse/9/{uuid4()}"))

    for message in receive():
        assert failures([message]) == [message["MessageId"]]

    assert bool(receive()) is comes_at_once


@pytest.mark.parametrize("url", ["{hooks}/gone/x", "http://127.0.0.1:9/", "http://10.0.0.1/"])
def test_what_is_hopeless_leaves_the_queue_too(hooks, url):
    queue_failed_job(url.replace("{hooks}", hooks.url("")))

    assert failures(receive()) == []


@pytest.mark.parametrize("body", ["", "{}", "[]", "no json"])
def test_a_message_that_nobody_understands_stays_for_the_dead_letters(body):
    clients.sqs_client().send_message(QueueUrl=container().settings.webhooks_queue_url, MessageBody=body or " ")

    (message,) = receive()
    assert failures([message]) == [message["MessageId"]]
