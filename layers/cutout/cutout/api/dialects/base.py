"""The base of all dialects: one vendor's contract, as a parser of requests and writers of answers.

A :class:`Dialect` turns a Request into a :class:`RemovalRequest`, and an :class:`Outcome` or an error into a Response,
in one vendor's format. Routes for anything but the removal of a background are in its other tables.
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
"""A method, and a route as the template names it."""


@dataclass(frozen=True, slots=True)
class RemovalRequest:
    """A parsed request for the removal of a background; its images may not be loaded yet.

    Attributes:
        spec: The requested cutout.
        source: The source of the image.
        reply: The format of the answer, a name of the dialect's own.
        model: A row of the models' manifest, or an alias; if its file is missing, the default model is used.
        respond_async: Whether to answer with a job at once, instead of waiting for the image.
        idempotency_key: The client's name for this request, which is processed only once.
        background: The background image.
        limits: The contract's own bounds on the image, besides the service's.
        notes: Facts that the dialect needs for its answer; stored with a job.
        webhook_url: The URL that receives the end of a job.
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
        request: The parsed request.
        image: The encoded image.
        background: The encoded background image, if there is one.
    """

    request: RemovalRequest
    image: bytes
    background: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a removal request.

    Attributes:
        request: The parsed request.
        result: The cutout.
        status: The account's status.
        charged: Whether the account is charged.
        publish: Stores the result, and returns a URL by which anyone can read it until it expires.
        image: The encoded image; None if the result was made for an earlier request (Idempotency-Key).
    """

    request: RemovalRequest
    result: CutoutResult
    status: AccountStatus
    charged: bool
    publish: Callable[[], str]
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A webhook in a contract's own format.

    Attributes:
        body: The body.
        headers: Its headers, with the signature.
    """

    body: bytes
    headers: Mapping[str, str]


PageHandler = Callable[[Request], Response]
"""Answers a request without a key."""
StatusHandler = Callable[[Request, AccountStatus], Response]
"""Answers a request about an account's credits."""


class Dialect(ABC):
    """One vendor's contract.

    Attributes:
        name: The name of its file or folder.
        title: The common name of the API, with its version.
        keyless: Whether the original accepts requests without a key; ours does if the settings name an account for
            them.
        routes: Routes that remove a background.
        pages: Routes without a key.
        status_routes: Routes with a key that report the account's credits.
        account_routes: Routes with a key about jobs and uploads.
        public_routes: Routes without a key that read stored data.
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
            legacy: Whether to search old, less safe places too (query string, body).

        Returns:
            The key as sent, or None.
        """

    @abstractmethod
    def parse(self, request: Request) -> RemovalRequest:
        """Parse a removal request.

        Args:
            request: The request.

        Returns:
            The parsed request.

        Raises:
            ClientFaultError: The contract refuses the request.
        """

    def check_image(self, loaded: LoadedRemoval) -> None:  # noqa: B027 - most contracts accept all images
        """Check the images before they are processed; not called when a result is repeated.

        Args:
            loaded: The request with its images.

        Raises:
            ClientFaultError: The contract does not accept an image.
        """

    @abstractmethod
    def answer(self, request: Request, outcome: Outcome) -> Response:
        """Write the response to a finished removal. If this raises an error, the image is not charged.

        Args:
            request: The request.
            outcome: The outcome.

        Returns:
            The response.
        """

    def accepted(self, request: Request, job: Job, links: Links, *, repeated: bool) -> Response:
        """Write the response to a removal that became a job.

        Args:
            request: The request.
            job: The job.
            links: Makes URLs of results.
            repeated: Whether an earlier, identical request made the job.

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
            links: Makes URLs of results.
            sign: Signs bytes with the service's Ed25519 key; returns 64 bytes.
            now: The current time (UTC).

        Returns:
            The webhook; None: the service's own event is sent.
        """
        return None

    def rate_headers(self, rate: RateState) -> Mapping[str, str]:
        """Make the headers that report an account's rate, on every answer to an authenticated request."""
        return rate.headers

    @abstractmethod
    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write the response for an error."""
