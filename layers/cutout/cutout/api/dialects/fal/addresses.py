"""Where things are in this contract: its paths, the ids of its requests, and the URLs that answers name.

The sub-path ``v2/image`` belongs to run and submit alone; a request's own URLs leave it out, and so do clients that
build them anew from its id.
"""

import re
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from cutout.api.request import Request
from cutout.errors import NotFoundError
from cutout.jobs.job import Job

NAME: Final = "fal"
APP: Final = "/fal-ai/ben"
RUN: Final = f"{APP}/v2/image"
QUEUE: Final = "/queue"
"""Stands before the queue's paths where there is no host ``queue.`` of its own."""
HOME: Final = "home"
"""Note of a job: the app's URL at the host and below the path where the request was submitted."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FILE: Final = re.compile(r"/files/[\w-]{1,80}/(upl_[0-9a-f]{32})/[^/]*", re.ASCII)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME_CHARS: Final = 100


def is_queued(request: Request) -> bool:
    """Whether a run is to be submitted to the queue: by the path, or by a host whose first label is ``queue``."""
    return request.route.startswith(f"{QUEUE}/") or _host(request).startswith("queue.")


def base_url(request: Request) -> str:
    """Scheme, host and what stands before the route, for a route without parameters."""
    scheme = request.headers.get("x-forwarded-proto", "https").split(",", 1)[0].strip()
    return f"{scheme}://{_host(request)}{request.base_path}"


def home_of(request: Request) -> str:
    """The note HOME for a job that is submitted by this request."""
    prefix = QUEUE if request.route.startswith(f"{QUEUE}/") else ""
    return f"{base_url(request)}{prefix}{APP}"


def job_urls(job: Job) -> dict[str, object]:
    """The id and the three URLs of a submitted request."""
    request_id = public_id(job)
    url = f"{job.notes[HOME]}/requests/{request_id}"
    return {
        "request_id": request_id,
        "response_url": url,
        "status_url": f"{url}/status",
        "cancel_url": f"{url}/cancel",
    }


def public_id(job: Job) -> str:
    """A job's id as this contract writes it: a UUID."""
    return str(UUID(job.id.removeprefix("job_")))


def job_id_of(request: Request) -> str:
    """The job in the path. Raises NotFoundError for what no request can be called."""
    text = request.path_parameters.get("id", "")
    if not _UUID.fullmatch(text):
        raise unknown_request()
    return f"job_{UUID(text).hex}"


def unknown_request() -> NotFoundError:
    """The error for a request that is not there, is another account's or has expired: always in the same words."""
    return NotFoundError("There is no such request; requests are kept for 24 hours.")


def id_for_answer(request: Request) -> str:
    """What ``x-fal-request-id`` says: the request that is asked about, or else this one."""
    asked = request.path_parameters.get("id", "")
    return asked if _UUID.fullmatch(asked) else request.request_id.removeprefix("req_")


def file_url(request: Request, account_id: str, upload_id: str, name: str) -> str:
    """The URL of an upload, which anyone who knows it may read. name: as the client calls the file."""
    safe = _UNSAFE.sub("_", name)[-_MAX_NAME_CHARS:] or "upload.bin"
    return f"{base_url(request)}/files/{quote(account_id, safe='')}/{upload_id}/{safe}"


def upload_in(url: str, request: Request) -> str | None:
    """The upload that a URL of ours stands for; None: it is none of ours, and is fetched like any other."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.netloc.lower().removeprefix("queue.") != _host(request).removeprefix("queue."):
        return None
    found = _FILE.search(parts.path)
    return found[1] if found and found.end() == len(parts.path) else None


def _host(request: Request) -> str:
    return request.headers.get("host", "").lower()
