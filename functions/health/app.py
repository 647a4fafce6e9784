"""GET /v2/health, /health and /: cheap by default; ``?deep=true`` asks whether the model loads and runs.

Also the dialects' pages, which anyone may read.
"""

import cutout
from cutout.api.answers import json_answer
from cutout.api.dialects.registry import page_routes
from cutout.api.options import boolean
from cutout.api.request import Request, Response
from cutout.api.routing import AnyEndpoint, Endpoint
from cutout.aws import clients, model_health
from cutout.aws.api_gateway import lambda_handler
from cutout.container import container


def health(request: Request) -> Response:
    """Answer ``{"status": "ok"}``, with the model's name when asked deeply; 503 when the model does not load."""
    document: dict[str, object] = {"status": "ok", "service": "cutout", "version": cutout.__version__}
    deep = next(iter(request.query.get("deep", ())), "false")
    if boolean("deep", deep or "false"):
        document["model"] = model_health.check_model(clients.lambda_client(), container().settings.remove_function)[
            "model"
        ]
    return json_answer(document)


def endpoints() -> list[AnyEndpoint]:
    """List the function's endpoints."""
    own = [Endpoint("GET", route, health) for route in ("/v2/health", "/health", "/")]
    return [*own, *(Endpoint(*route, page, dialect.problem) for route, dialect, page in page_routes())]


handler = lambda_handler(endpoints, lambda: container().settings)
