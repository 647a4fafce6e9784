"""The sample events of queues: S3's notifications and our own messages for the jobs' queue, and the webhooks' queue.

Source: Lambda developer guide, "Using Lambda with Amazon SQS"; S3 user guide, "Event message structure".
"""

import json
from hashlib import md5
from typing import Any
from urllib.parse import quote_plus
from uuid import NAMESPACE_URL, uuid5

TIME_S = 1_767_225_600
"""2026-01-01, midnight UTC; events are the same whenever they are made."""
UPLOADS = "cutout-local-uploads-123456789012-us-east-1"
"""The local service's bucket of uploads: an upload is taken only from the bucket that the function knows."""
NOBODYS_JOB = "job_00000000000000000000000000000000"


def queue_events(photo: bytes) -> dict[str, dict[str, Any]]:
    """Every event by the name of its file. photo: what lies under every key."""
    first = s3_record("uploads/acct_local/holiday photos/Kätzchen.jpg", photo, "0055AED6DCD90281E5")
    second = s3_record("uploads/acct_local/second.jpg", photo, "0055AED6DCD90281E6")
    test = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-01-01T00:00:00.000Z",
        "Bucket": UPLOADS,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
    ours = {"job_id": NOBODYS_JOB}
    return {
        "sqs-upload": sqs_event("JobsQueue", {"Records": [first]}),
        "sqs-upload-two-records": sqs_event("JobsQueue", {"Records": [first, second]}),
        "sqs-upload-two-messages": sqs_event("JobsQueue", {"Records": [first]}, {"Records": [second]}),
        "sqs-upload-test-event": sqs_event("JobsQueue", test),
        "sqs-job": sqs_event("JobsQueue", ours),
        "sqs-webhook": sqs_event("WebhooksQueue", ours),
    }


def s3_record(key: str, data: bytes, sequencer: str) -> dict[str, Any]:
    """S3's record of an object that was put under a key."""
    identity = {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"}
    etag = md5(data, usedforsecurity=False).hexdigest()
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": identity,
        "requestParameters": {"sourceIPAddress": "198.51.100.7"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": UPLOADS, "ownerIdentity": identity, "arn": f"arn:aws:s3:::{UPLOADS}"},
            "object": {"key": quote_plus(key, safe="/"), "size": len(data), "eTag": etag, "sequencer": sequencer},
        },
    }


def sqs_event(queue: str, *messages: dict[str, Any]) -> dict[str, Any]:
    """A batch of messages of a queue, received for the first time."""
    return {"Records": [sqs_record(queue, number, json.dumps(message)) for number, message in enumerate(messages)]}


def sqs_record(queue: str, number: int, body: str) -> dict[str, Any]:
    """A message."""
    return {
        "messageId": str(uuid5(NAMESPACE_URL, f"{queue}-{number}")),
        "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(TIME_S * 1000),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(TIME_S * 1000 + 7),
        },
        "messageAttributes": {},
        "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:cutout-local-{queue}",
        "awsRegion": "us-east-1",
    }
