"""Events and their signatures, checked by the reference library of Standard Webhooks; and the waits between retries."""

import base64
import json
import secrets as random_bytes
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobSource, SourceKind
from cutout.outbound.connection import ExchangeFailure
from cutout.webhooks import WebhookEvent, backoff_s, is_delivered, is_permanent_failure, job_event, signed_headers

NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
KNOWN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The specification's example, with its signature below."""


def failed_job(job_id: str = "job_" + "0a" * 16) -> Job:
    source = JobSource(SourceKind.URL, url="https://pictures.example/a.png")
    job = Job.queued(job_id, "acct_1", JobOptions(), source, NOW, webhook_url="https://hooks.example/")
    return job.started(NOW, 60).failed(NOW + timedelta(seconds=2), JobError("invalid_image", "No image."))


def new_secret() -> str:
    return "whsec_" + base64.b64encode(random_bytes.token_bytes(24)).decode()


def test_the_event_of_a_job_says_what_when_and_all_that_the_api_says():
    job = failed_job()

    event = job_event(job, {"id": job.id, "status": "failed"})

    assert json.loads(event.body) == {
        "id": "evt_" + "0a" * 16,
        "type": "job.failed",
        "created_at": "2026-11-20T12:00:02.250+00:00",
        "data": {"id": job.id, "status": "failed"},
    }


def test_an_event_has_the_same_id_however_often_it_is_made():
    job = failed_job()

    assert job_event(job, {"url": "first"}).id == job_event(replace(job, webhook_queued=True), {"url": "second"}).id
    assert job_event(job, {}).id != job_event(failed_job("job_" + "0b" * 16), {}).id


def test_a_signature_is_that_of_the_specification_s_example():
    event = WebhookEvent("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')

    headers = signed_headers(event, [KNOWN_SECRET], datetime.fromtimestamp(1_614_265_330, UTC))

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-id"] == event.id


@given(st.text())
def test_the_reference_library_verifies_every_event(text):
    secret = new_secret()
    event = job_event(failed_job(), {"text": text})

    headers = signed_headers(event, [secret], datetime.now(UTC))

    assert Webhook(secret).verify(event.body, headers)["data"] == {"text": text}


def test_while_a_secret_is_rotated_both_verify():
    new, old = new_secret(), new_secret()
    event = job_event(failed_job(), {})

    headers = signed_headers(event, [new, old], datetime.now(UTC))

    for secret in (new, old):
        Webhook(secret).verify(event.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(event.body, headers)


@pytest.mark.parametrize("field", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_signed_can_be_changed(field):
    secret = new_secret()
    event = job_event(failed_job(), {})
    headers = signed_headers(event, [secret], datetime.now(UTC))
    body = event.body
    if field == "body":
        body = body.replace(b"job.failed", b"job.fooled")
    else:
        headers[field] = headers[field][:-1] + ("1" if headers[field][-1] != "1" else "2")

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***", "whsec_abc"])
def test_a_secret_of_another_form_signs_nothing(secret):
    with pytest.raises(ValueError, match="secret"):
        signed_headers(WebhookEvent("evt_1", b"{}"), [secret], NOW)


@pytest.mark.parametrize(("status", "delivered"), [(199, False), (200, True), (204, True), (299, True), (300, False),
                                                   (302, False), (410, False), (500, False)])  # fmt: skip
def test_only_a_2xx_is_a_delivery(status, delivered):
    assert is_delivered(status) is delivered


@pytest.mark.parametrize("answer", [410, ExchangeFailure.NOT_ALLOWED])
def test_some_answers_end_it_at_once(answer):
    assert is_permanent_failure(answer)


@pytest.mark.parametrize(
    "answer", [*(each for each in ExchangeFailure if each is not ExchangeFailure.NOT_ALLOWED), 301, 400, 404, 429, 503]
)
def test_everything_else_may_be_cured_by_waiting(answer):
    assert not is_permanent_failure(answer)


def test_the_longest_waits_grow_threefold_up_to_an_hour():
    assert [backoff_s(receives, 5, 1.0) for receives in range(1, 11)] == [
        5, 15, 45, 135, 405, 1_215, 3_600, 3_600, 3_600, 3_600,
    ]  # fmt: skip


@given(st.integers(1, 10_000), st.integers(0, 1_000), st.floats(0, 1))
def test_a_wait_is_anywhere_below_its_bound(receives, first_s, chance):
    assert 0 <= backoff_s(receives, first_s, chance) <= backoff_s(receives, first_s, 1.0) <= 3_600
    assert backoff_s(receives, first_s, 0.0) == 0
