"""The storage of jobs' files, and the leases on uploaded objects, as protocols; and the keys of uploads."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from cutout.accounts import Account
from cutout.ids import AccountId, JobId, UploadId
from cutout.jobs.job import Job
from cutout.jobs.parts import JobSource


class ImageChangedError(Exception):
    """The object was overwritten since the job was made."""


class SupersededError(Exception):
    """A newer object of the same key has been worked on already."""


def job_upload_key(account_id: AccountId, job_id: JobId) -> str:
    """Make the object key of the image that is uploaded for a job; an object put there starts the job."""
    return f"uploads/{account_id}/{job_id}/image"


def direct_upload_key(account_id: AccountId, name: UploadId | JobId) -> str:
    """Make the object key of an image that a request names or contains.

    Args:
        account_id: The owner.
        name: An upload's id or, for the body of a request that becomes a job, the job's id.

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
    """A store of the images of jobs."""

    def open(self, source: JobSource) -> AbstractContextManager[StoredImage]:
        """Open exactly the object that a source names.

        Raises:
            ImageChangedError: The object was overwritten.
            MissingImageError: There is no such object.
            InvalidRequestError: The object cannot be read with the service's rights.
            ServiceUnavailableError: The store cannot be reached.
        """


class ReportStore(Protocol):
    """A store of reports of ended jobs, for clients that watch the results and not the API."""

    def store(self, job: Job, *, overwrite: bool = True) -> None:
        """Write the report of a job that has ended.

        Args:
            job: The job.
            overwrite: Whether an existing report is replaced.

        Raises:
            ServiceUnavailableError: The store cannot be reached.
        """


class RetentionStore(Protocol):
    """A store of images that are retained for training, if their account has opted in."""

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
        """End a lease early; nothing happens if another worker holds the key by now.

        Args:
            source: The object.
            holder: The lease's holder, as :meth:`acquire` returned it.

        Raises:
            ServiceUnavailableError: The store cannot be reached.
        """


class JobQueue(Protocol):
    """A queue of job ids."""

    def enqueue(self, job_id: JobId) -> None:
        """Send a message about a job; a second one is harmless. Raises ServiceUnavailableError."""
