"""The services for a dialect's own routes: one account's jobs and uploads, and public files.

Protocols only; ``services/dialect_context.py`` implements them.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from cutout.api.job_documents import Links
from cutout.api.request import Request, Response
from cutout.ids import AccountId, JobId
from cutout.jobs.job import Job
from cutout.usage import Admission


class AccountContext(Protocol):
    """One account's jobs and uploads. Every method raises ServiceUnavailableError when a store cannot be reached."""

    @property
    def admission(self) -> Admission:
        """The caller, and the rate of its account."""

    @property
    def account_id(self) -> AccountId:
        """The id of the account."""

    @property
    def max_bytes(self) -> int:
        """The most bytes of one image."""

    def find(self, job_id: JobId) -> Job:
        """Look up a job of the account.

        Raises:
            NotFoundError: There is no such job, or it is another account's.
        """

    def watch(self, job_id: JobId, longest_s: float) -> Iterator[Job]:
        """Follow a job.

        Args:
            job_id: A job of the account.
            longest_s: Seconds after which to stop in any case.

        Yields:
            The current job, and the job after each change, until it has ended or the time is over.

        Raises:
            NotFoundError: There is no such job, or it is another account's.
        """

    def cancel(self, job_id: JobId) -> Job:
        """Cancel a job that has not ended, and remove what was stored for it.

        Raises:
            NotFoundError: There is no such job, or it is another account's.
            JobEndedError: The job has ended already.
        """

    def links(self) -> Links:
        """Make the maker of URLs by which results are read without a key."""

    def upload_url(self, upload_id: str) -> str:
        """Make a presigned PUT for the image of an upload."""

    def store_upload(self, upload_id: str, image: bytes) -> None:
        """Store the image of an upload.

        Args:
            upload_id: The upload.
            image: The encoded image.

        Raises:
            ImageTooLargeError: The image has more than :attr:`max_bytes` bytes.
            MissingImageError: The image is empty.
        """


class PublicContext(Protocol):
    """The public files and keys. Every method raises ServiceUnavailableError when a store cannot be reached."""

    def file_url(self, account_id: AccountId, upload_id: str) -> str:
        """Make a presigned GET of an upload, which may not exist."""

    def public_key(self) -> bytes:
        """Return the Ed25519 key (32 bytes) that verifies the service's signatures."""


AccountHandler = Callable[[Request, AccountContext], Response]
"""Answers a request of an account about its jobs and uploads."""
PublicHandler = Callable[[Request, PublicContext], Response]
"""Answers a request without a key about stored data."""
