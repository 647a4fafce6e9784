"""The wire contracts we speak. One file each; a file that defines ``DIALECT`` is found by itself.

A dialect turns a Request into an Order, and an Outcome or an error into a Response, in one vendor's shape. Its other
routes, those that bring no image to be cut out, are ``pages`` and ``counters``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from cutout.accounts import Account, KeyMode
from cutout.api.dialects.context import Clerk, Window
from cutout.api.headers import APPLIED
from cutout.api.job_documents import Links, accepted_answer
from cutout.api.request import Request, Response
from cutout.api.sources import Source
from cutout.errors import CutoutError
from cutout.imaging.spec import CutoutResult, CutoutSpec, Limits
from cutout.jobs.job import Job
from cutout.usage import RateState

Route = tuple[str, str]
"""Method, and the route as the template names it."""

UNMETERED_CREDITS: Final = 1_000_000
"""Credits that are told of an account without a quota, where a contract wants a number."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one request asks for. ``reply`` names the shape of the answer, in the dialect's own words."""

    spec: CutoutSpec
    source: Source
    reply: str
    model: str = ""
    """A row of the models' manifest, or an alias of one; where its file is missing, the service's own model works."""
    later: bool = False
    """Answer with a job at once, instead of the image when it is made."""
    idempotency_key: str | None = None
    """The client's name for this request, under which it is done once."""
    background: Source | None = None
    """The background image, for what the client waits for."""
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    """The contract's own bounds on the image; the service's hold besides."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the dialect wants to know again when it answers."""
    webhook_url: str | None = None
    """Who is told of the end of an order for later."""
    dialect: str = ""
    """The name of the dialect that tells of it; empty: our own contract does."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who asks, and where the account stands. credits_left: images of the month, as of the last minute at most."""

    account: Account
    mode: KeyMode
    rate: RateState
    credits_left: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An order that was carried out.

    charged: whether it costs the account an image. keep: put the result into the results bucket, and give a URL by
    which anyone can get it for a while.
    """

    result: CutoutResult
    standing: Standing
    charged: bool
    keep: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook in a contract's own form: what is posted, with its signature among the headers."""

    body: bytes
    headers: Mapping[str, str]


Page = Callable[[Request], Response]
"""Answers a request of anyone."""
Counter = Callable[[Request, Standing], Response]
"""Answers a request of an account."""


class Dialect(ABC):
    """One vendor's contract."""

    name: ClassVar[str]
    """Its file's."""
    title: ClassVar[str]
    """The API as its users call it, with its version."""
    keyless: ClassVar[bool] = False
    """Whether the original takes requests without a key; ours does where the owner has named an account for them."""
    routes: ClassVar[frozenset[Route]]
    """Where an image comes in."""
    pages: Mapping[Route, Page] = {}
    """What needs no key."""
    counters: Mapping[Route, Counter] = {}
    """What needs a key, and costs nothing."""
    clerks: Mapping[Route, Clerk] = {}
    """What needs a key, and is about jobs and uploads."""
    windows: Mapping[Route, Window] = {}
    """What needs no key, but something that is stored."""

    def every_route(self) -> set[Route]:
        """All of the above."""
        return {*self.routes, *self.pages, *self.counters, *self.clerks, *self.windows}

    @abstractmethod
    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """The raw API key as this vendor spells it; ``legacy`` allows old, less safe places."""

    @abstractmethod
    def parse(self, request: Request) -> Order:
        """The order in a request. Raises a CutoutError for whatever the contract refuses."""

    def receive(self, request: Request, order: Order) -> None:  # noqa: B027 - most have nothing to say
        """Look at the images once they are bytes, before the work. Raises a CutoutError for what is not taken.

        Not asked of an order with an Idempotency-Key.
        """

    @abstractmethod
    def answer(self, request: Request, order: Order, outcome: Outcome) -> Response:
        """The response to an order that was carried out; what it raises is not charged.

        The order's sources are bytes by now, unless the order has an Idempotency-Key.
        """

    def accepted(self, request: Request, job: Job, links: Links, *, again: bool) -> Response:
        """The response to an order for later. again: the job was made for the same request, sent before."""
        request.answer_headers.update(APPLIED)
        return accepted_answer(job, links, request, again=again)

    def message(self, job: Job, links: Links, seal: Callable[[bytes], bytes], now: datetime) -> Message | None:  # noqa: ARG002
        """The webhook of a job that has succeeded or failed; None: the service's own event.

        seal: signs bytes by the service's Ed25519 key (64 bytes); now: UTC.
        """
        return None

    @abstractmethod
    def problem(self, error: CutoutError, request: Request) -> Response:
        """The response to a request that failed."""
