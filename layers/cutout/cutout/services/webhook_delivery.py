"""Tells the owner of a job of its end: one delivery of one event. When to try again is the caller's affair."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cutout import webhooks
from cutout.api.dialects.base import Message
from cutout.api.dialects.registry import find_dialect
from cutout.api.job_documents import Links, job_document
from cutout.aws import telemetry
from cutout.jobs.job import Job
from cutout.outbound.connection import Trouble

Post = Callable[[str, bytes, Mapping[str, str]], int | Trouble]
"""URL, body and headers to the status of the answer, or why there is none."""


class Told(StrEnum):
    """What came of a delivery."""

    DELIVERED = "delivered"
    NOTHING_TO_TELL = "nothing to tell"
    """The job is gone or was deleted, has not ended, or names no webhook."""
    GIVEN_UP = "given up"
    """The receiver does not want events, or is not one that we talk to."""
    NOT_DELIVERED = "not delivered"
    """A retry may work."""


class Jobs(Protocol):
    """Where jobs are looked up."""

    def find(self, job_id: str) -> Job | None:
        """As :class:`~cutout.jobs.job.JobStore`."""


class Secrets(Protocol):
    """Where the secrets of webhooks are kept."""

    def signing(self, account_id: str, now: datetime) -> tuple[str, ...]:
        """The secrets of an account that are good at this time, the newest first; one is made where there is none."""


class Courier:
    """Delivers events.

    links: makes the presigned URLs of results, anew for every delivery, since they age. seal: signs by the service's
    own key, for dialects that want it so.
    """

    def __init__(
        self,
        jobs: Jobs,
        secrets: Secrets,
        links: Callable[[], Links],
        post: Post,
        seal: Callable[[bytes], bytes],
    ) -> None:
        self._jobs = jobs
        self._secrets = secrets
        self._links = links
        self._post = post
        self._seal = seal

    def tell(self, job_id: str, now: datetime) -> Told:
        """Deliver the event of a job's end. now: UTC. Raises ServiceUnavailableError when the stores do."""
        job = self._jobs.find(job_id)
        if job is None or job.webhook_url is None or job.state not in webhooks.TOLD:
            telemetry.webhook_told(job_id, Told.NOTHING_TO_TELL, None)
            return Told.NOTHING_TO_TELL
        message = self._message(job, now)
        answer = self._post(job.webhook_url, message.body, message.headers)
        told = _told(answer)
        telemetry.webhook_told(job_id, told, answer.name if isinstance(answer, Trouble) else answer)
        return told

    def _message(self, job: Job, now: datetime) -> Message:
        """The event, in the form of the contract by which the job was ordered."""
        links = self._links()
        dialect = find_dialect(job.dialect)
        if dialect and (message := dialect.message(job, links, self._seal, now)):
            return message
        event = webhooks.job_ended(job, job_document(job, links))
        return Message(event.body, webhooks.signed_headers(event, self._secrets.signing(job.account_id, now), now))


def _told(answer: int | Trouble) -> Told:
    if webhooks.is_hopeless(answer):
        return Told.GIVEN_UP
    delivered = not isinstance(answer, Trouble) and webhooks.is_delivered(answer)
    return Told.DELIVERED if delivered else Told.NOT_DELIVERED
