"""The items that count usage, from values and back; the layout itself is in the design's table.

An account's month is spread over counters, so that charges that come at once do not queue for one item. Each write is
good as a single conditional write too. Knows no client.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from cutout.aws.account_items import Item
from cutout.metering import MAX_SHARDS, Charge, Usage

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
