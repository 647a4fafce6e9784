"""POST /v2 (and every dialect's routes): an image in, a cutout out. Runs in the container image."""

from functools import partial

from cutout import accounts
from cutout.api.answers import json_answer
from cutout.api.dialects import Dialect, dialects
from cutout.api.request import Request, Response
from cutout.api.routes import Endpoint
from cutout.api.sources import SourceKind, load
from cutout.aws import model_health, telemetry, warm
from cutout.aws.gateway import lambda_handler
from cutout.imaging.pipeline import cut_out
from cutout.imaging.predict import check


def remove(dialect: Dialect, request: Request) -> Response:
    """Authenticate, parse, do, answer."""
    settings = warm.settings()
    caller = accounts.authenticate(dialect.credential(request, legacy=settings.legacy_keys), warm.key_store())
    telemetry.caller_known(caller.account.id, caller.key.fingerprint, caller.key.mode)
    order = dialect.parse(request)
    image = load(order.source, {SourceKind.URL: warm.fetch_image}, settings.limits.max_bytes)
    result = cut_out(image, order.spec, warm.segmenter(), settings.limits)
    telemetry.image_made(result)
    answer = dialect.answer(order, result)
    return warm.results().deliver(answer, f"results/{caller.account.id}/{request.request_id}")


def model_state(_: Request) -> Response:
    """For the deep health check: load the model and run it once."""
    segmenter = warm.segmenter()
    check(segmenter)
    return json_answer({"status": "ok", "model": segmenter.name})


ENDPOINTS = [
    Endpoint(method, route, partial(remove, dialect), dialect.problem)
    for (method, route), dialect in dialects().items()
] + [Endpoint("GET", model_health.ROUTE, model_state)]

handler = lambda_handler(ENDPOINTS)


warm.prepare_inside_lambda()  # the one import that does work: the init phase has a full core and is paid for
