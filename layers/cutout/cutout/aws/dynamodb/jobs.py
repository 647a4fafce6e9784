"""Jobs in DynamoDB: every change is one conditional write on the job as it was read.

A job's state, attempts and faults together are its position, and every step of the work changes it. So a write on
condition of the position cannot overwrite another one. Every write also carries a random name: when its answer is lost,
reading the item shows whether it was done.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import CONDITION_FAILED, conditional_write, refusals, retry
from cutout.aws.dynamodb.job_items import job_item, job_primary_key, to_job
from cutout.aws.dynamodb.job_listing import JobListing
from cutout.aws.dynamodb.usage import charge_writes
from cutout.errors import JobBusyError, JobEndedError, NotFoundError, ServiceUnavailableError
from cutout.ids import AccountId, JobId
from cutout.jobs.job import Job, JobState
from cutout.jobs.parts import SUPERSEDED, JobError, JobResult
from cutout.jobs.store import JobPage
from cutout.usage import Charge

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNAVAILABLE: Final = "Jobs cannot be looked up just now; try again shortly."
ROUNDS: Final = 10
"""Attempts at a change when other writers are faster; each of those has moved the job forward."""


class DynamoJobStore:
    """The table ``Jobs``; implements :class:`~cutout.jobs.store.JobStore`.

    Args:
        client: A DynamoDB client.
        table: The name of the table.
        accounts_table: The name of the table that counts charges.
        now: Gives the current time (UTC).
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        accounts_table: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._table = table
        self._accounts_table = accounts_table
        self._now = now
        self._listing = JobListing(client, table)

    def create(self, job: Job) -> bool:
        """Add a job, also in place of an expired one; return False when the id is in use."""
        writer = _new_writer()
        now_s = {":now": {"N": str(int(self._now().timestamp()))}}
        free = "attribute_not_exists(pk) OR expires_at <= :now"
        if self._put(job_item(job, writer), free, now_s, {}):
            return True
        stored = self._get(job.id)
        return stored is not None and stored["writer"]["S"] == writer

    def find(self, job_id: JobId) -> Job | None:
        """Read a job with strong consistency; return None when it is unknown or expired."""
        item = self._get(job_id)
        job = to_job(item) if item else None
        return job if job and self._now() < job.expires_at else None

    def page(
        self, account_id: AccountId, limit: int, cursor: str | None = None, state: JobState | None = None
    ) -> JobPage:
        """List an account's jobs by the index, which follows the table within about a second."""
        return self._listing.page(account_id, self._now(), limit, cursor, state)

    def start(self, job_id: JobId, lease_s: float) -> Job:
        """Begin an attempt."""
        return self._change(job_id, lambda job: job.started(self._now(), lease_s))

    def release(self, job: Job, fault: str) -> Job:
        """End this attempt by a fault of the service; the job stays open."""
        return self._end(job, job.released(fault), None)

    def succeed(self, job: Job, result: JobResult, charge: Charge | None) -> Job:
        """End this attempt with a result and count the charge, in one transaction."""
        return self._end(job, job.succeeded(self._now(), result), charge)

    def fail(self, job: Job, error: JobError) -> Job:
        """End this attempt by a fault of the image or of the request."""
        return self._end(job, job.failed(self._now(), error), None)

    def supersede(self, job: Job) -> Job:
        """Cancel the job in favour of a newer image."""
        return self._end(job, job.cancelled(self._now(), SUPERSEDED), None)

    def forget(self, account_id: AccountId, job_id: JobId, *, open_only: bool = False) -> Job:
        """Cancel the job for its owner, and drop its data."""

        def forgotten(job: Job) -> Job:
            if job.account_id != account_id:
                raise _unknown(job_id)
            if open_only:
                job.require_open()
            return job.forgotten(self._now())

        return self._change(job_id, forgotten)

    def note_webhook_queued(self, job_id: JobId) -> None:
        """Record that the end of the job was sent to the webhooks' queue."""
        done = conditional_write(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=job_primary_key(job_id),
                UpdateExpression="SET webhook_queued = :yes",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            ),
            UNAVAILABLE,
        )
        if not done:
            raise _unknown(job_id)

    def _change(self, job_id: JobId, change: Callable[[Job], Job]) -> Job:
        """Read, change and write a job; start over when another writer was faster."""
        writer = _new_writer()
        for _ in range(ROUNDS):
            item = self._get(job_id)
            job = to_job(item) if item else None
            if item is None or job is None or self._now() >= job.expires_at:
                raise _unknown(job_id)
            if item["writer"]["S"] == writer:  # the last round's write was done, and its answer lost
                return job
            changed = change(job)
            if changed == job or self._put(job_item(changed, writer), *_at_position(job)):
                return changed
        raise ServiceUnavailableError(UNAVAILABLE)

    def _end(self, job: Job, changed: Job, charge: Charge | None) -> Job:
        """Write the end of an attempt, unless another attempt or the owner has changed the job."""
        writer = _new_writer()
        item = job_item(changed, writer)
        done = self._put_charged(item, job, charge) if charge else self._put(item, *_at_position(job))
        if done:
            return changed
        stored = self._get(job.id)
        if stored is None:
            raise _unknown(job.id)
        if stored["writer"]["S"] == writer:
            return changed
        current = to_job(stored)
        if current.state.is_final:
            raise JobEndedError(f"The job {job.id} has {current.state.value} already.", {"status": current.state.value})
        raise JobBusyError(f"Another attempt works on the job {job.id}.", {"retry_after_s": 1})

    def _put(self, item: Item, condition: str, values: Item, names: dict[str, str]) -> bool:
        """Write an item on a condition; return as :func:`conditional_write`."""
        return conditional_write(
            lambda: self._client.put_item(**self._conditional(item, condition, values, names)), UNAVAILABLE
        )

    def _put_charged(self, item: Item, job: Job, charge: Charge) -> bool:
        """Write an item as :meth:`_put`, with its charge; if that is counted already, write the item alone."""

        def transact() -> None:
            put = {"Put": self._conditional(item, *_at_position(job))}
            writes: Any = [put, *charge_writes(charge, self._accounts_table)]  # every attempt picks its counter
            self._client.transact_write_items(TransactItems=writes)

        try:
            retry(transact, UNAVAILABLE)
        except ClientError as error:
            reasons = refusals(error)
            if CONDITION_FAILED not in reasons:
                raise
            return reasons[0] != CONDITION_FAILED and self._put(item, *_at_position(job))
        return True

    def _conditional(self, item: Item, condition: str, values: Item, names: dict[str, str]) -> Any:
        write = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        return write | ({"ExpressionAttributeNames": names} if names else {})

    def _get(self, job_id: JobId) -> Item | None:
        answer = retry(
            lambda: self._client.get_item(TableName=self._table, Key=job_primary_key(job_id), ConsistentRead=True),
            UNAVAILABLE,
        )
        return answer.get("Item")


def _at_position(job: Job) -> tuple[str, Item, dict[str, str]]:
    """Make the condition that the job has not moved, with its values and names."""
    values = {
        ":state": {"S": job.state.value},
        ":attempts": {"N": str(job.attempts)},
        ":faults": {"N": str(job.faults)},
    }
    return "#state = :state AND attempts = :attempts AND faults = :faults", values, {"#state": "state"}


def _new_writer() -> str:
    return secrets.token_hex(8)


def _unknown(job_id: JobId) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id}.")
