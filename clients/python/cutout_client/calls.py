"""Jobs, account, keys and webhook secrets as flows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from cutout_client import documents
from cutout_client.documents import Account, DayUsage, Job, JobPage, Key, WebhookSecret
from cutout_client.errors import JobCancelledError, UnexpectedAnswerError, WaitTimeoutError
from cutout_client.images import Picture, RemoteImage
from cutout_client.messages import Answer, Flow, Pause, Request, json_request
from cutout_client.options import to_fields
from cutout_client.removal import post_form
from cutout_client.results import Result
from cutout_client.retries import RetryPolicy, send

_FIRST_LOOK_S, _LAST_LOOK_S, _SLOWER = 0.25, 3.0, 1.5
"""Pauses between two looks at a job: most end within a second, and what takes longer is asked for less often."""


def create_job(
    image: Picture | RemoteImage,
    options: Mapping[str, Any],
    policy: RetryPolicy,
    *,
    webhook_url: str | None = None,
    bg_image_url: str | None = None,
    mask: bool = False,
    idempotency_key: str | None = None,
) -> Flow[Job]:
    """Order a job, and upload its image where that is not behind a URL.

    Raises:
        TypeError: An option does not exist, or the image is an upload of ``POST /v2/uploads``.
        CutoutError: Any of :mod:`cutout_client.errors`.
    """
    if isinstance(image, RemoteImage) and image.field != "image_url":
        raise TypeError("a job takes a URL or the image itself, not an upload")
    document: dict[str, Any] = {**to_fields(options), "mask": mask}
    if isinstance(image, Picture):
        document["content_type"] = image.media_type
    else:
        document["image_url"] = image.value
    document.update({name: url for name, url in (("webhook_url", webhook_url), ("bg_image_url", bg_image_url)) if url})
    key = f"cutout-client-{uuid4()}" if idempotency_key is None else idempotency_key
    headers = {"idempotency-key": key} if key else {}
    request = json_request("POST", "/v2/jobs", document, headers=headers, repeatable=bool(key))
    job = documents.read_job((yield from send(request, policy)).document())
    if isinstance(image, Picture) and job.upload is not None:
        yield from post_form(job.upload, image, policy)
    return job


def get_job(job_id: str, policy: RetryPolicy) -> Flow[Job]:
    """Show a job."""
    answer = yield from send(Request("GET", f"/v2/jobs/{quote(job_id, safe='')}"), policy)
    return documents.read_job(answer.document())


def wait_for_job(job_id: str, policy: RetryPolicy, timeout_s: float) -> Flow[Job]:
    """Look at a job until it has succeeded.

    Raises:
        ApiError: It failed; the class is that of its error's code.
        JobCancelledError: It was deleted.
        WaitTimeoutError: It did not end within ``timeout_s`` seconds.
    """
    end_s, pause_s = monotonic() + timeout_s, _FIRST_LOOK_S
    while True:
        job = yield from get_job(job_id, policy)
        if job.status == "failed":
            raise job.error or UnexpectedAnswerError(f"{job_id} failed without an error")
        if job.status == "cancelled":
            raise JobCancelledError(f"{job_id} was deleted before it ended")
        if job.is_final:
            return job
        if monotonic() + pause_s > end_s:
            raise WaitTimeoutError(f"{job_id} is {job.status} after {timeout_s:g} s")
        yield Pause(pause_s)
        pause_s = min(_LAST_LOOK_S, pause_s * _SLOWER)


def list_jobs(policy: RetryPolicy, limit: int, cursor: str | None, status: str | None) -> Flow[JobPage]:
    """List jobs, newest first."""
    given = {"limit": str(limit), "cursor": cursor, "status": status}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    document = (yield from send(Request("GET", f"/v2/jobs?{query}"), policy)).document()
    jobs = [documents.read_job(each) for each in document.get("jobs", [])]
    return JobPage(jobs, document.get("next_cursor"))


def delete_job(job_id: str, policy: RetryPolicy) -> Flow[Job]:
    """Cancel a job, or remove what it holds."""
    answer = yield from send(Request("DELETE", f"/v2/jobs/{quote(job_id, safe='')}"), policy)
    return documents.read_job(answer.document())


def download(job: Job, policy: RetryPolicy, *, mask: bool = False) -> Flow[Result]:
    """Fetch the result of a job, or its mask; looks at the job first where its URLs are not there yet.

    Raises:
        ValueError: The job has not succeeded, or has no mask.
        CutoutError: Any of :mod:`cutout_client.errors`.
    """
    made = job.result or (yield from get_job(job.id, policy)).result
    url = made and (made.mask_url if mask else made.url)
    if not made or not url:
        raise ValueError(f"{job.id} has no {'mask' if mask else 'result'}")
    answer = yield from send(Request("GET", url, stage="download"), policy)
    return Result(
        content=answer.body,
        media_type=made.media_type if not mask else "image/png",
        width=made.width,
        height=made.height,
        model=made.model,
        timings_ms=made.stages_ms,
        request_id=job.id,
    )


def get_account(policy: RetryPolicy) -> Flow[Account]:
    """Tell whose the key is, and what was used this month."""
    return documents.read_account((yield from send(Request("GET", "/v2/account"), policy)).document())


def list_keys(policy: RetryPolicy) -> Flow[list[Key]]:
    """List the account's keys."""
    document = (yield from send(Request("GET", "/v2/account/keys"), policy)).document()
    return [documents.read(Key, each) for each in document.get("keys", [])]


