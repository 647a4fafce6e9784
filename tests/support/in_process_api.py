"""The whole API in this process: requests go through the template's routes to the real handlers, moto is behind them.

``requests`` sends to :data:`URL` as to any server, and so do clients that are built on it. What runs is the code of the
functions with the default model; what is missing is the gateway's own limits and answers (see ``tests/local_service``).
"""

import importlib
import io
import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from local.events import HttpRequest, proxy_event
from local.resources import Function, Template
from local.responses import GatewayErrors
from local.responses import HttpResponse as HttpAnswer
from local.responses import read_function_response as function_answer
from local.routing import RouteTable

URL = "http://cutout.test"


class InProcess(BaseAdapter):
    """A transport of ``requests`` that ends in the functions of a template."""

    def __init__(self, template: Template) -> None:
        super().__init__()
        self._template = template
        self._routes = RouteTable(template.routes)
        self._errors = GatewayErrors(template.gateway_responses)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer a request."""
        answer = self._answer(request)
        raw = HTTPResponse(
            io.BytesIO(answer.body), list(answer.headers), answer.status, preload_content=False, decode_content=False
        )
        response = requests.Response()
        response.status_code, response.raw, response.url, response.request = (
            answer.status,
            raw,
            str(request.url),
            request,
        )
        response.headers = requests.structures.CaseInsensitiveDict(answer.headers)
        return response

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, request: requests.PreparedRequest) -> HttpAnswer:
        path, _, query = str(request.path_url).partition("?")
        match = self._routes.match(str(request.method), path)
        request_id = str(uuid4())
        if match is None:
            return self._errors.answer("MISSING_AUTHENTICATION_TOKEN", request_id)
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        fields = tuple((name, v.decode("latin-1") if isinstance(v, bytes) else str(v)) for name, v in headers)
        host = () if any(name == "host" for name, _ in fields) else (("host", URL.partition("//")[2]),)
        http = HttpRequest(str(request.method), path, query, fields + host, _body(request), "127.0.0.1")
        event = proxy_event(http, match, self._template.stage, request_id)
        function = self._template.functions[match.route.function]
        return function_answer(json.dumps(_handler(function)(event, _context(function, request_id))).encode())


def session(template: Template, **headers: str) -> requests.Session:
    """A client of the API in this process that sends these headers with every request."""
    client = requests.Session()
    client.trust_env = False
    client.mount(URL, InProcess(template))
    client.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return client


def _body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body
    if body is None or isinstance(body, bytes):
        return body or b""
    return body.encode() if isinstance(body, str) else b"".join(body) if hasattr(body, "__iter__") else body.read()


def _handler(function: Function) -> Any:
    """Zip functions are one file each; here they are known by their folder, since all files have the same name."""
    module = function.module if "." in function.module else f"functions.{function.folder.name}.{function.module}"
    return getattr(importlib.import_module(module), function.attribute)


def _context(function: Function, request_id: str) -> SimpleNamespace:
    return SimpleNamespace(
        function_name=function.name,
        memory_limit_in_mb=function.memory_mb,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}",
        aws_request_id=request_id,
        get_remaining_time_in_millis=lambda: function.timeout_s * 1000,
    )
