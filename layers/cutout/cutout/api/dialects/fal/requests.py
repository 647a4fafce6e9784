"""Requests in the queue, after they were submitted: status, stream, result, cancel."""

import json
from collections.abc import Iterator
from typing import Final

from cutout.accounts import KeyMode
from cutout.api.answers import json_answer
from cutout.api.dialects.context import AccountContext, AccountHandler
from cutout.api.dialects.fal.addresses import APP, NAME, QUEUE, id_for_answer, job_id_of, public_id, unknown_request
from cutout.api.dialects.fal.documents import job_output, reply, status_code, status_of
from cutout.api.request import Request, Response
from cutout.errors import ConflictError, JobEndedError, NotFoundError
from cutout.jobs.job import Job

STREAM_S: Final = 12.0
"""So long a stream, or a result that is not there yet, is waited for: clients give a stream up after 15 s."""
HOLD_S: Final = 1.0
"""So long a status without news is held back: a client that asks ten times a second then asks once."""
SPARE_S: Final = 5.0
"""Of the function's time, for the rest of its work."""


def status(request: Request, context: AccountContext) -> Response:
    """Where the request stands, or will stand within a second."""
    seen = _watch(request, context, HOLD_S)
    first = next(seen)
    job = first if first.state.is_final else next(seen, first)
    return reply(status_of(job, logs=_wants_logs(request)), public_id(job), status_code(job))


def stream(request: Request, context: AccountContext) -> Response:
    """Server-sent events, one for each step. They are sent together: when the request has ended, or after STREAM_S."""
    logs = _wants_logs(request)
    events = [json.dumps(status_of(job, logs=logs)) for job in _watch(request, context, STREAM_S)]
    body = "".join(f"data: {event}\n\n" for event in events).encode()
    headers = {"x-fal-request-id": id_for_answer(request), "cache-control": "no-store"}
    return Response(200, "text/event-stream", body, headers)


def result(request: Request, context: AccountContext) -> Response:
    """The output. Raises ConflictError for a request that has not ended, and what a request failed by."""
    *_, job = _watch(request, context, STREAM_S)
    if not job.state.is_final:
        raise ConflictError("Request is still in progress.")
    units = int(job.charged_mode is not KeyMode.SYNTHETIC)
    return reply(job_output(job, context.links()), public_id(job), units=units)


def cancel(request: Request, context: AccountContext) -> Response:
    """Give the request up."""
    try:
        job_id = _known(context.find(job_id_of(request))).id
        context.cancel(job_id)
    except NotFoundError as error:
        answer = json_answer({"status": "NOT_FOUND", "detail": error.message}, 404)
    except JobEndedError:
        answer = json_answer({"status": "ALREADY_COMPLETED", "detail": "The request has ended already."}, 400)
    else:
        answer = json_answer({"status": "CANCELLATION_REQUESTED"}, 202)
    return Response(answer.status, answer.media_type, answer.body, {"x-fal-request-id": id_for_answer(request)})


def _watch(request: Request, context: AccountContext, longest_s: float) -> Iterator[Job]:
    """The steps of the request in the path. Raises NotFoundError, also for a job of another contract."""
    time_s = max(0.0, min(longest_s, request.time_left_s - SPARE_S))
    return map(_known, context.watch(job_id_of(request), time_s))


def _known(job: Job) -> Job:
    if job.dialect != NAME:
        raise unknown_request()
    return job


def _wants_logs(request: Request) -> bool:
    return request.query.get("logs", ("",))[-1].lower() in {"1", "true"}


_ACTIONS: Final[dict[tuple[str, str], AccountHandler]] = {
    ("GET", ""): result,
    ("GET", "/status"): status,
    ("GET", "/status/stream"): stream,
    ("PUT", "/cancel"): cancel,
}
ACCOUNT_ROUTES: Final = {
    (method, f"{prefix}{APP}/requests/{{id}}{rest}"): handle
    for prefix in ("", QUEUE)
    for (method, rest), handle in _ACTIONS.items()
}
