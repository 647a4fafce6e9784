"""What the tests of uploads need of the cloud, and what they put there: objects, messages, jobs, accidents."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import EndpointConnectionError
from PIL import Image

from cutout.accounts import Account
from cutout.aws import clients
from cutout.container import container
from cutout.jobs.ids import new_job_id, object_job_id
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from cutout.usage import Usage
from functions.process_upload.app import handler
from local.cloud import LOCAL_ACCOUNT
from local.resources import Template
from tests.dialects.pictures import cat

PHOTO = cat(150, 100, "JPEG")
A = LOCAL_ACCOUNT.id
VISIBILITY_S = 360
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:cutout-local-JobsQueue"


class Context(SimpleNamespace):
    function_name = "process_upload"
    memory_limit_in_mb = 3008
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:process_upload"
    aws_request_id = "0c0ffee0-0000-4000-8000-000000000001"
    time_left_s = 60.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.time_left_s * 1000)


class UploadWorld:
    """What a test needs of the cloud."""

    def __init__(self, cloud: Template) -> None:
        self.uploads = cloud.buckets["UploadsBucket"].name
        self.results = cloud.buckets["ResultsBucket"].name
        self.s3 = clients.s3_client()
        self.sqs = clients.sqs_client()
        self.jobs = container().jobs
        self.notify(on=False)

    def notify(self, *, on: bool) -> None:
        """Whether moto itself sends events of what is put; its have no sequencer."""
        notification = {"QueueConfigurations": [{"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"]}]}
        self.s3.put_bucket_notification_configuration(
            Bucket=self.uploads, NotificationConfiguration=notification if on else {}
        )

    def put(self, key: str, data: bytes = PHOTO, **arguments: Any) -> dict[str, Any]:
        """Put an object as people do; the answer is S3's record of it, as real S3 writes it."""
        etag = self.s3.put_object(Bucket=self.uploads, Key=key, Body=data, **arguments)["ETag"].strip('"')
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-11-21T03:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": self.uploads},
                "object": {
                    "key": quote_plus(key, safe="/"),
                    "size": len(data),
                    "eTag": etag,
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }

    def object_job(self, record: Mapping[str, Any], key: str) -> Job:
        found = self.jobs.find(object_job_id(self.uploads, key, record["s3"]["object"]["sequencer"]))
        assert found is not None
        return found

    def result_names(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.results).get("Contents", [])]

    def upload_names(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.uploads, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def result(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.results, Key=key)["Body"].read()

    def report(self, folder: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.result(f"results/{A}/{folder}/result.json"))
        return document

    def images_charged(self) -> Usage:
        return container().usage.total(A, datetime.now(UTC).strftime("%Y-%m"))

    def queued_webhooks(self) -> list[str]:
        url = container().settings.webhooks_queue_url
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["job_id"] for message in found]

    def send(self, *bodies: Any) -> list[dict[str, Any]]:
        """Bodies to the jobs' queue, and from there as Lambda would give them to the function."""
        url = container().settings.jobs_queue_url
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body))
        return self.receive()

    def receive(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(
            QueueUrl=container().settings.jobs_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=VISIBILITY_S,
            MessageSystemAttributeNames=["All"],
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
                "awsRegion": "us-east-1",
            }
            for message in found.get("Messages", [])
        ]


def run(messages: list[dict[str, Any]], context: Context | None = None) -> int:
    """How many messages come again."""
    answer = handler({"Records": messages}, context or Context())
    failures = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    assert failures <= {message["messageId"] for message in messages}
    return len(failures)


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def tag(**tags: str) -> str:
    return "&".join(f"{name}={quote_plus(value)}" for name, value in tags.items())


def make_account(**changes: Any) -> Account:
    account = replace(LOCAL_ACCOUNT, id="acct_2", **changes)
    container().keys.create_account(account)
    return account


def with_sequencer(record: dict[str, Any], sequencer: str) -> dict[str, Any]:
    record["s3"]["object"]["sequencer"] = sequencer
    return record


def queued(world: UploadWorld, source: JobSource, **changes: Any) -> Job:
    job = replace(Job.queued(new_job_id(), A, JobOptions(), source, datetime.now(UTC)), **changes)
    assert world.jobs.create(job)
    return job


def upload_job(world: UploadWorld, **changes: Any) -> tuple[Job, str]:
    job_id = new_job_id()
    key = f"uploads/{A}/{job_id}/image"
    return queued(world, JobSource(SourceKind.UPLOAD, world.uploads, key), id=job_id, **changes), key


class Broken:
    """S3 does not answer the next ``times`` calls of an operation."""

    def __init__(self, operation: str, times: int) -> None:
        self.left = times
        self._event = f"before-send.s3.{operation}"
        clients.s3_client().meta.events.register(self._event, self._fail)

    def _fail(self, **_: object) -> None:
        if self.left:
            self.left -= 1
            raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    def mend(self) -> None:
        clients.s3_client().meta.events.unregister(self._event, self._fail)


class Meddling:
    """Calls ``act`` in the middle of the work, when the model is asked."""

    name = "meddling"

    def __init__(self, segmenter: Any, act: Any) -> None:
        self._segmenter = segmenter
        self._act = act

    def squash(self, image: Any) -> Any:
        return self._segmenter.squash(image)

    def alpha(self, image: Any) -> Any:
        self._act()
        return self._segmenter.alpha(image)
