"""/v2/jobs and /v2/uploads: work that is answered later, and images that are sent past the API."""

from collections.abc import Callable
from functools import partial

from cutout.accounts import Caller
from cutout.api import auth
from cutout.api.idempotency import idempotency_key
from cutout.api.job_documents import accepted_answer, job_answer, page_answer
from cutout.api.jobs import job_id_of, parse_job, parse_listing
from cutout.api.request import Request, Response
from cutout.api.routes import Endpoint
from cutout.api.uploads import parse_upload, upload_answer
from cutout.aws import telemetry, warm
from cutout.aws.gateway import lambda_handler


def order(caller: Caller, request: Request) -> Response:
    """A job for an image that will be uploaded, or that is behind a URL."""
    wish = parse_job(request, warm.settings().url_allow)
    may_begin = partial(warm.admission().require_quota, caller.account, caller.key.mode)
    ordered = warm.job_desk().order(caller, wish, idempotency_key(request), may_begin)
    telemetry.job_ordered(ordered.job, again=ordered.again)
    return accepted_answer(ordered.job, warm.results().links(), request, ordered.form, again=ordered.again)


def page(caller: Caller, request: Request) -> Response:
    """The account's jobs, newest first."""
    return page_answer(warm.jobs().page(caller.account.id, *parse_listing(request)), warm.results().links())


def look(caller: Caller, request: Request) -> Response:
    """One job."""
    return job_answer(warm.job_desk().find(caller.account.id, job_id_of(request)), warm.results().links())


def drop(caller: Caller, request: Request) -> Response:
    """Cancel a job, and remove all that was kept of it."""
    return job_answer(warm.job_desk().drop(caller.account.id, job_id_of(request)), warm.results().links())


def upload(caller: Caller, request: Request) -> Response:
    """A form for an image that ``POST /v2`` will be given by its upload_id."""
    return upload_answer(*warm.uploads().direct_form(caller.account.id, parse_upload(request)))


def _admitted(answer: Callable[[Caller, Request], Response], request: Request) -> Response:
    key = auth.request_key(request, legacy=warm.settings().legacy_keys)
    return answer(warm.admission().admit(request, key).caller, request)


ENDPOINTS = [
    Endpoint("POST", "/v2/jobs", partial(_admitted, order)),
    Endpoint("GET", "/v2/jobs", partial(_admitted, page)),
    Endpoint("GET", "/v2/jobs/{id}", partial(_admitted, look)),
    Endpoint("DELETE", "/v2/jobs/{id}", partial(_admitted, drop)),
    Endpoint("POST", "/v2/uploads", partial(_admitted, upload)),
]

handler = lambda_handler(ENDPOINTS)
