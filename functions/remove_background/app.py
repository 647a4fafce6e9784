"""POST /v2 (and every dialect's routes): an image in, a cutout out. Runs in the container image."""

from functools import partial

from cutout import container as warm
from cutout.api.answers import json_answer
from cutout.api.dialects.base import Dialect, Outcome
from cutout.api.dialects.registry import removals
from cutout.api.headers import REPLAYED
from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.aws import model_health, telemetry
from cutout.aws.api_gateway import lambda_handler
from cutout.imaging.models.onnx import self_test
from cutout.services.async_removal import once_job


def remove(dialect: Dialect, request: Request) -> Response:
    """Admit, parse, do, answer: with the image, or with a job that will make it."""
    key = dialect.credential(request, legacy=warm.settings().legacy_keys)
    admitted = warm.admission().admit(request, key, keyless=dialect.keyless)
    caller, charge = admitted.caller, None
    order = dialect.parse(request)
    may_begin = partial(warm.admission().require_quota, caller.account, caller.key.mode)
    if order.later:
        ordered = warm.deferral().defer(caller, order, may_begin)
        telemetry.job_ordered(ordered.job, again=ordered.again)
        return dialect.accepted(request, ordered.job, warm.results().links(), again=ordered.again)
    if order.idempotency_key:
        job = once_job(caller, order)
        work = partial(warm.removal().fetch_and_make, caller, order, job.id)
        result, again = warm.once().run(job, work, may_begin, request.time_left_s)
        request.answer_headers.update(REPLAYED if again else {})
    else:
        may_begin()
        order = warm.removal().take(caller, order)
        dialect.receive(request, order)
        result, charge = warm.removal().make(caller, order, request.request_id)
    place = f"results/{caller.account.id}/{request.request_id}"
    keep = partial(warm.results().keep, result, f"{place}-image")
    outcome = Outcome(result, warm.admission().standing(admitted), charge is not None, keep)
    answer = warm.results().deliver(dialect.answer(request, order, outcome), place)
    warm.meter().count(charge)  # what is done once is charged with its job
    return answer


def model_state(_: Request) -> Response:
    """For the deep health check: load the model and run it once."""
    segmenter = warm.segmenter()
    self_test(segmenter)
    return json_answer({"status": "ok", "model": segmenter.name})


ENDPOINTS = [
    Endpoint(method, route, partial(remove, dialect), dialect.problem) for (method, route), dialect in removals()
] + [Endpoint("GET", model_health.ROUTE, model_state)]

handler = lambda_handler(ENDPOINTS)


warm.prepare_inside_lambda()  # the one import that does work: the init phase has a full core and is paid for
