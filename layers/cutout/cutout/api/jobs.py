"""The parsers of requests to ``/v2/jobs``. The writers of its answers are in ``job_documents.py``."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from cutout.api.body.fields import Fields
from cutout.api.options import OPTIONS, boolean, parse_options, refuse_unknown
from cutout.api.request import Request
from cutout.api.sources import decode_data, is_data_url
from cutout.api.uploads import image_type, json_body
from cutout.errors import ImageUrlFetchFailedError, InvalidOptionError, NotFoundError
from cutout.ids import JobId
from cutout.jobs.ids import is_job_id
from cutout.jobs.job import JobState
from cutout.jobs.parts import JobOptions
from cutout.outbound.urls import check_url

KNOWN: Final = OPTIONS | {"mask", "image_url", "bg_image_url", "webhook_url", "content_type"}
"""Every field of ``POST /v2/jobs``."""
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20
_MAX_CURSOR_CHARS: Final = 1_000


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job.

    Attributes:
        options: The requested result.
        image_url: The URL of the image; None: the image is in the request, or will be uploaded.
        webhook_url: The URL that receives the end of the job.
        content_type: The media type of the image that will be uploaded.
        image: The encoded image, of a data URL.
    """

    options: JobOptions
    image_url: str | None
    webhook_url: str | None
    content_type: str
    image: bytes | None = None


class JobPageRequest(NamedTuple):
    """A request for a page of an account's jobs, newest first.

    Attributes:
        limit: The most jobs, 1 to MAX_PAGE.
        cursor: The cursor of the page before; None: from the newest.
        state: Only jobs in this state; None: all.
    """

    limit: int = DEFAULT_PAGE
    cursor: str | None = None
    state: JobState | None = None


def parse_job(request: Request, url_allow: frozenset[str], max_bytes: int) -> JobRequest:
    """Parse a request for a job.

    Args:
        request: The request, with a JSON body.
        url_allow: ``host:port`` pairs that may be private.
        max_bytes: The most bytes of an image in the request.

    Returns:
        The parsed request.

    Raises:
        InvalidOptionError: A field is unknown, has a wrong value, or is a webhook_url that is not allowed.
        ImageUrlFetchFailedError: The image_url or bg_image_url is not allowed.
        InvalidBase64Error, ImageTooLargeError: The image_url is a data URL that does not decode, or is too large.
        InvalidRequestError: The body is not a JSON object.
        UnsupportedMediaTypeError: The body has another Content-Type.
    """
    fields = json_body(request)
    refuse_unknown(fields, KNOWN)
    mask = boolean("mask", fields.text("mask") or "false")
    background_url = (fields.text("bg_image_url") or "").strip()
    if background_url:
        check_background_url(background_url, url_allow)
    options = JobOptions(parse_options(fields), mask, background_url)
    image_url = (fields.text("image_url") or "").strip() or None
    image = decode_data(image_url, max_bytes) if image_url and is_data_url(image_url) else None
    if image is not None:
        image_url = None
    elif image_url:
        check_url(image_url, url_allow)
    if "image_url" in fields and "content_type" in fields:
        message = "content_type is for an image that will be uploaded; image_url needs none."
        raise InvalidOptionError(message, {"option": "content_type"})
    return JobRequest(options, image_url, _webhook_url(fields, url_allow), image_type(fields), image)


def parse_job_page(request: Request) -> JobPageRequest:
    """Parse the query of a request for a page of jobs; unknown parameters are ignored.

    Args:
        request: The request.

    Returns:
        The parsed query.

    Raises:
        InvalidOptionError: A parameter has a wrong value.
        InvalidRequestError: A parameter has two values.
    """
    names = {"limit", "cursor", "status"}
    query = Fields((name, value) for name, values in request.query.items() if name.lower() in names for value in values)
    cursor = query.text("cursor")
    if cursor and len(cursor) > _MAX_CURSOR_CHARS:
        raise InvalidOptionError("cursor must be one that a page of the list gave.", {"option": "cursor"})
    return JobPageRequest(_limit(query.text("limit")), cursor, _state(query.text("status")))


def job_id_of(request: Request) -> JobId:
    """Read the job's id in the path. Raises NotFoundError for text of another form."""
    job_id = request.path_parameters.get("id", "")
    if not is_job_id(job_id):
        raise unknown_job()
    return job_id


def unknown_job() -> NotFoundError:
    """Make the error for a job that does not exist, is another account's, or has expired: the same in each case."""
    return NotFoundError("There is no such job; jobs are kept for 24 hours.")


def check_webhook_url(url: str, allow: frozenset[str]) -> None:
    """Refuse the URL of a webhook that can never be delivered.

    Args:
        url: The URL.
        allow: ``host:port`` pairs that may be private.

    Raises:
        InvalidOptionError: The URL is not allowed.
    """
    try:
        check_url(url, allow, "webhook URL")
    except ImageUrlFetchFailedError as error:
        raise InvalidOptionError(error.message, {"option": "webhook_url"}) from error


def check_background_url(url: str, allow: frozenset[str]) -> None:
    """Refuse the URL of a background image that can never be fetched.

    Args:
        url: The URL.
        allow: ``host:port`` pairs that may be private.

    Raises:
        ImageUrlFetchFailedError: The URL is not allowed; with ``details["image"] == "background"``.
    """
    try:
        check_url(url, allow)
    except ImageUrlFetchFailedError as error:
        raise error.about_background() from error.__cause__


def _webhook_url(fields: Fields, allow: frozenset[str]) -> str | None:
    url = (fields.text("webhook_url") or "").strip()
    if url:
        check_webhook_url(url, allow)
    return url or None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not re.fullmatch(r"[0-9]{1,3}", text.strip(), re.ASCII) or not 1 <= int(text) <= MAX_PAGE:
        details = {"option": "limit", "value": text[:40], "minimum": 1, "maximum": MAX_PAGE}
        raise InvalidOptionError(f"limit must be a number from 1 to {MAX_PAGE}.", details)
    return int(text)


def _state(text: str | None) -> JobState | None:
    if text is None:
        return None
    try:
        return JobState(text.strip().lower())
    except ValueError as error:
        allowed = [state.value for state in JobState]
        details = {"option": "status", "value": text[:40], "allowed": allowed}
        raise InvalidOptionError(f"status must be one of {', '.join(allowed)}.", details) from error
