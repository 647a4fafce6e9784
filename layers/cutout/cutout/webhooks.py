"""Webhooks as values: the event, its signature, and when a failed delivery is tried again.

Knows neither AWS nor sockets. Events are signed as Standard Webhooks 1.0 asks, so any of its libraries verifies them:
HMAC-SHA256 over ``id.timestamp.body`` with the bytes behind ``whsec_``, one signature for each secret that is good.
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
from cutout.outbound.connection import Trouble

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, no secret
BACKOFF_FACTOR = 3
MAX_BACKOFF_S = 3_600

REPORTED_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED})
"""The ends that are events; who cancels a job knows it."""
HOPELESS = frozenset({Trouble.NOT_ALLOWED})
"""A URL that leads into a private network is not tried again: it would be a probe."""


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """What signs an account's webhooks.

    Attributes:
        current: The secret, ``whsec_`` and base64.
        created_at: When it was made (UTC, whole seconds).
        previous: Its predecessor, if it was rotated.
        previous_until: Until when (UTC, whole seconds) the predecessor signs too.
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
class Event:
    """What is sent. id: the same however often it is delivered; body: JSON."""

    id: str
    body: bytes


def job_event(job: Job, document: Mapping[str, object]) -> Event:
    """Make the event of a job that succeeded or failed. document: the job as the API shows it."""
    event_id = f"evt_{job.id.removeprefix('job_')}"
    ended_at = job.finished_at or job.created_at
    event = {
        "id": event_id,
        "type": f"job.{job.state.value}",
        "created_at": ended_at.isoformat(timespec="milliseconds"),
        "data": document,
    }
    return Event(event_id, json.dumps(event, separators=(",", ":")).encode())


def signed_headers(event: Event, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Make the headers of one delivery. secrets: ``whsec_`` and base64 each; now: with its time zone.

    Raises ValueError for a secret of another form.
    """
    timestamp = int(now.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, event, timestamp) for secret in secrets),
    }


def is_delivered(status: int) -> bool:
    """Whether a receiver's status says that it has the event. A redirect does not: it is not followed."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def is_hopeless(answer: int | Trouble) -> bool:
    """Whether no retry may follow: the receiver says 410 Gone, or its address is not one that we ask."""
    return answer == HTTPStatus.GONE or answer in HOPELESS


def backoff_s(receives: int, first_s: int, chance: float) -> int:
    """Seconds until the next delivery: full jitter below a bound that grows threefold each time, up to an hour.

    receives: deliveries so far, from 1. first_s: bound of the first wait; 0: never wait. chance: evenly in 0..1.
    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    bound_s: int = min(MAX_BACKOFF_S, first_s * BACKOFF_FACTOR ** min(receives - 1, 20))
    return round(bound_s * chance)


def _signature(secret: str, event: Event, timestamp: int) -> str:
    signed = f"{event.id}.{timestamp}.".encode() + event.body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret begins with {SECRET_PREFIX}")
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is base64") from error
