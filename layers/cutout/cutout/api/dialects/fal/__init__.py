"""fal ``fal-ai/ben/v2/image``: direct runs, the queue with its webhooks, and the uploads of its clients.

This file is the dialect; its documents, addresses and routes are in the files beside it.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cutout.api import headers as auth
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest, WebhookDelivery
from cutout.api.dialects.fal import requests, storage, webhook
from cutout.api.dialects.fal.addresses import (
    HOME,
    NAME,
    QUEUE,
    RUN,
    home_of,
    id_for_answer,
    is_queued,
    public_id,
    upload_id_in,
)
from cutout.api.dialects.fal.documents import SEED, output, reply, submitted
from cutout.api.dialects.fal.inputs import parse_input
from cutout.api.dialects.fal.problems import write_problem
from cutout.api.job_documents import Links
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source, url_source
from cutout.errors import CutoutError, NotFoundError
from cutout.imaging.spec import CutoutSpec
from cutout.jobs.job import Job

_SEEDS: Final = 2**31
_SHOWN_CHARS: Final = 200


class Fal(Dialect):
    """The contract in ``docs/openapi/fal.yaml``."""

    name = NAME
    title = "fal.ai fal-ai/ben/v2/image"
    routes = frozenset({("POST", RUN), ("POST", f"{QUEUE}{RUN}")})

    def __init__(self) -> None:
        self.account_routes = {**requests.ACCOUNT_ROUTES, **storage.ACCOUNT_ROUTES}
        self.public_routes = {**storage.PUBLIC_ROUTES, **webhook.PUBLIC_ROUTES}
        self.pages = {
            (method, f"{prefix}/fal-ai/{{path+}}"): _unknown_path
            for prefix in ("", QUEUE)
            for method in ("GET", "POST", "PUT")
        }

    def credential(self, request: Request, *, legacy: bool) -> str | None:  # noqa: ARG002
        """Find the key in ``Authorization: Key KEY`` or Bearer."""
        return auth.header_key(request)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a JSON object and, on the queue, ``?fal_webhook=``. The seed has no effect, and is returned."""
        given = parse_input(request.body)
        seed = secrets.randbelow(_SEEDS) if given.seed is None else given.seed
        queued = is_queued(request)
        hook = request.query.get("fal_webhook", ("",))[-1].strip() if queued else ""
        return RemovalRequest(
            CutoutSpec(),
            _source(given.image_url.strip(), request),
            reply="output",
            respond_async=queued,
            notes={SEED: str(seed), HOME: home_of(request)},
            webhook_url=hook or None,
            dialect=NAME,
        )

    def answer(self, request: Request, outcome: Outcome) -> Response:
        """Write the URL of the result, always a PNG, and the seed."""
        request_id, result = id_for_answer(request), outcome.result
        size = (result.width, result.height)
        document = output(outcome.publish(), request_id, size, len(result.data), outcome.request.notes[SEED])
        return reply(document, request_id, units=int(outcome.charged))

    def accepted(self, request: Request, job: Job, links: Links, *, repeated: bool) -> Response:  # noqa: ARG002
        """Write the URLs of the request in the queue."""
        return reply(submitted(job), public_id(job))

    def webhook(self, job: Job, links: Links, sign: Callable[[bytes], bytes], now: datetime) -> WebhookDelivery:
        """Write the webhook, signed with the service's key."""
        return webhook.signed_delivery(job, links, sign, now)

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"detail": ...}``: a list for faults of the input, else a sentence."""
        return write_problem(error, request)


def _source(image_url: str, request: Request) -> Source:
    if upload_id := upload_id_in(image_url, request):
        return Source(InputKind.UPLOAD, "image_url", upload_id)
    return url_source("image_url", image_url)


def _unknown_path(request: Request) -> Response:
    raise NotFoundError(f"Path {request.path[:_SHOWN_CHARS]} not found")


DIALECT = Fal()
