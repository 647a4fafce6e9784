"""GET /v2/health, /health and /: cheap by default; ``?deep=true`` asks whether the model loads and runs.

Also the dialects' pages, which anyone may read.
"""

import cutout
from cutout import container as warm
from cutout.api.answers import json_answer
from cutout.api.dialects.registry import pages
from cutout.api.options import boolean
from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.aws import clients, model_health
from cutout.aws.api_gateway import lambda_handler


def health(request: Request) -> Response:
    """``{"status": "ok"}``, with the model's name when asked deeply; 503 when the model does not load."""
    document: dict[str, object] = {"status": "ok", "service": "cutout", "version": cutout.__version__}
    deep = next(iter(request.query.get("deep", ())), "false")
    if boolean("deep", deep or "false"):
        document["model"] = model_health.ask(clients.lambda_client(), warm.settings().remove_function)["model"]
    return json_answer(document)


ENDPOINTS = [Endpoint("GET", route, health) for route in ("/v2/health", "/health", "/")] + [
    Endpoint(method, route, page, dialect.problem) for (method, route), dialect, page in pages()
]

handler = lambda_handler(ENDPOINTS)
