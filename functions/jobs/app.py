"""/v2/jobs, /v2/uploads and the dialects' like: work that is answered later, images that are sent past the API."""

from collections.abc import Callable
from functools import partial

from cutout import container as warm
from cutout.accounts import Caller
from cutout.api import headers as auth
from cutout.api.dialects.base import Dialect
from cutout.api.dialects.context import Clerk, Window
from cutout.api.dialects.registry import clerks, windows
from cutout.api.headers import idempotency_key
from cutout.api.job_documents import accepted_answer, job_answer, page_answer
from cutout.api.jobs import job_id_of, parse_job, parse_listing
from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.api.uploads import parse_upload, upload_answer
from cutout.aws import telemetry
from cutout.aws.api_gateway import lambda_handler


def order(caller: Caller, request: Request) -> Response:
    """A job for an image that will be uploaded, or that is behind a URL."""
    wish = parse_job(request, warm.settings().url_allow)
    may_begin = partial(warm.admission().require_quota, caller.account, caller.key.mode)
    ordered = warm.job_desk().order(caller, wish, idempotency_key(request), may_begin)
    telemetry.job_ordered(ordered.job, again=ordered.again)
    return accepted_answer(ordered.job, warm.links(), request, ordered.form, again=ordered.again)


def look(caller: Caller, request: Request) -> Response:
    """One job; DELETE: cancel it, and remove all that was kept of it."""
    act = warm.job_desk().drop if request.method == "DELETE" else warm.job_desk().find
    return job_answer(act(caller.account.id, job_id_of(request)), warm.links())


def _admitted(answer: Callable[[Caller, Request], Response], request: Request) -> Response:
    key = auth.request_key(request, legacy=warm.settings().legacy_keys)
    return answer(warm.admission().admit(request, key).caller, request)


def _serve(dialect: Dialect, clerk: Clerk, request: Request) -> Response:
    key = dialect.credential(request, legacy=warm.settings().legacy_keys)
    return clerk(request, warm.dialect_desk(warm.admission().admit(request, key).caller.account.id))


def _show(window: Window, request: Request) -> Response:
    return window(request, warm.office())


OWN: dict[tuple[str, str], Callable[[Caller, Request], Response]] = {
    ("POST", "/v2/jobs"): order,
    ("GET", "/v2/jobs"): lambda c, r: page_answer(warm.jobs().page(c.account.id, *parse_listing(r)), warm.links()),
    **{(method, "/v2/jobs/{id}"): look for method in ("GET", "DELETE")},
    ("POST", "/v2/uploads"): lambda c, r: upload_answer(*warm.uploads().direct_form(c.account.id, parse_upload(r))),
}
ENDPOINTS = (
    [Endpoint(*route, partial(_admitted, answer)) for route, answer in OWN.items()]
    + [Endpoint(*route, partial(_serve, dialect, clerk), dialect.problem) for route, dialect, clerk in clerks()]
    + [Endpoint(*route, partial(_show, window), dialect.problem) for route, dialect, window in windows()]
)
handler = lambda_handler(ENDPOINTS)
