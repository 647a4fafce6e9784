"""What a dialect is: one vendor's contract, as a request that is parsed and answers that are written.

A :class:`Dialect` turns a Request into a :class:`RemovalRequest`, and an :class:`Outcome` or an error into a Response,
in one vendor's shape. Routes that bring no image to be cut out stand in its other tables.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cutout.api.dialects.context import AccountHandler, PublicHandler
from cutout.api.headers import APPLIED
from cutout.api.job_documents import Links, accepted_answer
from cutout.api.request import Request, Response
from cutout.api.sources import Source
from cutout.errors import CutoutError
from cutout.imaging.spec import CutoutResult, CutoutSpec, Limits
from cutout.jobs.job import Job
from cutout.usage import AccountStatus, RateState

Route = tuple[str, str]
"""Method, and the route as the template names it."""


@dataclass(frozen=True, slots=True)
class RemovalRequest:
    """What one request asks for, as it was asked: its images may still be behind a URL.

    Attributes:
        spec: What is wanted of the cutout.
        source: Where the image comes from.
        reply: The shape of the answer, in the dialect's own words.
        model: A row of the models' manifest, or an alias of one; where its file is missing, the default model works.
        respond_async: Answer with a job at once, instead of the image when it is made.
        idempotency_key: The client's name for this request, under which it is done once.
        background: The background image.
        limits: The contract's own bounds on the image; the service's hold besides.
        notes: What the dialect needs again when it answers; stored with a job.
        webhook_url: Who hears of the end of a job.
        dialect: The dialect that reports the end of a job; empty: our own contract does.
    """

    spec: CutoutSpec
    source: Source
    reply: str
    model: str = ""
    respond_async: bool = False
    idempotency_key: str | None = None
    background: Source | None = None
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    notes: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class LoadedRemoval:
    """A removal request with its images loaded.

    Attributes:
        request: What was asked for.
        image: The encoded image.
        background: The encoded background image, where one was asked for.
    """

    request: RemovalRequest
    image: bytes
    background: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A removal request that was carried out.

    Attributes:
        request: What was asked for.
        result: What was made.
        status: Where the account stands.
        charged: Whether it costs the account an image.
        publish: Stores the result, and gives a URL by which anyone can read it for a while.
        image: The encoded image; None where the result was made for an earlier request (Idempotency-Key).
    """

    request: RemovalRequest
    result: CutoutResult
    status: AccountStatus
    charged: bool
    publish: Callable[[], str]
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A webhook in a contract's own form: the body that is posted, and its headers with the signature."""

    body: bytes
    headers: Mapping[str, str]


PageHandler = Callable[[Request], Response]
"""Answers a request of anyone."""
StatusHandler = Callable[[Request, AccountStatus], Response]
"""Answers a request of an account about its credits."""


class Dialect(ABC):
    """One vendor's contract.

    Attributes:
        name: The name of its file or folder.
        title: The API as its users call it, with its version.
        keyless: Whether the original takes requests without a key; ours does where the owner has named an account
            for them.
        routes: Where an image comes in.
        pages: Routes that need no key.
        status_routes: Routes that need a key, and report the account's credits.
        account_routes: Routes that need a key, and are about jobs and uploads.
        public_routes: Routes that need no key, but something that is stored.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    keyless: ClassVar[bool] = False
    routes: ClassVar[frozenset[Route]]
    pages: Mapping[Route, PageHandler] = {}
    status_routes: Mapping[Route, StatusHandler] = {}
    account_routes: Mapping[Route, AccountHandler] = {}
    public_routes: Mapping[Route, PublicHandler] = {}

    def every_route(self) -> set[Route]:
        """Collect all routes of the contract."""
        return {*self.routes, *self.pages, *self.status_routes, *self.account_routes, *self.public_routes}

    @abstractmethod
    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the raw API key.

        Args:
            request: The request, with its body.
            legacy: Whether old, less safe places count too (query string, body).

        Returns:
            The key as sent, or None.
        """

    @abstractmethod
    def parse(self, request: Request) -> RemovalRequest:
        """Read what a request asks for.

        Raises:
            ClientFaultError: For whatever the contract refuses.
        """

    def check_image(self, loaded: LoadedRemoval) -> None:  # noqa: B027 - most contracts take what the service takes
        """Look at the images before the work; not asked where a result is repeated.

        Raises:
            ClientFaultError: For an image that the contract does not take.
        """

    @abstractmethod
    def answer(self, request: Request, outcome: Outcome) -> Response:
        """Write the response to a removal that was carried out; an image whose answer fails is not charged."""

    def accepted(self, request: Request, job: Job, links: Links, *, repeated: bool) -> Response:
        """Write the response to a removal that became a job.

        Args:
            request: The request.
            job: The job that stands for it.
            links: How results are read without a key.
            repeated: Whether the job was made for the same request, sent before.

        Returns:
            The response, 202 in our own contract.
        """
        return accepted_answer(job, links, request, repeated=repeated).with_headers(APPLIED)

    def webhook(
        self,
        job: Job,  # noqa: ARG002
        links: Links,  # noqa: ARG002
        sign: Callable[[bytes], bytes],  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> WebhookDelivery | None:
        """Write the webhook of a job that has succeeded or failed.

        Args:
            job: The job.
            links: How results are read without a key.
            sign: Signs bytes by the service's Ed25519 key (64 bytes).
            now: UTC.

        Returns:
            What to post; None: the service's own event.
        """
        return None

    def rate_headers(self, rate: RateState) -> Mapping[str, str]:
        """Tell the rate of an account, on every answer to a request with a good key."""
        return rate.headers

    @abstractmethod
    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write the response to a request that failed."""
