"""Every hour: delete what has lain in the buckets for a day.

S3's own lifecycle works once a day, after midnight UTC, so by it alone an object would stay for up to two days. It is
left in place for what this function might miss.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

DAY = timedelta(hours=24)
PLACES = (("UPLOADS_BUCKET", "uploads/"), ("UPLOADS_BUCKET", "direct/"), ("RESULTS_BUCKET", "results/"))
"""What is promised to be gone after a day; ``retained/`` is what accounts have opted in to."""
SPARE_MS = 10_000
"""Time left at which a run stops; the next one goes on."""


def handler(_: Any, context: Any) -> int:
    """Sweep all places; log what was deleted and whether something was left for the next run."""
    s3, before = boto3.client("s3"), datetime.now(UTC) - DAY
    deleted, finished = 0, True
    for variable, prefix in PLACES:
        for keys in expired(s3, os.environ[variable], prefix, before):
            deleted += delete(s3, os.environ[variable], keys)
            if context.get_remaining_time_in_millis() < SPARE_MS:
                finished = False
                break
    print(json.dumps({"message": "swept", "deleted": deleted, "finished": finished}))
    return deleted


def expired(s3: Any, bucket: str, prefix: str, before: datetime) -> Iterator[list[str]]:
    """List keys of objects written before a time, up to 1,000 at once."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [item["Key"] for item in page.get("Contents", []) if item["LastModified"] < before]
        if keys:
            yield keys


def delete(s3: Any, bucket: str, keys: list[str]) -> int:
    """Delete up to 1,000 objects.

    Returns:
        How many.

    Raises:
        RuntimeError: S3 refused one; the alarm on this function's errors tells.
    """
    errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}).get(
        "Errors"
    )
    if errors:
        raise RuntimeError(f"{errors[0]['Key']} was not deleted: {errors[0]['Code']}")
    return len(keys)
