"""The routes of submitted requests in the queue: status, stream, result and cancel."""

import json
from collections.abc import Iterator
from typing import Final

from cutout.accounts import KeyMode
from cutout.api.answers import foreground_of, json_answer
from cutout.api.dialects.context import AccountContext, AccountHandler
from cutout.api.dialects.fal.addresses import APP, NAME, QUEUE, id_for_answer, job_id_of, public_id, unknown_request
from cutout.api.dialects.fal.documents import job_output, reply, status_code, status_document
from cutout.api.request import Request, Response
from cutout.errors import ConflictError, JobEndedError, NotFoundError
from cutout.jobs.job import Job

STREAM_S: Final = 12.0
"""Seconds to wait for a stream, or for a result that is not ready: clients close a stream after 15 s."""
HOLD_S: Final = 1.0
"""Seconds to delay a status without changes: a client that would poll ten times a second then polls once."""
SPARE_S: Final = 5.0
"""Seconds of the function's time reserved for the rest of its work."""


def status(request: Request, context: AccountContext) -> Response:
    """Answer with the status of a request, after waiting up to HOLD_S for a change."""
    jobs = _watch(request, context, HOLD_S)
    first = next(jobs)
    job = first if first.state.is_final else next(jobs, first)
    return reply(status_document(job, logs=_wants_logs(request)), public_id(job), status_code(job))


def stream(request: Request, context: AccountContext) -> Response:
    """Answer with server-sent events, one per change, all together at the end of the request or after STREAM_S."""
    logs = _wants_logs(request)
    events = [json.dumps(status_document(job, logs=logs)) for job in _watch(request, context, STREAM_S)]
    body = "".join(f"data: {event}\n\n" for event in events).encode()
    headers = {"x-fal-request-id": id_for_answer(request), "cache-control": "no-store"}
    return Response(200, "text/event-stream", body, headers)


def result(request: Request, context: AccountContext) -> Response:
    """Answer with the output of a request, after waiting up to STREAM_S for it.

    Args:
        request: The HTTP request.
        context: The account's jobs.

    Returns:
        The response.

    Raises:
        ConflictError: The request has not ended.
        CutoutError: The error of the request.
    """
    *_, job = _watch(request, context, STREAM_S)
    if not job.state.is_final:
        raise ConflictError("Request is still in progress.")
    found = job.result.foreground if job.result else None
    units = int(job.charged_mode is not KeyMode.SYNTHETIC and found is not None)
    answer = reply(job_output(job, context.links()), public_id(job), units=units)
    return answer.with_headers({"x-foreground": foreground_of(found)})


def cancel(request: Request, context: AccountContext) -> Response:
    """Cancel a request."""
    try:
        job_id = _require_own(context.find(job_id_of(request))).id
        context.cancel(job_id)
    except NotFoundError as error:
        answer = json_answer({"status": "NOT_FOUND", "detail": error.message}, 404)
    except JobEndedError:
        answer = json_answer({"status": "ALREADY_COMPLETED", "detail": "The request has ended already."}, 400)
    else:
        answer = json_answer({"status": "CANCELLATION_REQUESTED"}, 202)
    return Response(answer.status, answer.media_type, answer.body, {"x-fal-request-id": id_for_answer(request)})


def _watch(request: Request, context: AccountContext, longest_s: float) -> Iterator[Job]:
    """Follow the job in the path. Raises NotFoundError, also for a job of another contract."""
    time_s = max(0.0, min(longest_s, request.time_left_s - SPARE_S))
    return map(_require_own, context.watch(job_id_of(request), time_s))


def _require_own(job: Job) -> Job:
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
