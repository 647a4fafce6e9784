"""The addresses of this contract: its paths, the ids of its requests, and the URLs in its answers.

Only the routes that run or submit have the sub-path ``v2/image``; the URLs of a request do not have it, and clients
that build these URLs from the id omit it too.
"""

import re
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from cutout.api.request import Request
from cutout.errors import NotFoundError
from cutout.ids import AccountId, JobId
from cutout.jobs.job import Job

NAME: Final = "fal"
APP: Final = "/fal-ai/ben"
RUN: Final = f"{APP}/v2/image"
QUEUE: Final = "/queue"
"""The prefix of the queue's paths on a host that is not ``queue.``."""
HOME: Final = "home"
"""A note of a job: the app's URL on the host and path prefix where the request was submitted."""

_CDN: Final = (".fal.media", ".fal.ai")
"""The vendor's hosts of files and of uploads."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FILE: Final = re.compile(r"/files/[\w-]{1,80}/(upl_[0-9a-f]{32})/[^/]*", re.ASCII)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME_CHARS: Final = 100


def is_queued(request: Request) -> bool:
    """Report whether a run is submitted to the queue: by its path, or by a host whose first label is ``queue``."""
    return request.route.startswith(f"{QUEUE}/") or _host(request).startswith("queue.")


def base_url(request: Request) -> str:
    """Return the service's URL: that of the settings, or else scheme, host and path prefix of the request.

    Args:
        request: The request, to a route without parameters.

    Returns:
        The URL, without a slash at its end.
    """
    if request.public_url:
        return request.public_url
    scheme = request.headers.get("x-forwarded-proto", "https").split(",", 1)[0].strip()
    return f"{scheme}://{_host(request)}{request.base_path}"


def home_of(request: Request) -> str:
    """Make the note HOME for a job of this request."""
    by_host = not request.route.startswith(f"{QUEUE}/") and not request.public_url
    prefix = QUEUE if is_queued(request) and not by_host else ""
    return f"{base_url(request)}{prefix}{APP}"


def job_urls(job: Job) -> dict[str, object]:
    """Write the id and the three URLs of a submitted request."""
    request_id = public_id(job)
    url = f"{job.notes[HOME]}/requests/{request_id}"
    return {
        "request_id": request_id,
        "response_url": url,
        "status_url": f"{url}/status",
        "cancel_url": f"{url}/cancel",
    }


def public_id(job: Job) -> str:
    """Return a job's id as this contract writes it: a UUID."""
    return str(UUID(job.id.removeprefix("job_")))


def job_id_of(request: Request) -> JobId:
    """Read the job's id in the path. Raises NotFoundError for text of another form."""
    text = request.path_parameters.get("id", "")
    if not _UUID.fullmatch(text):
        raise unknown_request()
    return JobId(f"job_{UUID(text).hex}")


def unknown_request() -> NotFoundError:
    """Make the error for a request that does not exist, is another account's or has expired: the same in each case."""
    return NotFoundError("There is no such request; requests are kept for 24 hours.")


def id_for_answer(request: Request) -> str:
    """Return the value of ``x-fal-request-id``: the request in the path, or else this request."""
    request_id = request.path_parameters.get("id", "")
    return request_id if _UUID.fullmatch(request_id) else request.request_id.removeprefix("req_")


def file_url(request: Request, account_id: AccountId, upload_id: str, name: str) -> str:
    """Make the public URL of an upload.

    Args:
        request: The request.
        account_id: The owner.
        upload_id: The upload.
        name: The client's name of the file.

    Returns:
        The URL.
    """
    safe = _UNSAFE.sub("_", name)[-_MAX_NAME_CHARS:] or "upload.bin"
    return f"{base_url(request)}/files/{quote(account_id, safe='')}/{upload_id}/{safe}"


def upload_id_in(url: str, request: Request) -> str | None:
    """Find the upload that a URL of :func:`file_url` names.

    The URL may be on the vendor's hosts of files too: clients that believe to be there write them so.

    Args:
        url: The URL.
        request: The request, for its host.

    Returns:
        The upload's id; None for any other URL.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    host = parts.netloc.lower().removeprefix("queue.")
    own = {_host(request).removeprefix("queue."), urlsplit(request.public_url).netloc.lower()}
    if not host or (host not in own and not host.endswith(_CDN)):
        return None
    found = _FILE.search(parts.path)
    return found[1] if found and found.end() == len(parts.path) else None


def _host(request: Request) -> str:
    return request.headers.get("host", "").lower()
