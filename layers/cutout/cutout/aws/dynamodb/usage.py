"""Usage in DynamoDB: every charge counted once, whatever is repeated, lost or refused on the way."""

import secrets
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import FIRST_WAIT_MS, NOT_MET, TRIES, Pick, Sleep, refusals, retry
from cutout.errors import ServiceUnavailableError
from cutout.usage import Charge, Usage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
from collections.abc import Callable, Iterable
from datetime import timedelta

from cutout.usage import MAX_SHARDS

UNAVAILABLE: Final = "Usage cannot be counted just now; try again shortly."


class DynamoUsageStore:
    """The counters in the table ``Accounts``.

    pick: an integer from 0 to below its argument, for counters and waits. sleep: takes seconds.
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
        """Count a charge; False when it was counted before, be it by a try whose answer was lost.

        Raises ServiceUnavailableError after TRIES tries; then the charge may or may not be counted, and may be
        recorded again.
        """
        return retry(lambda: self._record_once(charge), UNAVAILABLE, self._pick, self._sleep)

    def total(self, account_id: str, month: str) -> Usage:
        """All that was counted for an account in a month, whole and up to date (consistent reads of every counter)."""
        counters = counter_ids(account_id, month)
        return retry(lambda: to_usage(self._get_all(counters)), UNAVAILABLE, self._pick, self._sleep)

    def _record_once(self, charge: Charge) -> bool:
        writes: Any = charge_writes(charge, self._table, self._pick)
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            if refusals(error)[0] == NOT_MET:
                return False
            raise
        return True

    def _get_all(self, item_ids: Sequence[Item]) -> Iterator[Item]:
        """At most 100 items, which is what one BatchGetItem takes; what it leaves out is asked for again."""
        waiting: Any = list(item_ids)
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
"""For so long a charge is known to be counted: more than a message lives in a queue and its dead-letter queue (28)."""
COUNTED: Final = ("images", "pixels", "bytes_in", "bytes_out")
"""The fields of Usage, and the attributes of a counter."""


def charge_id(charge: Charge) -> Item:
    """Make the primary key of the item that says that a charge is counted."""
    return {"pk": {"S": f"CHARGE#{charge.id}"}, "sk": {"S": "CHARGE"}}


def counter_id(account_id: str, month: str, shard: int) -> Item:
    """Make the primary key of one of the counters of an account's month."""
    return {"pk": {"S": f"USAGE#{account_id}#{month}#{shard}"}, "sk": {"S": "COUNT"}}


def counter_ids(account_id: str, month: str) -> list[Item]:
    """Make the primary keys of all counters there can be: an account's rate, and so their number, may change."""
    return [counter_id(account_id, month, shard) for shard in range(MAX_SHARDS)]


def charge_writes(charge: Charge, table: str, pick: Callable[[int], int] = secrets.randbelow) -> list[Item]:
    """Make the two writes of a transaction: note the charge if it is new, and count it on some counter.

    pick: an integer from 0 to below its argument. When the first is refused by its condition, the charge was counted
    before; on a conflict, try again with new writes, which will likely pick another counter.
    """
    expires_at = int((charge.at + timedelta(days=CHARGE_DAYS)).timestamp())
    note = charge_id(charge) | {"account_id": {"S": charge.account_id}, "expires_at": {"N": str(expires_at)}}
    return [
        {"Put": {"TableName": table, "Item": note, "ConditionExpression": "attribute_not_exists(pk)"}},
        {
            "Update": {
                "TableName": table,
                "Key": counter_id(charge.account_id, charge.month, pick(charge.shards)),
                "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in COUNTED),
                "ExpressionAttributeValues": {f":{name}": {"N": str(getattr(charge.usage, name))} for name in COUNTED},
            }
        },
    ]


def to_usage(counters: Iterable[Item]) -> Usage:
    """Add counters up."""
    total = Usage()
    for item in counters:
        total += Usage(**{name: int(item[name]["N"]) for name in COUNTED})
    return total
