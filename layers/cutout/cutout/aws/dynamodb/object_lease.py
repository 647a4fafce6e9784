"""Leases on uploaded objects: one worker at a time per key, and none for an object older than one already processed.

Events arrive late, twice and out of order, and all results of one key are stored in one place. So the worker on a key
holds its item (``OBJECT#<hash>`` in the table ``Jobs``) until the work or the lease has ended.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import conditional_write, retry
from cutout.errors import JobBusyError
from cutout.jobs.job import RETENTION
from cutout.jobs.parts import JobSource
from cutout.jobs.storage import SupersededError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_UNAVAILABLE: Final = "Uploads cannot be looked up just now."
_SEQUENCER_DIGITS: Final = 64
"""S3 writes about 18 digits today, and promises no length."""


class DynamoObjectLease:
    """The leases in the table ``Jobs``; implements :class:`~cutout.jobs.storage.ObjectLease`.

    Every method raises ServiceUnavailableError while DynamoDB is unavailable.

    Args:
        client: A DynamoDB client.
        table: The name of the table.
        now: Gives the current time (UTC).
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._table = table
        self._now = now

    def acquire(self, source: JobSource, lease_s: float) -> str:
        """Lease an object's key.

        Args:
            source: The object.
            lease_s: Seconds after which the lease ends by itself.

        Returns:
            The lease's holder, for :meth:`release`.

        Raises:
            JobBusyError: Another worker holds the lease, perhaps for the same object.
            SupersededError: A newer object of the key has been processed already.
        """
        holder = secrets.token_hex(8)
        sequence = comparable_sequencer(source.sequencer)
        now = self._now()
        values = {
            ":sequence": {"S": sequence},
            ":holder": {"S": holder},
            ":now": {"N": _ms(now)},
            ":until": {"N": _ms(now + timedelta(seconds=lease_s))},
            ":expires": {"N": str(int((now + RETENTION).timestamp()))},
        }
        if self._update(
            source,
            "SET sequencer = :sequence, holder = :holder, held_until = :until, expires_at = :expires",
            "attribute_not_exists(pk) OR (sequencer <= :sequence AND held_until <= :now)",
            values,
        ):
            return holder
        item = self._get(source)
        if item["holder"]["S"] == holder:  # the write was done, and its answer lost
            return holder
        if item["sequencer"]["S"] > sequence:
            raise SupersededError
        left_s = (int(item["held_until"]["N"]) - int(_ms(now))) / 1000
        raise JobBusyError("The object is being worked on.", {"retry_after_s": max(1, round(left_s))})

    def release(self, source: JobSource, holder: str) -> None:
        """End a lease early; nothing happens if another worker holds the key by now.

        Args:
            source: The object.
            holder: The lease's holder, as :meth:`acquire` returned it.
        """
        values = {":never": {"N": "0"}, ":holder": {"S": holder}}
        self._update(source, "SET held_until = :never", "holder = :holder", values)

    def _update(self, source: JobSource, update: str, condition: str, values: Item) -> bool:
        return conditional_write(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=object_primary_key(source),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            ),
            _UNAVAILABLE,
        )

    def _get(self, source: JobSource) -> Item:
        """Read the item, which exists because a condition on it was not met."""
        answer = retry(
            lambda: self._client.get_item(TableName=self._table, Key=object_primary_key(source), ConsistentRead=True),
            _UNAVAILABLE,
        )
        if "Item" not in answer:  # it has just expired
            raise JobBusyError("The object is being worked on.", {"retry_after_s": 1})
        return answer["Item"]


def object_primary_key(source: JobSource) -> Item:
    """Make the primary key of an object's item: a hash, because an S3 key may be too long and may be confidential."""
    place = f"{source.bucket}/{source.key}".encode("utf-8", "surrogatepass")
    return {"pk": {"S": f"OBJECT#{hashlib.sha256(place).hexdigest()}"}}


def comparable_sequencer(sequencer: str) -> str:
    """Pad a sequencer so that texts compare in the order of S3's events.

    Args:
        sequencer: Hex digits of any length; empty: older than all others.

    Returns:
        Hex digits of one length.
    """
    return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")


def _ms(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
