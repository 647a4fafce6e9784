"""Usage in DynamoDB: every charge counted once, whatever is repeated, lost or refused on the way."""

import secrets
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cutout.aws.account_items import Item
from cutout.aws.dynamo_errors import NOT_MET, refusals
from cutout.aws.retries import FIRST_WAIT_MS, TRIES, Pick, Sleep, persistently
from cutout.aws.usage_items import charge_writes, counter_ids, to_usage
from cutout.errors import ServiceUnavailableError
from cutout.metering import Charge, Usage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AWAY: Final = "Usage cannot be counted just now; try again shortly."


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
        return persistently(lambda: self._record_once(charge), AWAY, self._pick, self._sleep)

    def total(self, account_id: str, month: str) -> Usage:
        """All that was counted for an account in a month, whole and up to date (consistent reads of every counter)."""
        counters = counter_ids(account_id, month)
        return persistently(lambda: to_usage(self._get_all(counters)), AWAY, self._pick, self._sleep)

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
        raise ServiceUnavailableError(AWAY)
