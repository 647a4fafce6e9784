"""The functions of jobs and of removal, asked in this process as API Gateway asks them; what they leave behind."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cutout.aws import clients
from cutout.container import container
from cutout.imaging.spec import CutoutResult
from functions.jobs import app as jobs_app
from functions.remove_background import app as remove_app
from tests.dialects.pictures import cat
from tests.support.builders import proxy_event
from tests.support.local_service import LIVE_KEY

PHOTO = cat(150, 100, "JPEG")


OTHER_KEY, SYNTHETIC_KEY = "ct_live_other", "ct_synthetic_local"


CONTEXT = SimpleNamespace(
    function_name="jobs",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:jobs",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 29_000,
)
A = "acct_local"


class Answer:
    """An integration answer, taken apart."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.status: int = answer["statusCode"]
        self.headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        text = answer["body"]
        self.body: bytes = base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.json["error"]["code"]


def ask(
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = LIVE_KEY,
    query: Mapping[str, str] | None = None,
    media_type: str = "application/json",
    **headers: str,
) -> Answer:
    """One request to the function behind its path. headers: with underscores for dashes."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"content-type": media_type} | ({"x-api-key": key} if key else {})
    resource = "/v2/jobs/{id}" if path.startswith("/v2/jobs/") else path
    handler = remove_app.handler if path == "/v2" else jobs_app.handler
    return Answer(handler(proxy_event(method, path, sent, data, query, resource=resource), CONTEXT))


def messages() -> list[str]:
    url = container().settings.jobs_queue_url
    found = clients.sqs_client().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(message["Body"]) for message in found]
    return [body["job_id"] for body in bodies if "job_id" in body]


def keys(bucket: str) -> list[str]:
    return [item["Key"] for item in clients.s3_client().list_objects_v2(Bucket=bucket).get("Contents", [])]


def images_charged() -> int:
    return container().usage.total(A, datetime.now(UTC).strftime("%Y-%m")).images


def succeed(job_id: str) -> None:
    """What a worker would do."""
    job = container().jobs.start(job_id, 60)
    made = CutoutResult("image/png", 2, 1, 4, 2, "m", {"decode": 1.0}, file=b"cutout", mask=b"mask")
    container().jobs.succeed(job, container().results.store(job, made, made.mask), None)
