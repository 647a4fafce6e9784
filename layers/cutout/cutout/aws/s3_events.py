"""Messages of the jobs' queue: S3's notifications, and our own messages about a job.

Every record is read, keys are decoded, and records about other things are logged and ignored. Source: S3 user guide,
"Event message structure" (keys are URL-encoded like a form; sequencers compare after padding on the right).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from cutout.aws import telemetry
from cutout.jobs.ids import is_job_id
from cutout.jobs.parts import JobMessage, ObjectCreated

PREFIX: Final = "uploads/"
MAX_KEY_BYTES: Final = 1_024 - len("/result.json")
"""The longest key for which the keys of the results fit into S3's limit of 1,024 bytes."""
MIN_KEY_PARTS: Final = 3
"""Parts of a key: the prefix, the account, and a name."""


class UnknownMessageError(Exception):
    """A message of an unknown form. It stays in its queue, and ends in the dead-letter queue, for an operator."""


def read_message(body: str, bucket: str) -> list[ObjectCreated | JobMessage]:
    """Read a message of the jobs' queue.

    Args:
        body: The body of the message.
        bucket: The uploads bucket; records about another one are ignored.

    Returns:
        The uploads, or the job, that the message is about; empty for a test event.

    Raises:
        UnknownMessageError: The message is neither an S3 notification nor a message about a job.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnknownMessageError("not JSON") from error
    if not isinstance(message, dict):
        raise UnknownMessageError("not an object")
    if message.get("Event") == "s3:TestEvent":
        telemetry.record_ignored("a test event", {"bucket": str(message.get("Bucket"))})
        return []
    if isinstance(job_id := message.get("job_id"), str) and is_job_id(job_id):
        return [JobMessage(job_id)]
    if isinstance(records := message.get("Records"), list):
        return list(_uploads(records, bucket))
    raise UnknownMessageError(f"an object with {', '.join(sorted(map(str, message)))[:200] or 'nothing'}")


def _uploads(records: list[Mapping[str, Any]], bucket: str) -> Iterator[ObjectCreated]:
    for record in records:
        try:
            upload = _upload(record)
            reason = _reason_against(record, upload, bucket)
        except (KeyError, TypeError, AttributeError) as error:
            raise UnknownMessageError("a record that is not S3's") from error
        if reason:
            facts = {"event": str(record["eventName"]), "bucket": upload.bucket, "key": upload.key}
            telemetry.record_ignored(reason, facts)
        else:
            yield upload


def _upload(record: Mapping[str, Any]) -> ObjectCreated:
    s3 = record["s3"]
    return ObjectCreated(
        bucket=s3["bucket"]["name"],
        key=unquote_plus(s3["object"]["key"]),
        version_id=s3["object"].get("versionId", ""),
        etag=s3["object"].get("eTag", "").strip('"'),
        sequencer=s3["object"].get("sequencer", ""),
        time=record.get("eventTime", ""),
    )


def _reason_against(record: Mapping[str, Any], upload: ObjectCreated, bucket: str) -> str | None:
    """Explain why a record is not about an image to process; None: it is."""
    if not record["eventName"].removeprefix("s3:").startswith("ObjectCreated:"):
        return "another event"
    if upload.bucket != bucket:
        return "another bucket"
    parts = upload.key.split("/")
    if not upload.key.startswith(PREFIX) or len(parts) < MIN_KEY_PARTS or not parts[1]:
        return "not below an account's prefix"
    if not parts[-1]:
        return "a folder"
    if len(upload.key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        return "a key without room for the names of its results"
    return None
