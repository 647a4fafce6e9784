"""Webhooks of the running service: its queue, its function, its retries, and a receiver that is not always well."""

import json
import shutil
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import yaml
from openapi_schema_validator import OAS31Validator
from standardwebhooks import Webhook

from local import ROOT
from local.cloud import client
from tests.conftest import FileServer
from tests.support.local_service import Service
from tests.support.webhook_receiver import Receiver

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"


def call(service: Service, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    answer = httpx.request(method, f"{service.url}{path}", headers={"x-api-key": service.key}, timeout=60, **arguments)
    assert answer.is_success, answer.text
    document: dict[str, Any] = answer.json()
    return document


def order(service: Service, image_url: str, webhook_url: str) -> str:
    return str(call(service, "POST", "/v2/jobs", json={"image_url": image_url, "webhook_url": webhook_url})["id"])


def wait_for(condition: Callable[[], bool]) -> None:
    """The test's own timeout is the only one."""
    while not condition():
        time.sleep(0.2)


def waiting(service: Service, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = client("sqs", service.endpoints["aws"])
    counts = sqs.get_queue_attributes(QueueUrl=service.endpoints[queue], AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def given_up(service: Service) -> set[str]:
    """The jobs whose events are in the dead-letter queue; other tests tell receivers that are not there."""
    sqs, queue = client("sqs", service.endpoints["aws"]), service.endpoints["webhooks_dead_letter_queue"]
    jobs = set()
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        jobs |= {json.loads(message["Body"])["job_id"] for message in found}
    return jobs


def assert_fits_the_document(event: dict[str, Any]) -> None:
    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    OAS31Validator({"$ref": "#/components/schemas/Event", "components": document["components"]}).validate(event)


def test_a_receiver_that_fails_four_times_gets_one_logical_event(
    service: Service, file_server: FileServer, hooks: Receiver
):
    shutil.copy(PHOTO, file_server.folder / "hook.jpg")
    path = f"/refuse/4/{uuid4()}"

    job_id = order(service, f"{file_server.url}/hook.jpg", hooks.url(path))
    wait_for(lambda: len(hooks.at(path)) >= 5 and waiting(service, "webhooks_queue") == 0)

    deliveries = hooks.at(path)
    assert [delivery.status for delivery in deliveries] == [500, 500, 500, 500, 204]
    secret = call(service, "GET", "/v2/account/webhook-secret")["secret"]
    events = [Webhook(secret).verify(delivery.body, delivery.headers) for delivery in deliveries]
    assert {event["id"] for event in events} == {deliveries[0].headers["webhook-id"]}
    assert {(event["type"], event["data"]["id"], event["data"]["status"]) for event in events} == {
        ("job.succeeded", job_id, "succeeded")
    }
    assert_fits_the_document(events[0])
    assert "upload" not in events[0]["data"]
    assert httpx.get(events[-1]["data"]["result"]["url"]).content.startswith(b"\x89PNG")
    assert job_id not in given_up(service)


def test_a_failed_job_is_told_with_its_reason(service: Service, file_server: FileServer, hooks: Receiver):
    (file_server.folder / "broken.jpg").write_bytes(b"no picture at all")
    path = f"/refuse/0/{uuid4()}"

    job_id = order(service, f"{file_server.url}/broken.jpg", hooks.url(path))
    wait_for(lambda: bool(hooks.at(path)))

    (delivery,) = hooks.at(path)
    secret = call(service, "GET", "/v2/account/webhook-secret")["secret"]
    event = Webhook(secret).verify(delivery.body, delivery.headers)
    assert_fits_the_document(event)
    assert event["type"] == "job.failed"
    assert event["data"]["error"] == call(service, "GET", f"/v2/jobs/{job_id}")["error"]


def test_a_receiver_that_is_gone_is_asked_once(service: Service, file_server: FileServer, hooks: Receiver):
    shutil.copy(PHOTO, file_server.folder / "gone.jpg")
    path = f"/gone/{uuid4()}"

    job_id = order(service, f"{file_server.url}/gone.jpg", hooks.url(path))
    wait_for(lambda: bool(hooks.at(path)) and waiting(service, "webhooks_queue") == 0)

    assert [delivery.status for delivery in hooks.at(path)] == [410]
    assert job_id not in given_up(service)
