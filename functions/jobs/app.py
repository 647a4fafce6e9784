"""/v2/jobs, /v2/uploads and the dialects' like: work that is answered later, images that are sent past the API."""

from functools import partial

from cutout.accounts import Caller
from cutout.api.dialects.context import AccountHandler, PublicHandler
from cutout.api.dialects.registry import account_routes, public_routes
from cutout.api.headers import idempotency_key
from cutout.api.job_documents import accepted_answer, job_answer, page_answer
from cutout.api.jobs import job_id_of, parse_job, parse_job_page
from cutout.api.request import Request, Response
from cutout.api.routing import AnyEndpoint, Endpoint
from cutout.api.uploads import parse_upload, upload_answer
from cutout.aws import telemetry
from cutout.aws.api_gateway import lambda_handler
from cutout.container import container
from cutout.usage import Admission


def create_job(caller: Caller, request: Request) -> Response:
    """Create a job for an image that will be uploaded, or that is behind a URL."""
    app = container()
    wanted = parse_job(request, app.settings.url_allow, app.settings.limits.max_bytes)
    handle = app.job_service.submit(caller, wanted, idempotency_key(request))
    telemetry.job_accepted(handle.job, repeated=handle.repeated)
    return accepted_answer(handle.job, app.links(), request, handle.form, repeated=handle.repeated)


def show_job(caller: Caller, request: Request) -> Response:
    """Show one job."""
    job = container().job_service.find(caller.account.id, job_id_of(request))
    return job_answer(job, container().links())


def delete_job(caller: Caller, request: Request) -> Response:
    """Cancel a job, and remove all that was stored for it."""
    job = container().job_service.delete(caller.account.id, job_id_of(request))
    return job_answer(job, container().links())


def list_jobs(caller: Caller, request: Request) -> Response:
    """List the account's jobs, a page at a time."""
    page = container().jobs.page(caller.account.id, *parse_job_page(request))
    return page_answer(page, container().links())


def create_upload(caller: Caller, request: Request) -> Response:
    """Make a form by which an image is uploaded for a later request."""
    return upload_answer(*container().job_service.new_upload(caller.account.id, parse_upload(request)))


def _answer(handle: AccountHandler, admission: Admission, request: Request) -> Response:
    """Answer on a dialect's route about the account's jobs and uploads."""
    return handle(request, container().dialect_context(admission))


def _answer_anyone(handle: PublicHandler, request: Request) -> Response:
    """Answer on a dialect's public route."""
    return handle(request, container().public_context)


def endpoints() -> list[AnyEndpoint]:
    """List the function's endpoints."""
    app = container()
    routes = {
        ("POST", "/v2/jobs"): create_job,
        ("GET", "/v2/jobs"): list_jobs,
        ("GET", "/v2/jobs/{id}"): show_job,
        ("DELETE", "/v2/jobs/{id}"): delete_job,
        ("POST", "/v2/uploads"): create_upload,
    }
    return [
        *(app.endpoint(route, handle, app.request_key) for route, handle in routes.items()),
        *(
            app.dialect_endpoint(route, dialect, partial(_answer, handle))
            for route, dialect, handle in account_routes()
        ),
        *(Endpoint(*route, partial(_answer_anyone, handle), d.problem) for route, d, handle in public_routes()),
    ]


handler = lambda_handler(endpoints, lambda: container().settings)
