"""What a dialect may have done about jobs and uploads, beside ordering images: one account's desk, and the open office.

Protocols only; who stands behind them is in ``aws/dialect_desk.py``.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from cutout.api.job_documents import Links
from cutout.api.request import Request, Response
from cutout.jobs.job import Job


class Desk(Protocol):
    """What an account may have done. Every method raises ServiceUnavailableError when a part of the service is away."""

    @property
    def account_id(self) -> str:
        """Whose desk it is."""

    def find(self, job_id: str) -> Job:
        """A job of the account. Raises NotFoundError, also for another account's."""

    def watch(self, job_id: str, longest_s: float) -> Iterator[Job]:
        """The job now, and after each of its steps, until it has ended or the time is over. Raises NotFoundError."""

    def cancel(self, job_id: str) -> Job:
        """Give up a job that has not ended, and remove what was kept of it. Raises NotFoundError, JobEndedError."""

    def links(self) -> Links:
        """How results are reached without a key."""

    def upload_place(self, upload_id: str) -> str:
        """A presigned PUT for the image of an upload."""

    def keep_upload(self, upload_id: str, image: bytes) -> None:
        """Keep the image of an upload. Raises ImageTooLargeError, MissingImageError for no bytes at all."""

    @property
    def max_bytes(self) -> int:
        """The most bytes of one image."""


class Office(Protocol):
    """What anyone may ask for. Every method raises ServiceUnavailableError when a part of the service is away."""

    def upload_url(self, account_id: str, upload_id: str) -> str:
        """A presigned GET of an upload, which knows by itself whether there is one."""

    def public_key(self) -> bytes:
        """The Ed25519 key (32 bytes) by which the service's signatures are verified."""


Clerk = Callable[[Request, Desk], Response]
"""Answers a request of an account."""
Window = Callable[[Request, Office], Response]
"""Answers a request of anyone."""
