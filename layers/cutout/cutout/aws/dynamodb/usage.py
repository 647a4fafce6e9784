"""Usage in DynamoDB: every charge is counted once, even when requests are repeated, lost or refused."""

import secrets
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import CONDITION_FAILED, FIRST_WAIT_MS, TRIES, Pick, Sleep, refusals, retry
from cutout.errors import ServiceUnavailableError
from cutout.ids import AccountId
from cutout.usage import Charge, DailyUsage, Usage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
from collections.abc import Callable, Iterable
from datetime import timedelta

from cutout.usage import MAX_SHARDS

UNAVAILABLE: Final = "Usage cannot be counted just now; try again shortly."


class DynamoUsageStore:
    """The usage counters in the table ``Accounts``.

    Args:
        client: A DynamoDB client.
        table: The name of the table.
        pick: Draws an integer from 0 to below its argument, for counters and waits.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        pick: Pick = secrets.randbelow,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._pick = pick
        self._sleep = sleep

    def record(self, charge: Charge) -> bool:
        """Count a charge.

        Args:
            charge: The charge.

        Returns:
            Whether it was counted now; False: it was counted before, perhaps by an attempt whose answer was lost.

        Raises:
            ServiceUnavailableError: All TRIES attempts have failed. Whether the charge was counted is unknown; it may
                be recorded again.
        """
        return retry(lambda: self._record_once(charge), UNAVAILABLE, self._pick, self._sleep)

    def total(self, account_id: AccountId, month: str) -> Usage:
        """Sum an account's usage of a month, by strongly consistent reads of every counter.

        Args:
            account_id: The account.
            month: The month (UTC), ``yyyy-mm``.

        Returns:
            The usage.

        Raises:
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        counters = counter_primary_keys(account_id, month)
        return retry(lambda: to_usage(self._get_all(counters)), UNAVAILABLE, self._pick, self._sleep)

    def daily(self, account_id: str, month: str) -> Sequence[DailyUsage]:
        """List an account's usage of a month by day and key, by strongly consistent reads.

        Args:
            account_id: The account.
            month: The month (UTC), ``yyyy-mm``.

        Returns:
            The usage of every day and key that has any, sorted by day and key.

        Raises:
            ServiceUnavailableError: DynamoDB is unavailable.
        """
        counters = retry(lambda: list(self._query_days(account_id, month)), UNAVAILABLE, self._pick, self._sleep)
        found: dict[tuple[str, str], Usage] = {}
        for item in counters:
            _, day, key, _ = item["sk"]["S"].split("#")
            found[day, key] = found.get((day, key), Usage()) + to_usage([item])
        return [DailyUsage(day, key, usage) for (day, key), usage in sorted(found.items())]

    def _query_days(self, account_id: str, month: str) -> Iterator[Item]:
        pages = self._client.get_paginator("query")
        for part in range(DAY_PARTS):
            for page in pages.paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": day_partition_key(account_id, month, part)},
                ConsistentRead=True,
            ):
                yield from page["Items"]

    def _record_once(self, charge: Charge) -> bool:
        writes: Any = charge_writes(charge, self._table, self._pick)
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            if refusals(error)[0] == CONDITION_FAILED:
                return False
            raise
        return True

    def _get_all(self, primary_keys: Sequence[Item]) -> Iterator[Item]:
        """Read at most 100 items (the limit of BatchGetItem); repeat the request for items that DynamoDB leaves out."""
        waiting: Any = list(primary_keys)
        for attempt in range(TRIES):
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": waiting, "ConsistentRead": True}})
            yield from answer["Responses"].get(self._table, [])
            left = answer["UnprocessedKeys"].get(self._table)
            if not left:
                return
            waiting = left["Keys"]
            self._sleep(self._pick(FIRST_WAIT_MS * 2**attempt) / 1000)
        raise ServiceUnavailableError(UNAVAILABLE)


CHARGE_DAYS: Final = 40
"""Days for which a charge is known to be counted: longer than a message can stay in a queue and its dead-letter queue
(28 days)."""
DAY_PARTS: Final = 10
"""Partitions that hold the counters of an account's days: with MAX_SHARDS counters of 10 images per second each, a
partition takes a tenth of the account's rate; and ten queries read a month."""
COUNTED: Final = ("images", "pixels", "bytes_in", "bytes_out")
"""The fields of Usage, which are also the attributes of a counter."""


def charge_primary_key(charge: Charge) -> Item:
    """Make the primary key of the item that records that a charge is counted."""
    return {"pk": {"S": f"CHARGE#{charge.id}"}, "sk": {"S": "CHARGE"}}


def counter_primary_key(account_id: AccountId, month: str, shard: int) -> Item:
    """Make the primary key of one counter (``shard``: 0 to MAX_SHARDS - 1) of an account's month (``yyyy-mm``)."""
    return {"pk": {"S": f"USAGE#{account_id}#{month}#{shard}"}, "sk": {"S": "COUNT"}}


def counter_primary_keys(account_id: AccountId, month: str) -> list[Item]:
    """Make the primary keys of all counters that may exist; their number changes with the account's rate."""
    return [counter_primary_key(account_id, month, shard) for shard in range(MAX_SHARDS)]


def day_partition_key(account_id: str, month: str, part: int) -> Any:
    """Make the partition key of some counters of an account's days (``part``: 0 to DAY_PARTS - 1)."""
    return {"S": f"USAGE#{account_id}#{month}#DAYS{part}"}


def day_primary_key(charge: Charge, shard: int) -> Item:
    """Make the primary key of the counter of a charge's day and key that belongs to a counter of the month."""
    part, counter = shard % DAY_PARTS, shard // DAY_PARTS
    return {
        "pk": day_partition_key(charge.account_id, charge.month, part),
        "sk": {"S": f"DAY#{charge.day}#{charge.key}#{counter}"},
    }


def charge_writes(charge: Charge, table: str, pick: Callable[[int], int] = secrets.randbelow) -> list[Item]:
    """Make the writes of a transaction: record the charge if it is new, count it in its month and its day.

    When the first write is refused by its condition, the charge was counted before. After a conflict, retry with new
    writes, which will probably pick another counter.

    Args:
        charge: The charge.
        table: The name of the table ``Accounts``.
        pick: Draws an integer from 0 to below its argument.

    Returns:
        The elements of the transaction; the first is the one with a condition.
    """
    expires_at = int((charge.at + timedelta(days=CHARGE_DAYS)).timestamp())
    note = charge_primary_key(charge) | {"account_id": {"S": charge.account_id}, "expires_at": {"N": str(expires_at)}}
    shard = pick(charge.shards)
    addition = {
        "TableName": table,
        "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in COUNTED),
        "ExpressionAttributeValues": {f":{name}": {"N": str(getattr(charge.usage, name))} for name in COUNTED},
    }
    return [
        {"Put": {"TableName": table, "Item": note, "ConditionExpression": "attribute_not_exists(pk)"}},
        {"Update": addition | {"Key": counter_primary_key(charge.account_id, charge.month, shard)}},
        {"Update": addition | {"Key": day_primary_key(charge, shard)}},
    ]


def to_usage(counters: Iterable[Item]) -> Usage:
    """Sum counters."""
    total = Usage()
    for item in counters:
        total += Usage(**{name: int(item[name]["N"]) for name in COUNTED})
    return total
