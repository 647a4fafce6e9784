"""fal: webhooks by the service's own key, and the key set by which receivers verify them."""

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cutout.container import container
from cutout.jobs.parts import JobError
from tests.dialects.fal_bench import KEY, SUBMIT, ask, data_uri, deliver, stored, work
from tests.dialects.pictures import cat
from tests.dialects.shapes import image_of, success_of_fal
from tests.support.in_process_api import URL
from tests.support.webhook_receiver import Delivery, Receiver

pytestmark = pytest.mark.covers("happy")


@pytest.fixture(autouse=True)
def _allow(hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOUT_URL_ALLOW", hooks.authority)
    monkeypatch.setenv("CUTOUT_WEBHOOK_BACKOFF_S", "0")


def submit(api: Any, hook: str, image: bytes) -> dict[str, Any]:
    answer = api.post(
        f"{URL}{SUBMIT}", params={"fal_webhook": hook}, json={"image_url": data_uri(image), "seed": 3}, headers=KEY
    )
    document: dict[str, Any] = answer.json()
    return document


def verify(delivery: Delivery, api: Any, body: bytes | None = None) -> None:
    """As the vendor documents it for receivers. Raises InvalidSignature."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    body = delivery.body if body is None else body
    lines = [headers[f"x-fal-webhook-{name}"] for name in ("request-id", "user-id", "timestamp")]
    message = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    (key,) = api.get(f"{URL}/.well-known/jwks.json").json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), message)


def test_the_end_of_a_request_is_told_with_its_output_and_signed(api, hooks):
    path = f"/{uuid4()}"
    document = submit(api, hooks.url(path), cat())
    work()
    deliver()

    (delivery,) = hooks.at(path)
    verify(delivery, api)
    event = json.loads(delivery.body)
    url = event["payload"]["image"]["url"]
    assert event == {
        "request_id": document["request_id"],
        "gateway_request_id": document["request_id"],
        "status": "OK",
        "error": None,
        "payload": event["payload"],
    }
    assert event["payload"]["seed"] == 3
    assert image_of(stored(url), "PNG").size == (120, 80)
    result = ask(api, "GET", document["response_url"]).json()
    assert event["payload"]["image"].keys() == result["image"].keys()
    assert {name.lower(): value for name, value in delivery.headers.items()}["x-fal-webhook-user-id"] == "acct_local"


def test_a_body_that_was_changed_does_not_verify(api, hooks):
    path = f"/{uuid4()}"
    submit(api, hooks.url(path), cat())
    work()
    deliver()

    (delivery,) = hooks.at(path)
    with pytest.raises(InvalidSignature):
        verify(delivery, api, delivery.body + b" ")


@pytest.mark.covers("errors")
def test_a_failed_request_is_told_with_the_detail_of_its_error(api, hooks):
    path = f"/{uuid4()}"
    submit(api, hooks.url(path), b"no picture at all")
    work()
    deliver()

    (delivery,) = hooks.at(path)
    verify(delivery, api)
    event = json.loads(delivery.body)
    assert (event["status"], event["error"]) == ("ERROR", "Invalid status code: 422")
    (item,) = event["payload"]["detail"]
    assert (item["loc"], item["type"]) == (["body", "image_url"], "unsupported_image_format")


def test_a_receiver_that_fails_is_told_again_by_the_same_id(api, hooks):
    path = f"/refuse/2/{uuid4()}"
    submit(api, hooks.url(path), cat())
    work()
    for _ in range(3):
        deliver()

    deliveries = hooks.at(path)
    assert [delivery.status for delivery in deliveries] == [500, 500, 204]
    for delivery in deliveries:
        verify(delivery, api)
    assert len({json.loads(delivery.body)["request_id"] for delivery in deliveries}) == 1


def test_the_key_is_made_once_and_only_its_public_half_is_told(api):
    before = api.get(f"{URL}/.well-known/jwks.json")
    container.cache_clear()
    after = api.get(f"{URL}/.well-known/jwks.json")

    success_of_fal(before)
    assert before.json() == after.json()
    (key,) = after.json()["keys"]
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x"}
    assert "max-age=" in before.headers["cache-control"]


def test_our_own_jobs_are_told_by_our_own_event(api, hooks):
    path = f"/{uuid4()}"
    options = {"image_url": "https://pictures.invalid/a.png", "webhook_url": hooks.url(path)}
    job = api.post(f"{URL}/v2/jobs", json=options, headers={"x-api-key": KEY["authorization"][4:]}).json()
    container().jobs.fail(container().jobs.start(job["id"], 60), JobError("invalid_image", "No image."))
    container().webhook_queue.enqueue(job["id"])
    deliver()

    (delivery,) = hooks.at(path)
    assert json.loads(delivery.body)["type"] == "job.failed"
    assert "webhook-signature" in {name.lower() for name in delivery.headers}
