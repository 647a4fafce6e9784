"""Requests per second of an account, counted in DynamoDB over all environments. One write a request, or none.

A second's count is one item, or several once the limit is more than one item can take: each of these shards has its
share of the limit, and each request asks one of them at random. A shard that was found full is not asked again for that
second. What goes wrong with the count never stops a request: a limiter that is away admits.
"""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import THROTTLED, code_of
from cutout.usage import RateState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARD_LIMIT: Final = 500
"""Admitted requests per second and item: half of what DynamoDB lets one partition write, for those that come above."""
KEPT_S: Final = 120
"""Seconds after which a second's count may be thrown away."""


def window_id(account_id: str, second: int, shard: int) -> Item:
    """Make the primary key of a shard of an account's second."""
    return {"pk": {"S": f"RATE#{account_id}#{second}#{shard}"}, "sk": {"S": "COUNT"}}


def shares(limit: int) -> list[int]:
    """Split a limit over its shards, as evenly as integers go; one shard at least."""
    count = max(-(-limit // SHARD_LIMIT), 1)
    return [limit // count + (shard < limit % count) for shard in range(count)]


class DynamoRateLimiter:
    """Counts in the table ``Accounts``; the client should neither wait long nor retry.

    clock: seconds of the epoch. pick: an integer from 0 to below its argument. failed: told of every count that could
    not be made and let its request pass. Not for use by several threads at once.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        failed: Callable[[Exception], None],
        clock: Callable[[], float] = time.time,
        pick: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._client = client
        self._table = table
        self._failed = failed
        self._clock = clock
        self._pick = pick
        self._second = 0
        self._seen: dict[str, dict[int, int]] = {}  # account, shard: the count in this second when last asked

    def consume(self, account_id: str, limit: int) -> RateState:
        """Count a request and tell whether it was within the limit (per second, above zero). Never raises."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._seen.clear()
        share_of = shares(limit)
        seen = self._seen.setdefault(account_id, {})
        open_shards = [shard for shard, share in enumerate(share_of) if seen.get(shard, 0) < share]
        admitted = False
        if open_shards:
            shard = open_shards[self._pick(len(open_shards))]
            admitted = self._count(account_id, shard, share_of[shard], seen)
        return RateState(limit, _remaining(share_of, seen), second + 1, admitted)

    def _count(self, account_id: str, shard: int, share: int, seen: dict[int, int]) -> bool:
        """Ask one shard; a shard that DynamoDB throttles takes far more requests than its share."""
        try:
            seen[shard] = self._add_one(account_id, shard)
        except (ClientError, BotoCoreError) as error:
            if not (isinstance(error, ClientError) and code_of(error) in THROTTLED):
                self._failed(error)
                return True
            seen[shard] = share + 1
        return seen[shard] <= share

    def _add_one(self, account_id: str, shard: int) -> int:
        answer = self._client.update_item(
            TableName=self._table,
            Key=window_id(account_id, self._second, shard),
            UpdateExpression="ADD hits :one SET expires_at = :expires_at",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":expires_at": {"N": str(self._second + KEPT_S)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["hits"]["N"])


def _remaining(share_of: list[int], seen: dict[int, int]) -> int:
    """What the second still takes, as far as this environment knows: shards not asked are taken to be as full."""
    if not seen:
        return sum(share_of)
    used = sum(min(count, share_of[shard]) for shard, count in seen.items())
    asked = sum(share_of[shard] for shard in seen)
    return max(sum(share_of) - -(-used * sum(share_of) // asked), 0)
