"""One delivery of one webhook: the event of a job's end, or a trial, signed and posted once."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

from cutout import webhooks
from cutout.accounts import Caller
from cutout.api.answers import json_answer
from cutout.api.body.json_body import JsonBody
from cutout.api.dialects.base import WebhookDelivery
from cutout.api.dialects.registry import find_dialect
from cutout.api.job_documents import Links, job_document
from cutout.api.jobs import check_webhook_url
from cutout.api.request import Request, Response
from cutout.authentication import require_manager
from cutout.errors import InvalidOptionError
from cutout.ids import JobId
from cutout.jobs.job import Job
from cutout.jobs.store import JobStore
from cutout.outbound.connection import ExchangeFailure
from cutout.services.ports import Observer, WebhookSecretStore

Post = Callable[[str, bytes, Mapping[str, str]], int | ExchangeFailure]
"""URL, body and headers to the status of the answer, or why there is none."""

MAX_URL_CHARS = 2_048
"""Of a receiver that is tried."""


class DeliveryOutcome(StrEnum):
    """What came of a delivery."""

    DELIVERED = "delivered"
    NOTHING_TO_TELL = "nothing to tell"
    """The job is gone or was deleted, has not ended, or names no webhook."""
    GIVEN_UP = "given up"
    """The receiver does not want events, or may not be posted to."""
    NOT_DELIVERED = "not delivered"
    """A retry may work."""


class WebhookSender:
    """Delivers events.

    Args:
        jobs: Where jobs are kept.
        secrets: What signs the accounts' webhooks.
        links: Makes the presigned URLs of results, anew for every delivery, since they expire.
        post: Posts to a URL that a client has named.
        sign: Signs by the service's own key, for dialects that want it so.
        observer: Hears of every attempt.
    """

    def __init__(
        self,
        jobs: JobStore,
        secrets: WebhookSecretStore,
        links: Callable[[], Links],
        post: Post,
        sign: Callable[[bytes], bytes],
        *,
        observer: Observer,
    ) -> None:
        self._jobs = jobs
        self._secrets = secrets
        self._links = links
        self._post = post
        self._sign = sign
        self._observer = observer

    def deliver(self, job_id: JobId, now: datetime) -> DeliveryOutcome:
        """Deliver the event of a job's end.

        Args:
            job_id: The job.
            now: UTC.

        Returns:
            What came of it.

        Raises:
            ServiceUnavailableError: A store cannot be reached.
        """
        job = self._jobs.find(job_id)
        if job is None or job.webhook_url is None or job.state not in webhooks.REPORTED_STATES:
            self._observer.webhook_attempted(job_id, DeliveryOutcome.NOTHING_TO_TELL, None)
            return DeliveryOutcome.NOTHING_TO_TELL
        delivery = self._delivery(job, now)
        answer = self._post(job.webhook_url, delivery.body, delivery.headers)
        outcome = _outcome(answer)
        self._observer.webhook_attempted(
            job_id, outcome, answer.name if isinstance(answer, ExchangeFailure) else answer
        )
        return outcome

    def _delivery(self, job: Job, now: datetime) -> WebhookDelivery:
        """Write the event, in the form of the contract by which the job was ordered."""
        links = self._links()
        dialect = find_dialect(job.dialect)
        if dialect and (delivery := dialect.webhook(job, links, self._sign, now)):
            return delivery
        event = webhooks.job_event(job, job_document(job, links))
        secrets = self._secrets.signing(job.account_id, now)
        return WebhookDelivery(event.body, webhooks.signed_headers(event, secrets, now))


class WebhookTrial:
    """Answers requests to try a receiver.

    Args:
        secrets: Where webhook secrets are kept.
        post: Posts to a URL that a client has named.
        allow: The ``host:port`` pairs that are allowed although they are not public.
        now: The current time, UTC.
    """

    def __init__(
        self,
        secrets: WebhookSecretStore,
        post: Post,
        allow: frozenset[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secrets = secrets
        self._post = post
        self._allow = allow
        self._now = now

    def run(self, caller: Caller, request: Request) -> Response:
        """Post one event and tell what came of it; nothing is repeated.

        Raises:
            ForbiddenError: The key may not manage secrets.
            InvalidOptionError: ``webhook_url`` is missing or not allowed.
            ServiceUnavailableError: The secret cannot be read.
        """
        require_manager(caller.key)
        url = JsonBody(request, ("webhook_url",)).text("webhook_url", MAX_URL_CHARS)
        if not url:
            raise InvalidOptionError("webhook_url is required.", {"option": "webhook_url"})
        check_webhook_url(url, self._allow)
        now = self._now()
        event = webhooks.trial_event(uuid4().hex, now)
        headers = webhooks.signed_headers(event, self._secrets.signing(caller.account.id, now), now)
        started = time.perf_counter()
        answer = self._post(url, event.body, headers)
        elapsed_ms = round((time.perf_counter() - started) * 1000, 1)
        if isinstance(answer, ExchangeFailure):
            status, failure, delivered = None, answer.name.lower(), False
        else:
            status, failure, delivered = answer, None, webhooks.is_delivered(answer)
        return json_answer(
            {
                "delivered": delivered,
                "status": status,
                "failure": failure,
                "elapsed_ms": elapsed_ms,
                "event_id": event.id,
            }
        )


def _outcome(answer: int | ExchangeFailure) -> DeliveryOutcome:
    if webhooks.is_permanent_failure(answer):
        return DeliveryOutcome.GIVEN_UP
    delivered = not isinstance(answer, ExchangeFailure) and webhooks.is_delivered(answer)
    return DeliveryOutcome.DELIVERED if delivered else DeliveryOutcome.NOT_DELIVERED
