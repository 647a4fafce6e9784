"""Every five minutes: cut a picture out through the front, as a caller does, at once and as a job.

Failures and times are metrics (CloudWatch's embedded metric format, from the log); an alarm watches them. Where the
page has a bucket, its status page reads the checks of the last day there.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
from picture import PICTURE, check_cutout

NAMESPACE = "Cutout"
JOB_S = 90.0
_PAUSE_S = 2.0
STATUS = "status.json"
STATUS_KEPT = timedelta(days=1)
Check = dict[str, Any]
"""When, which way, whether it was good, and its milliseconds; web/assets/status.js reads it."""


def handler(_: Any, __: Any) -> dict[str, float]:
    """Try both ways; raise when one fails, after its metric is written."""
    key = boto3.client("ssm").get_parameter(Name=os.environ["SYNTHETIC_KEY"], WithDecryption=True)["Parameter"]["Value"]
    url = os.environ["API_URL"].rstrip("/")
    ways = {"Direct": at_once, "Job": as_job} if os.environ["SYNCHRONOUS"] == "true" else {"Job": as_job}
    checks: list[Check] = []
    try:
        return {name: measured(name, partial(way, url, key), checks) for name, way in ways.items()}
    finally:
        if bucket := os.environ.get("STATUS_BUCKET"):
            publish(boto3.client("s3"), bucket, checks, datetime.now(UTC))


def measured(name: str, work: Callable[[], None], checks: list[Check]) -> float:
    """Do a piece of work and write how long it took, and whether it failed, as metrics and as a check.

    Returns:
        Milliseconds.
    """
    started, failed = time.perf_counter(), 1
    try:
        work()
        failed = 0
    finally:
        elapsed_ms = (time.perf_counter() - started) * 1000
        print(
            json.dumps(embedded(os.environ["STACK"], {f"Canary{name}Failed": failed, f"Canary{name}Time": elapsed_ms}))
        )
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        checks.append({"at": at, "way": name.lower(), "ok": not failed, "ms": round(elapsed_ms, 1)})
    return elapsed_ms


def publish(s3: Any, bucket: str, checks: list[Check], now: datetime) -> None:
    """Add checks to the document of the status page, which keeps a day of them.

    Args:
        s3: boto3 client of S3.
        bucket: Of the page.
        checks: The new ones.
        now: UTC.
    """
    try:
        known = json.loads(s3.get_object(Bucket=bucket, Key=STATUS)["Body"].read())["checks"]
    except s3.exceptions.NoSuchKey:
        known = []
    since = (now - STATUS_KEPT).isoformat(timespec="milliseconds")
    document = {
        "source": "canary",
        "updated_at": now.isoformat(timespec="milliseconds"),
        "checks": [check for check in (*known, *checks) if check["at"] >= since],
    }
    s3.put_object(
        Bucket=bucket,
        Key=STATUS,
        Body=json.dumps(document).encode(),
        ContentType="application/json",
        CacheControl="max-age=60",
    )


def embedded(stack: str, values: dict[str, float]) -> dict[str, Any]:
    """Metrics as a log line that CloudWatch reads (embedded metric format specification)."""
    units = {name: "Milliseconds" if name.endswith("Time") else "Count" for name in values}
    metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
    described = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]},
        "service": stack,
        **values,
    }


def at_once(url: str, key: str) -> None:
    """POST /v2, and look at the answer."""
    check_cutout(send(f"{url}/v2", key, PICTURE, "image/jpeg"))


def as_job(url: str, key: str) -> None:
    """Order a job, upload the picture by its form, wait, fetch the result, and drop the job."""
    job = json.loads(send(f"{url}/v2/jobs", key, b"{}", "application/json"))
    boundary = uuid4().hex
    send(job["upload"]["url"], "", form(job["upload"]["fields"], boundary), f"multipart/form-data; boundary={boundary}")
    deadline = time.monotonic() + JOB_S
    while job["status"] in {"queued", "running"}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"job {job['id']} has not ended within {JOB_S:.0f} s")
        time.sleep(_PAUSE_S)
        job = json.loads(send(f"{url}/v2/jobs/{job['id']}", key))
    if job["status"] != "succeeded":
        raise RuntimeError(f"job {job['id']} {job['status']}: {job.get('error')}")
    check_cutout(send(job["result"]["url"], ""))
    send(f"{url}/v2/jobs/{job['id']}", key, method="DELETE")


def form(fields: dict[str, str], boundary: str) -> bytes:
    """Write a presigned form with the picture as its last part, as S3 wants it."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = 'Content-Disposition: form-data; name="file"; filename="picture.jpg"\r\nContent-Type: image/jpeg'
    last = f"--{boundary}\r\n{head}\r\n\r\n"
    return "".join((*parts, last)).encode() + PICTURE + f"\r\n--{boundary}--\r\n".encode()


def send(url: str, key: str, body: bytes | None = None, media_type: str = "", method: str | None = None) -> bytes:
    """Send a request; raise RuntimeError with the answer when it is refused."""
    headers = {name: value for name, value in (("x-api-key", key), ("content-type", media_type)) if value}
    request = Request(url, body, headers, method=method)  # noqa: S310 - the stack's own address
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            data: bytes = answer.read()
            return data
    except HTTPError as error:
        raise RuntimeError(
            f"{request.get_method()} {url.partition('?')[0]}: {error.code} {error.read()[:300]!r}"
        ) from error
