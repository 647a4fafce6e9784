"""The queue of the fal dialect in this process: requests are submitted, worked on and told of, step by step."""

import base64
from types import SimpleNamespace
from typing import Any

import requests

from cutout.aws import clients
from cutout.container import container
from functions.deliver_webhook.app import handler as deliver_webhook
from functions.process_upload.app import handler as process_upload
from local.sqs_events import sqs_event
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

RUN = "/fal-ai/ben/v2/image"
SUBMIT = f"/queue{RUN}"
KEY = {"authorization": f"Key {LIVE_KEY}"}
ARN = "arn:aws:sqs:us-east-1:123456789012:queue"
CONTEXT = SimpleNamespace(
    function_name="worker",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:worker",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 60_000,
)


def data_uri(image: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(image).decode()}"


def run(api: requests.Session, image: bytes, path: str = RUN, **more: Any) -> requests.Response:
    """A run, or a submit, of a picture as data: URI. more: of the input."""
    return api.post(f"{URL}{path}", json={"image_url": data_uri(image), **more}, headers=KEY)


def ask(api: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
    """A request to a URL that an answer named, by the owner."""
    return api.request(method, url, **{"headers": KEY, **more})


def work(rounds: int = 1) -> None:
    """Have the jobs' queue worked on."""
    for _ in range(rounds):
        _pass_on(container().settings.jobs_queue_url, process_upload)


def deliver() -> None:
    """Have the webhooks' queue delivered."""
    _pass_on(container().settings.webhooks_queue_url, deliver_webhook)


def stored(url: str) -> bytes:
    """What lies behind a presigned URL, asked of storage itself."""
    bucket = url.partition("//")[2].partition(".")[0]
    key = url.partition("?")[0].partition(".amazonaws.com/")[2]
    return clients.s3_client().get_object(Bucket=bucket, Key=key)["Body"].read()


def _pass_on(queue_url: str, handler: Any) -> None:
    sqs = clients.sqs_client()
    found = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
    assert found, "nothing is in the queue"
    for message in found:
        answer = handler(sqs_event([message], ARN), CONTEXT)
        if not answer["batchItemFailures"]:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
