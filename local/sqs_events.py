"""Batches of SQS messages as events of a function, and the failed messages that its response names.

Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS", sections "Example event" and "Handling errors for an
SQS event source in Lambda".
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]
"""A message as ReceiveMessage returns it."""

_ATTRIBUTE_NAMES = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}


def sqs_event(messages: Sequence[Message], queue_arn: str) -> dict[str, Any]:
    """Make the event of a batch of messages from one queue."""
    region = queue_arn.split(":")[3]
    return {"Records": [_record(message, queue_arn, region) for message in messages]}


def _record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: {
                "stringListValues": [],
                "binaryListValues": [],
                **{ours: value[theirs] for theirs, ours in _ATTRIBUTE_NAMES.items() if theirs in value},
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def failed_ids(payload: bytes, ids: set[str]) -> set[str]:
    """Read the failed messages from a response, where ReportBatchItemFailures is on.

    Args:
        payload: The function's response (JSON).
        ids: The message ids of the batch.

    Returns:
        The ids that failed. Nothing, null or an empty list mean that all succeeded; a response that Lambda cannot read,
        or an id that is not of the batch, means that all failed.
    """
    try:
        named = {item["itemIdentifier"] for item in (json.loads(payload) or {}).get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError, ValueError):
        return ids
    return ids if named - ids else named
