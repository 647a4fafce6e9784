"""Where a job's files are kept, and who may work on an object, as protocols; and where uploads lie."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from cutout.accounts import Account
from cutout.jobs.job import Job
from cutout.jobs.parts import JobSource


class ImageChangedError(Exception):
    """The object was overwritten since the job was made."""


class SupersededError(Exception):
    """A newer object of the same key has been worked on already."""


def job_upload_key(account_id: str, job_id: str) -> str:
    """Make the object key of the image that is uploaded for a job; an object put there starts the job."""
    return f"uploads/{account_id}/{job_id}/image"


def direct_upload_key(account_id: str, name: str) -> str:
    """Make the object key of an image that a request names or brings.

    Args:
        account_id: The owner.
        name: An upload's id or, for the body of a request that is answered later, a job's.

    Returns:
        The key; an object put there starts nothing.
    """
    return f"direct/{account_id}/{name}"


class StoredImage(Protocol):
    """An object whose bytes are not read yet."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """The object's metadata."""

    @property
    def tags(self) -> Callable[[], Mapping[str, str]]:
        """Fetches the object's tags. Raises ServiceUnavailableError."""

    def read(self, max_bytes: int) -> bytes:
        """Read all of it.

        Raises:
            ImageTooLargeError: It has more than ``max_bytes`` bytes; nothing is read then.
            ServiceUnavailableError: The store cannot be reached.
        """


class ImageStore(Protocol):
    """Where the images of jobs lie."""

    def open(self, source: JobSource) -> AbstractContextManager[StoredImage]:
        """Open the very object that a source names.

        Raises:
            ImageChangedError: Another object lies there now.
            MissingImageError: Nothing is there.
            InvalidRequestError: The object cannot be read with the service's rights.
            ServiceUnavailableError: The store cannot be reached.
        """


class ReportStore(Protocol):
    """Where reports of ended jobs lie, for those who watch the results and not the API."""

    def store(self, job: Job, *, overwrite: bool = True) -> None:
        """Write the report of a job that has ended.

        Args:
            job: The job.
            overwrite: Whether a report that is there already is replaced.

        Raises:
            ServiceUnavailableError: The store cannot be reached.
        """


class RetentionStore(Protocol):
    """Where images are retained for training, if their account has opted in."""

    def store(self, account: Account, job: Job, image: bytes) -> None:
        """Retain a copy, if the account has opted in. Raises ServiceUnavailableError."""

    def remove(self, job: Job) -> None:
        """Remove the copy, if there is one. Raises ServiceUnavailableError."""


class ObjectLease(Protocol):
    """Leases on object keys: one worker at a time for each key, and none for an object that is not the newest."""

    def acquire(self, source: JobSource, lease_s: float) -> str:
        """Lease an object's key.

        Args:
            source: The object.
            lease_s: Seconds after which the lease ends by itself.

        Returns:
            The lease's holder, for :meth:`release`.

        Raises:
            JobBusyError: Another worker holds the lease.
            SupersededError: A newer object of the key has been worked on already.
            ServiceUnavailableError: The store cannot be reached.
        """

    def release(self, source: JobSource, holder: str) -> None:
        """End a lease early; nothing happens where another worker holds it by now. Raises ServiceUnavailableError."""


class JobQueue(Protocol):
    """A queue of job ids."""

    def enqueue(self, job_id: str) -> None:
        """Send a message about a job; a second one does no harm. Raises ServiceUnavailableError."""
