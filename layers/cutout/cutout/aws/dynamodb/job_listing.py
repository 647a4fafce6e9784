"""The list of an account's jobs by time, in pages, from the index of the table ``Jobs``."""

import base64
import binascii
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import retry
from cutout.aws.dynamodb.job_items import INDEX, sort_key, to_job
from cutout.errors import InvalidOptionError
from cutout.ids import AccountId, JobId
from cutout.jobs.job import RETENTION, Job, JobState
from cutout.jobs.store import JobPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_QUERIES: Final = 5
"""The most queries for one page: jobs of one state may lie far apart."""
QUERY_ITEMS: Final = 100
_UNAVAILABLE: Final = "Jobs cannot be listed just now; try again shortly."
_POSITION: Final = re.compile(r"[0-9T:.+-]{29}#(job_[0-9a-f]{32})")


class JobListing:
    """Reads the index, which follows the table within about a second.

    Args:
        client: A DynamoDB client.
        table: The name of the table.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def page(
        self, account_id: AccountId, now: datetime, limit: int, cursor: str | None, state: JobState | None
    ) -> JobPage:
        """List jobs as :meth:`cutout.jobs.store.JobStore.page` does.

        Args:
            account_id: The account.
            now: The current time (UTC); expired jobs are left out.
            limit: The most jobs of the page.
            cursor: The cursor of the page before; None: from the newest.
            state: Only jobs in this state; None: all.

        Returns:
            The page.

        Raises:
            InvalidOptionError: The cursor is none of this list's.
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        start = _start_key(account_id, cursor) if cursor else None
        found: list[Job] = []
        for _ in range(MAX_QUERIES):
            jobs, start = self._query(account_id, now, start, state, QUERY_ITEMS if state else limit)
            found += jobs
            if len(found) >= limit or start is None:
                break
        if len(found) > limit or (len(found) == limit and start):
            last = found[limit - 1]
            return JobPage(tuple(found[:limit]), _cursor(sort_key(last.created_at, last.id)))
        return JobPage(tuple(found), _cursor(start["created"]["S"]) if start else None)

    def _query(
        self, account_id: AccountId, now: datetime, start: Item | None, state: JobState | None, limit: int
    ) -> tuple[list[Job], Item | None]:
        """Read some of the account's jobs that have not expired, and the key to continue from."""
        values = {":account": {"S": account_id}, ":oldest": {"S": sort_key(now - RETENTION, JobId(""))}}
        query: Any = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "account_id = :account AND created >= :oldest",
            "ExpressionAttributeValues": values,
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if state:
            values[":state"] = {"S": state.value}
            query |= {"FilterExpression": "#state = :state", "ExpressionAttributeNames": {"#state": "state"}}
        if start:
            query["ExclusiveStartKey"] = start
        answer = retry(lambda: self._client.query(**query), _UNAVAILABLE)
        jobs = [to_job(item) for item in answer["Items"]]
        return [job for job in jobs if now < job.expires_at], answer.get("LastEvaluatedKey")


def _cursor(created: str) -> str:
    """Encode a position in the index for use in a URL; it names no account, which is always the caller's."""
    return base64.urlsafe_b64encode(created.encode("ascii")).decode("ascii").rstrip("=")


def _start_key(account_id: AccountId, cursor: str) -> Item:
    try:
        created = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _unknown_cursor() from error
    match = _POSITION.fullmatch(created)
    if match is None:
        raise _unknown_cursor()
    return {"pk": {"S": match[1]}, "account_id": {"S": account_id}, "created": {"S": created}}


def _unknown_cursor() -> InvalidOptionError:
    return InvalidOptionError("The cursor is not one that this list gave.", {"option": "cursor"})
