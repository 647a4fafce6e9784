"""The store of jobs, as a protocol."""

from dataclasses import dataclass
from typing import Protocol

from cutout.ids import AccountId, JobId
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import JobError, JobResult
from cutout.usage import Charge


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of an account's jobs, newest first.

    Attributes:
        jobs: The jobs.
        cursor: The start of the next page; None: this is the last page.
    """

    jobs: tuple[Job, ...]
    cursor: str | None


class JobStore(Protocol):
    """A store of jobs. Every method raises ServiceUnavailableError while the store is unavailable.

    A change whose answer was lost is made once, and reported as made.
    """

    def create(self, job: Job) -> bool:
        """Add a job; return False, and change nothing, when there is one of this id that has not expired."""

    def find(self, job_id: JobId) -> Job | None:
        """Read the current state of a job; return None when it is unknown or expired."""

    def page(
        self, account_id: AccountId, limit: int, cursor: str | None = None, state: JobState | None = None
    ) -> JobPage:
        """List an account's jobs, newest first; a change may take a second to appear here.

        Args:
            account_id: The account.
            limit: The most jobs of the page, 1 to 100.
            cursor: The cursor of the page before; None: from the newest.
            state: Only jobs in this state; None: all. With a state, a page may be shorter than the limit although
                another one follows.

        Returns:
            The page.

        Raises:
            InvalidOptionError: No page gave this cursor.
        """

    def start(self, job_id: JobId, lease_s: float) -> Job:
        """Begin an attempt (:meth:`.Job.started`).

        Args:
            job_id: The job.
            lease_s: Seconds that the attempt may last.

        Returns:
            The job, RUNNING, or FAILED after MAX_CRASHES attempts that crashed.

        Raises:
            NotFoundError: There is no such job.
            JobBusyError: Another attempt may still be running.
            JobEndedError: The job has ended.
        """

    def release(self, job: Job, fault: str) -> Job:
        """End an attempt by a fault of the service (:meth:`.Job.released`).

        Args:
            job: The job as :meth:`start` returned it.
            fault: The fault, for the service's operator.

        Returns:
            The changed job.

        Raises:
            CutoutError: As :meth:`succeed`.
        """

    def succeed(self, job: Job, result: JobResult, charge: Charge | None) -> Job:
        """End an attempt with a result (:meth:`.Job.succeeded`), and count its charge in the same transaction.

        A charge that was counted before is not counted twice. When an error is raised, nothing is charged.

        Args:
            job: The job as :meth:`start` returned it.
            result: The result.
            charge: The charge; None: the job is free.

        Returns:
            The changed job.

        Raises:
            JobEndedError: The job was cancelled during the attempt.
            JobBusyError: A later attempt has begun.
            NotFoundError: The job has expired.
        """

    def fail(self, job: Job, error: JobError) -> Job:
        """End an attempt by a fault of the image or of the request (:meth:`.Job.failed`).

        Args:
            job: The job as :meth:`start` returned it.
            error: The reason.

        Returns:
            The changed job.

        Raises:
            CutoutError: As :meth:`succeed`.
        """

    def supersede(self, job: Job) -> Job:
        """Cancel a job whose image was overwritten by a newer one (:meth:`.Job.cancelled`).

        Args:
            job: The job as :meth:`start` returned it.

        Returns:
            The changed job.

        Raises:
            CutoutError: As :meth:`succeed`.
        """

    def forget(self, account_id: AccountId, job_id: JobId, *, open_only: bool = False) -> Job:
        """Cancel a job for its owner, and delete the owner's data from it (:meth:`.Job.forgotten`).

        Args:
            account_id: The owner.
            job_id: The job.
            open_only: Whether a job that has ended is refused, and stays unchanged.

        Returns:
            The changed job.

        Raises:
            NotFoundError: There is no such job, or it is another account's.
            JobEndedError: The job has ended, and ``open_only`` is set.
        """

    def note_webhook_queued(self, job_id: JobId) -> None:
        """Record that the end of the job was sent to the webhooks' queue. Raises NotFoundError."""
