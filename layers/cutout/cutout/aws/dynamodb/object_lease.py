"""Who may work on an object: one at a time for each key, and nobody once a newer object has had its turn.

Events come late, twice and out of order, and the results of one key lie in one place. So the worker on a key holds its
item (``OBJECT#<hash>`` in the table ``Jobs``) until it has ended, or its lease has run out.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cutout.aws.dynamodb.account_items import Item
from cutout.aws.dynamodb.errors import is_not_met, retry
from cutout.errors import JobBusyError
from cutout.jobs.job import RETENTION
from cutout.jobs.parts import JobSource
from cutout.jobs.storage import SupersededError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_UNAVAILABLE: Final = "Uploads cannot be looked up just now."
_SEQUENCER_DIGITS: Final = 64
"""S3 writes some 18 today, and says only that they are of any length."""


class DynamoObjectLease:
    """The objects' items of the table ``Jobs``. Every method raises ServiceUnavailableError. now: UTC."""

    def __init__(
        self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._table = table
        self._now = now

    def acquire(self, source: JobSource, lease_s: float) -> str:
        """Hold an object's key for ``lease_s``; the answer is what :meth:`release` wants.

        Raises JobBusyError while another worker holds it, be it for the same object; SupersededError.
        """
        holder = secrets.token_hex(8)
        sequence = comparable(source.sequencer)
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
        if item["holder"]["S"] == holder:  # done, but the answer was lost
            return holder
        if item["sequencer"]["S"] > sequence:
            raise SupersededError
        left_s = (int(item["held_until"]["N"]) - int(_ms(now))) / 1000
        raise JobBusyError("The object is being worked on.", {"retry_after_s": max(1, round(left_s))})

    def release(self, source: JobSource, holder: str) -> None:
        """Let the next worker have the key. Nothing happens where another has it since."""
        values = {":never": {"N": "0"}, ":holder": {"S": holder}}
        self._update(source, "SET held_until = :never", "holder = :holder", values)

    def _update(self, source: JobSource, update: str, condition: str, values: Item) -> bool:
        try:
            retry(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key=object_key(source),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                ),
                _UNAVAILABLE,
            )
        except ClientError as error:
            if not is_not_met(error):
                raise
            return False
        return True

    def _get(self, source: JobSource) -> Item:
        """The item, which the condition that was not met has proved to be there."""
        answer = retry(
            lambda: self._client.get_item(TableName=self._table, Key=object_key(source), ConsistentRead=True),
            _UNAVAILABLE,
        )
        if "Item" not in answer:  # expired in this very moment
            raise JobBusyError("The object is being worked on.", {"retry_after_s": 1})
        return answer["Item"]


def object_key(source: JobSource) -> Item:
    """Make the primary key of an object's item; hashed, for an S3 key is too long for one and not ours to spread."""
    place = f"{source.bucket}/{source.key}".encode("utf-8", "surrogatepass")
    return {"pk": {"S": f"OBJECT#{hashlib.sha256(place).hexdigest()}"}}


def comparable(sequencer: str) -> str:
    """A sequencer (hex digits) in the form in which texts compare as S3 says; none is older than any."""
    return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")


def _ms(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