def create_key(policy: RetryPolicy, label: str | None, mode: str | None) -> Flow[Key]:
    """Make a key. Not repeated when its answer is lost, since two keys would be made."""
    given = {name: value for name, value in (("label", label), ("mode", mode)) if value is not None}
    answer = yield from send(json_request("POST", "/v2/account/keys", given, repeatable=False), policy)
    return documents.read(Key, answer.document())


def revoke_key(fingerprint: str, policy: RetryPolicy) -> Flow[Key]:
    """Close a key for good."""
    answer = yield from send(Request("DELETE", _key_path(fingerprint)), policy)
    return documents.read(Key, answer.document())


def rotate_key(fingerprint: str, policy: RetryPolicy, grace_s: int | None) -> Flow[Key]:
    """Make a key's successor. Not repeated when its answer is lost: a key has one successor."""
    given = {} if grace_s is None else {"grace_s": grace_s}
    request = json_request("POST", f"{_key_path(fingerprint)}/rotate", given, repeatable=False)
    return documents.read(Key, (yield from send(request, policy)).document())


def daily_usage(policy: RetryPolicy, month: str | None) -> Flow[list[DayUsage]]:
    """List what was used in a month (``yyyy-mm``; None: the current one) by day and key."""
    query = f"?month={quote(month, safe='')}" if month else ""
    found = (yield from send(Request("GET", f"/v2/account/usage{query}"), policy)).document()
    return [documents.read(DayUsage, row) for row in found.get("days", ())]


def webhook_secret(policy: RetryPolicy, *, rotate: bool) -> Flow[WebhookSecret]:
    """Show the secret that signs webhooks, or put a new one in its place."""
    request = Request("POST" if rotate else "GET", "/v2/account/webhook-secret", repeatable=not rotate)
    return documents.read(WebhookSecret, (yield from send(request, policy)).document())


def health(policy: RetryPolicy, *, deep: bool) -> Flow[dict[str, Any]]:
    """Ask whether the service is up and, if ``deep``, whether its model loads and runs."""
    answer: Answer = yield from send(Request("GET", f"/v2/health?deep={str(deep).lower()}"), policy)
    return answer.document()


def _key_path(fingerprint: str) -> str:
    return f"/v2/account/keys/{quote(fingerprint, safe='')}"
