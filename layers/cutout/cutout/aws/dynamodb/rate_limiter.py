"""A rate limiter that counts an account's requests per second in DynamoDB, for all execution environments together.

A second's count is one item, or several if the limit is above what one item can count: each of these shards has a share
of the limit, and each request is counted on one of them, chosen at random. A shard that is full is skipped for the rest
of the second. So a request costs one write, or none. A request is admitted when it cannot be counted.
"""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import THROTTLED, error_code
from cutout.ids import AccountId
from cutout.usage import RateState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARD_LIMIT: Final = 500
"""Admitted requests per second and item: half of what one partition can write (1,000), because refused requests are
counted too."""
RETENTION_S: Final = 120
"""Seconds after which a second's count may be deleted."""


def rate_primary_key(account_id: AccountId, second: int, shard: int) -> Item:
    """Make the primary key of one counter of an account's second.

    Args:
        account_id: The account.
        second: Seconds since the epoch.
        shard: From 0.

    Returns:
        The primary key.
    """
    return {"pk": {"S": f"RATE#{account_id}#{second}#{shard}"}, "sk": {"S": "COUNT"}}


def split_limit(limit: int) -> list[int]:
    """Split a limit evenly over its shards.

    Args:
        limit: Requests per second, above zero.

    Returns:
        The share of each shard; at least one.
    """
    count = max(-(-limit // SHARD_LIMIT), 1)
    return [limit // count + (shard < limit % count) for shard in range(count)]


class DynamoRateLimiter:
    """The rate limiter. Not thread-safe.

    Args:
        client: A DynamoDB client with short timeouts and without retries.
        table: The name of the table ``Accounts``.
        failed: Receives the error of every request that was admitted uncounted.
        clock: Gives the seconds since the epoch.
        pick: Draws an integer from 0 to below its argument.
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
        self._seen: dict[str, dict[int, int]] = {}  # by account and shard: the last known count of this second

    def consume(self, account_id: AccountId, limit: int) -> RateState:
        """Count a request. Never raises.

        Args:
            account_id: The account.
            limit: Requests per second, above zero.

        Returns:
            The account's state in the current second, with the decision on this request.
        """
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._seen.clear()
        share_of = split_limit(limit)
        seen = self._seen.setdefault(account_id, {})
        open_shards = [shard for shard, share in enumerate(share_of) if seen.get(shard, 0) < share]
        admitted = False
        if open_shards:
            shard = open_shards[self._pick(len(open_shards))]
            admitted = self._count(account_id, shard, share_of[shard], seen)
        return RateState(limit, _remaining(share_of, seen), second + 1, admitted)

    def _count(self, account_id: AccountId, shard: int, share: int, seen: dict[int, int]) -> bool:
        """Count on one shard. One that DynamoDB throttles receives far more requests than its share, so it is full."""
        try:
            seen[shard] = self._add_one(account_id, shard)
        except (ClientError, BotoCoreError) as error:
            if not (isinstance(error, ClientError) and error_code(error) in THROTTLED):
                self._failed(error)
                return True
            seen[shard] = share + 1
        return seen[shard] <= share

    def _add_one(self, account_id: AccountId, shard: int) -> int:
        answer = self._client.update_item(
            TableName=self._table,
            Key=rate_primary_key(account_id, self._second, shard),
            UpdateExpression="ADD hits :one SET expires_at = :expires_at",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":expires_at": {"N": str(self._second + RETENTION_S)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["hits"]["N"])


def _remaining(share_of: list[int], seen: dict[int, int]) -> int:
    """Estimate how many more requests fit into the second, assuming unseen shards are as full as the seen ones."""
    if not seen:
        return sum(share_of)
    used = sum(min(count, share_of[shard]) for shard, count in seen.items())
    seen_limit = sum(share_of[shard] for shard in seen)
    return max(sum(share_of) - -(-used * sum(share_of) // seen_limit), 0)
