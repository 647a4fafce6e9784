"""``/v2/jobs``: what is asked for, and the options of a list. Answers are in ``job_documents``."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from cutout.api.body import Fields
from cutout.api.options import OPTIONS, boolean, parse_options, refuse_unknown
from cutout.api.request import Request
from cutout.api.uploads import image_type, json_body
from cutout.errors import ImageUrlFetchFailedError, InvalidOptionError, NotFoundError
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
    """A job that somebody wants. image_url: None when the image will be uploaded, as ``content_type``."""

    options: JobOptions
    image_url: str | None
    webhook_url: str | None
    content_type: str


class Listing(NamedTuple):
    """A part of an account's jobs, newest first. limit: 1..MAX_PAGE; state: None for all."""

    limit: int = DEFAULT_PAGE
    cursor: str | None = None
    state: JobState | None = None


def parse_job(request: Request, url_allow: frozenset[str]) -> JobRequest:
    """The order in a JSON body. url_allow: ``host:port`` pairs that may be private.

    Raises InvalidOptionError (also for unknown fields, and for a webhook_url that cannot be allowed),
    ImageUrlFetchFailedError for such an image_url or bg_image_url, InvalidRequestError, UnsupportedMediaTypeError.
    """
    fields = json_body(request)
    refuse_unknown(fields, KNOWN)
    mask = boolean("mask", fields.text("mask") or "false")
    background_url = (fields.text("bg_image_url") or "").strip()
    if background_url:
        check_background_url(background_url, url_allow)
    options = JobOptions(parse_options(fields), mask, background_url)
    image_url = _image_url(fields, url_allow)
    if image_url and "content_type" in fields:
        message = "content_type is for an image that will be uploaded; image_url needs none."
        raise InvalidOptionError(message, {"option": "content_type"})
    return JobRequest(options, image_url, _webhook_url(fields, url_allow), image_type(fields))


def parse_listing(request: Request) -> Listing:
    """The part of the list that a query asks for; other parameters are none of our business.

    Raises InvalidOptionError, or InvalidRequestError for a parameter with two values.
    """
    names = {"limit", "cursor", "status"}
    query = Fields((name, value) for name, values in request.query.items() if name.lower() in names for value in values)
    cursor = query.text("cursor")
    if cursor and len(cursor) > _MAX_CURSOR_CHARS:
        raise InvalidOptionError("cursor must be one that a page of the list gave.", {"option": "cursor"})
    return Listing(_limit(query.text("limit")), cursor, _state(query.text("status")))


def job_id_of(request: Request) -> str:
    """The id in the path. Raises NotFoundError for what no job can be called."""
    job_id = request.path_parameters.get("id", "")
    if not is_job_id(job_id):
        raise unknown_job()
    return job_id


def unknown_job() -> NotFoundError:
    """The error for a job that is not there, is another account's, or has expired: always in the same words."""
    return NotFoundError("There is no such job; jobs are kept for 24 hours.")


def check_webhook_url(url: str, allow: frozenset[str]) -> None:
    """Refuse a URL that can never be posted to. allow: ``host:port`` pairs that may be private.

    Raises InvalidOptionError.
    """
    try:
        check_url(url, allow, "webhook URL")
    except ImageUrlFetchFailedError as error:
        raise InvalidOptionError(error.message, {"option": "webhook_url"}) from error


def check_background_url(url: str, allow: frozenset[str]) -> None:
    """Refuse a URL of a background image that can never be fetched. allow: ``host:port`` pairs that may be private.

    Raises ImageUrlFetchFailedError, with ``details["image"] == "background"``.
    """
    try:
        check_url(url, allow)
    except ImageUrlFetchFailedError as error:
        raise error.about_background() from error.__cause__


def _image_url(fields: Fields, allow: frozenset[str]) -> str | None:
    url = (fields.text("image_url") or "").strip()
    if url:
        check_url(url, allow)
    return url or None


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
