"""Webhooks as values: the event, its signature, and the schedule of retries. Knows neither AWS nor sockets.

Events are signed by Standard Webhooks 1.0, so any of its libraries verifies them: HMAC-SHA256 over
``id.timestamp.body`` with the bytes encoded after ``whsec_``, one signature for each valid secret.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from cutout.jobs.job import Job, JobState
from cutout.outbound.connection import ExchangeFailure

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, no secret
BACKOFF_FACTOR = 3
MAX_BACKOFF_S = 3_600

REPORTED_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED})
"""The final states that are reported; a client that cancels a job knows it."""
PERMANENT_FAILURES = frozenset({ExchangeFailure.NOT_ALLOWED})
"""Failures that are not retried: a URL into a private network would otherwise be a probe."""


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """The secret that signs an account's webhooks.

    Attributes:
        current: The secret, ``whsec_`` and base64.
        created_at: When it was made (UTC, whole seconds).
        previous: The secret before a rotation.
        previous_until: The end (UTC, whole seconds) of the time in which the previous secret signs too.
    """

    current: str
    created_at: datetime
    previous: str | None = None
    previous_until: datetime | None = None

    def signing(self, now: datetime) -> tuple[str, ...]:
        """Select the secrets that sign at this time (UTC), the newest first."""
        if self.previous and self.previous_until and now < self.previous_until:
            return self.current, self.previous
        return (self.current,)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event to be delivered.

    Attributes:
        id: The id, the same for every delivery of the event.
        body: JSON.
    """

    id: str
    body: bytes


def job_event(job: Job, document: Mapping[str, object]) -> WebhookEvent:
    """Make the event of a job that succeeded or failed.

    Args:
        job: The job.
        document: The job as the API shows it.

    Returns:
        The event.
    """
    name = job.id.removeprefix("job_")
    return _event(name, f"job.{job.state.value}", job.finished_at or job.created_at, document)


def trial_event(name: str, now: datetime) -> WebhookEvent:
    """Make the event by which a receiver is tried.

    Args:
        name: What is unique in the event's id, 32 hex digits.
        now: The current time (UTC).

    Returns:
        The event, ``webhook.test`` without data.
    """
    return _event(name, "webhook.test", now, {})


def _event(name: str, kind: str, at: datetime, data: Mapping[str, object]) -> WebhookEvent:
    event = {"id": f"evt_{name}", "type": kind, "created_at": at.isoformat(timespec="milliseconds"), "data": data}
    return WebhookEvent(f"evt_{name}", json.dumps(event, separators=(",", ":")).encode())


def signed_headers(event: WebhookEvent, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Make the headers of one delivery, with its signatures.

    Args:
        event: The event.
        secrets: The signing secrets, each ``whsec_`` and base64.
        now: The current time, timezone-aware.

    Returns:
        The headers.

    Raises:
        ValueError: A secret has another form.
    """
    timestamp = int(now.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, event, timestamp) for secret in secrets),
    }


def is_delivered(status: int) -> bool:
    """Report whether a receiver's HTTP status accepts the event. A redirect does not: it is not followed."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def is_permanent_failure(answer: int | ExchangeFailure) -> bool:
    """Report whether no retry may follow: the receiver answers 410 Gone, or its address is not allowed."""
    return answer == HTTPStatus.GONE or answer in PERMANENT_FAILURES


def backoff_s(receives: int, first_s: int, chance: float) -> int:
    """Compute the wait before the next delivery: full jitter below a bound that triples each time, up to an hour.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".

    Args:
        receives: Deliveries so far, from 1.
        first_s: The bound of the first wait in seconds; 0: never wait.
        chance: A random number, uniform in 0 to 1.

    Returns:
        Seconds, 0 to MAX_BACKOFF_S.
    """
    bound_s: int = min(MAX_BACKOFF_S, first_s * BACKOFF_FACTOR ** min(receives - 1, 20))
    return round(bound_s * chance)


def _signature(secret: str, event: WebhookEvent, timestamp: int) -> str:
    signed = f"{event.id}.{timestamp}.".encode() + event.body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret begins with {SECRET_PREFIX}")
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is base64") from error
