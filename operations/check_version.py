"""Before traffic moves to new versions: do they work? Called by CodeDeploy, which waits for the verdict.

Each version is asked what it would be asked in service. With a synthetic key in SSM the removal function cuts a picture
out; without one it runs its model on a picture of its own.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
from picture import PICTURE, check_cutout

Event = Mapping[str, Any]


class WrongAnswerError(Exception):
    """A version does not do its work; the message has its answer."""


def handler(event: Event, _: Any) -> str:
    """Check every version that is about to serve, and tell CodeDeploy."""
    status = "Failed"
    try:
        check(boto3.client("lambda"), os.environ, _key())
        status = "Succeeded"
    finally:
        boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
    return status


def check(awslambda: Any, versions: Mapping[str, str], key: str) -> None:
    """Ask each version.

    Args:
        awslambda: boto3 client of Lambda.
        versions: ARNs as REMOVE_VERSION, UPLOAD_VERSION and JOBS_VERSION.
        key: Synthetic API key; empty for none.

    Raises:
        WrongAnswerError: A version failed or answered what it should not.
        picture.WrongCutoutError: The removal function's cutout is none.
    """
    health = _invoke(awslambda, versions["REMOVE_VERSION"], proxy_event("GET", "/internal/health"))
    _expect(health, health.get("statusCode") == 200)  # noqa: PLR2004
    if key:
        answer = _invoke(awslambda, versions["REMOVE_VERSION"], proxy_event("POST", "/v2", key, PICTURE))
        _expect(answer, answer.get("statusCode") == 200)  # noqa: PLR2004
        check_cutout(base64.b64decode(answer["body"]))
    refused = _invoke(awslambda, versions["JOBS_VERSION"], proxy_event("GET", "/v2/jobs"))
    _expect(refused, refused.get("statusCode") == 401)  # noqa: PLR2004
    done = _invoke(awslambda, versions["UPLOAD_VERSION"], {"Records": [test_message()]})
    _expect(done, done == {"batchItemFailures": []})


def proxy_event(method: str, path: str, key: str = "", body: bytes = b"") -> dict[str, Any]:
    """Make the event that API Gateway would send: Lambda proxy integration, format 1.0."""
    headers = {"x-api-key": key, "content-type": "image/jpeg"} if key else {}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": str(uuid4()), "path": path, "resourcePath": path, "httpMethod": method},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def test_message() -> dict[str, Any]:
    """Make the message that S3 puts into a queue when a notification is set up; it asks for nothing."""
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00.000Z", "Bucket": "check"}
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "check",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:check",
        "awsRegion": "us-east-1",
    }


def _invoke(awslambda: Any, version: str, event: Event) -> dict[str, Any]:
    answer = awslambda.invoke(FunctionName=version, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise WrongAnswerError(f"{version}: {payload[:500]!r}")
    document: dict[str, Any] = json.loads(payload)
    return document


def _expect(answer: Mapping[str, Any], holds: bool) -> None:  # noqa: FBT001 - it reads as an assertion
    if not holds:
        raise WrongAnswerError(json.dumps(answer)[:500])


def _key() -> str:
    name = os.environ.get("SYNTHETIC_KEY", "")
    if not name:
        return ""
    value: str = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return value
