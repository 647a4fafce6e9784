"""The tool against moto: what it says, and that no message is lost whatever fails."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cutout.accounts import KeyMode
from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.imaging.spec import CutoutSpec
from cutout.jobs.ids import new_job_id, object_job_id
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from local.resources import Template
from tools import redrive

STACK = "cutout-test"


class Queues:
    """The jobs' queue and its dead-letter queue."""

    def __init__(self, template: Template) -> None:
        self.sqs = boto3.client("sqs")
        self.source = self.url(template.queues["JobsQueue"].name)
        self.letters = self.url(template.queues["JobsDeadLetterQueue"].name)
        self.sqs.purge_queue(QueueUrl=self.source)  # the bucket's test event

    def url(self, name: str) -> str:
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def fail(self, *bodies: Any, **more: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.letters, MessageBody=text, **more)

    def bodies(self, url: str) -> list[Any]:
        """What can be received now; it stays."""
        ask = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
        return sorted(message["Body"] for message in self.sqs.receive_message(**ask).get("Messages", []))


@pytest.fixture
def queues(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    found = Queues(cloud)
    place = redrive.Place(
        found.source, found.letters, cloud.tables["JobsTable"].name, cloud.buckets["UploadsBucket"].name
    )
    monkeypatch.setattr(redrive, "deployed_place", lambda stack, queue: place)
    monkeypatch.setattr(redrive, "WAIT_S", 0)
    return found


def run(*more: str) -> int:
    return redrive.main(["--stack", STACK, "--queue", "jobs", *more])


def ids(count: int) -> list[dict[str, str]]:
    return [{"job_id": new_job_id()} for _ in range(count)]


def test_without_replay_messages_are_shown_and_stay(queues, capsys):
    (first, second) = ids(2)
    queues.fail(first, second)
    assert run() == 0
    shown = capsys.readouterr()
    assert {line.split()[0] for line in shown.out.splitlines()} == {first["job_id"], second["job_id"]}
    assert shown.err == "2 message(s) shown; --replay sends them back.\n"
    assert queues.bodies(queues.letters) == sorted(map(json.dumps, (first, second)))
    assert queues.bodies(queues.source) == []


def test_replay_moves_every_message_back_with_its_attributes(queues):
    failed = ids(7)
    queues.fail(*failed, MessageAttributes={"why": {"DataType": "String", "StringValue": "tests"}})
    assert run("--replay") == 0
    assert queues.bodies(queues.letters) == []
    assert queues.bodies(queues.source) == sorted(map(json.dumps, failed))
    (message,) = queues.sqs.receive_message(QueueUrl=queues.source, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"] == {"why": {"DataType": "String", "StringValue": "tests"}}


def test_more_messages_than_one_receive_gives_are_replayed(queues):
    queues.fail(*ids(23))
    assert run("--replay") == 0
    told = queues.sqs.get_queue_attributes(QueueUrl=queues.source, AttributeNames=["ApproximateNumberOfMessages"])
    assert told["Attributes"]["ApproximateNumberOfMessages"] == "23"
    assert queues.bodies(queues.letters) == []


def test_no_more_than_asked_are_replayed_and_the_rest_can_be_seen_at_once(queues, capsys):
    queues.fail(*ids(5))
    assert run("--replay", "--max", "2") == 0
    assert capsys.readouterr().err == "2 message(s) sent back.\n"
    assert len(queues.bodies(queues.source)) == 2
    assert len(queues.bodies(queues.letters)) == 3


def test_a_message_is_named_by_its_job_its_state_and_the_last_fault(queues, cloud, capsys):
    store = DynamoJobStore(boto3.client("dynamodb"), cloud.tables["JobsTable"].name, "")
    bucket, key = cloud.buckets["UploadsBucket"].name, "uploads/acct_a/a photo ü.jpg"
    job_id = object_job_id(bucket, key, "0055AED6")
    source = JobSource(SourceKind.OBJECT, bucket, key, etag="e", sequencer="0055AED6")
    job = Job.queued(
        job_id, "acct_a", JobOptions(CutoutSpec(), mask=False), source, datetime.now(UTC), charged_mode=KeyMode.LIVE
    )
    store.create(job)
    store.release(store.start(job_id, 60), "ServiceUnavailableError: S3 was away")
    place = {
        "bucket": {"name": bucket},
        "object": {"key": "uploads/acct_a/a+photo+%C3%BC.jpg", "sequencer": "0055AED6"},
    }
    queues.fail({"Records": [{"eventName": "ObjectCreated:Put", "s3": place}]})
    assert run() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(job_id)
    assert "running" in line
    assert "attempts 1, faults 1" in line
    assert f"s3://{bucket}/{key}" in line
    assert "S3 was away" in line


def test_what_nobody_understands_is_shown_and_replayed_like_all_else(queues, capsys):
    queues.fail("not JSON", {"Event": "s3:TestEvent"})
    assert run("--replay") == 0
    out = capsys.readouterr().out
    assert "not understood (not JSON)" in out
    assert "nothing to do" in out
    assert len(queues.bodies(queues.source)) == 2


@pytest.mark.parametrize("operation", ["send_message", "delete_message"])
def test_no_message_is_lost_when_aws_fails_in_between(queues, monkeypatch, capsys, operation):
    failed = ids(6)
    queues.fail(*failed)
    make, calls = boto3.client, []

    def client(service: str, **settings: Any) -> Any:
        made = make(service, **settings)
        if service == "sqs":
            whole = getattr(made, operation)

            def fragile(**arguments: Any) -> Any:
                calls.append(1)
                if len(calls) == 4:
                    raise ClientError({"Error": {"Code": "InternalError", "Message": "away"}}, operation)
                return whole(**arguments)

            monkeypatch.setattr(made, operation, fragile)
        return made

    monkeypatch.setattr(boto3, "client", client)
    assert run("--replay") == 1
    assert capsys.readouterr().err.startswith("error: ")
    found = queues.bodies(queues.source) + queues.bodies(queues.letters)
    assert set(found) == set(map(json.dumps, failed))
    assert run("--replay") == 0
    assert set(queues.bodies(queues.source)) == set(map(json.dumps, failed))
    assert queues.bodies(queues.letters) == []


def test_what_fails_again_meanwhile_is_not_sent_for_ever(queues, monkeypatch):
    queues.fail(*ids(3))
    resend, sent = redrive.resend, []

    def fail_at_once(sqs: Any, queue: str, message: Any) -> str:
        sent.append(1)
        return resend(sqs, queues.letters, message)

    monkeypatch.setattr(redrive, "resend", fail_at_once)
    assert run("--replay") == 0
    assert len(sent) == 3
    assert len(queues.bodies(queues.letters)) == 3


def test_the_outputs_of_a_stack_say_where_everything_is(cloud):
    names = ["WebhooksQueue", "WebhooksDeadLetterQueue", "JobsTable", "UploadsBucket"]
    template = {
        "Resources": {"Any": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "any"}}},
        "Outputs": {name: {"Value": f"the-{name}"} for name in names},
    }
    formation = boto3.client("cloudformation")
    formation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    assert redrive.deployed_place(STACK, "webhooks") == redrive.Place(
        "the-WebhooksQueue", "the-WebhooksDeadLetterQueue", "the-JobsTable", "the-UploadsBucket"
    )
    with pytest.raises(redrive.NoStackError, match="no output JobsDeadLetterQueue"):
        redrive.deployed_place(STACK, "jobs")


def test_a_local_service_that_does_not_run_is_one_clear_sentence(tmp_path, capsys):
    assert redrive.main(["--local", "--state", str(tmp_path), "--queue", "jobs"]) == 1
    assert capsys.readouterr().err.startswith("error: No local service is running")
