"""POST /v2 (and every dialect's routes): an image in, a cutout out. Runs in the container image."""

from functools import partial

from cutout.api.answers import json_answer
from cutout.api.dialects.base import Dialect
from cutout.api.dialects.registry import removal_routes
from cutout.api.request import Request, Response
from cutout.api.routing import AnyEndpoint, Endpoint
from cutout.aws import model_health
from cutout.aws.api_gateway import lambda_handler
from cutout.container import container
from cutout.imaging.models.onnx import self_test
from cutout.usage import Admission


def remove(dialect: Dialect, admission: Admission, request: Request) -> Response:
    """Answer with the image, or with a job that will make it."""
    return container().removals.respond(dialect, admission, request)


def model_state(_: Request) -> Response:
    """Load the model and run it once, for the deep health check."""
    segmenter = container().segmenter
    self_test(segmenter)
    return json_answer({"status": "ok", "model": segmenter.name})


def endpoints() -> list[AnyEndpoint]:
    """List the function's endpoints."""
    removals = [
        container().dialect_endpoint(route, dialect, partial(remove, dialect)) for route, dialect in removal_routes()
    ]
    return [*removals, Endpoint("GET", model_health.ROUTE, model_state)]


handler = lambda_handler(endpoints, lambda: container().settings, streaming=True)


# the one import that does work: the init phase has a full core and is paid for
container().prepare_inside_lambda(lambda app: (app.access, app.removals))
