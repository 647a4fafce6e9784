"""Lambda's Invoke operation as an ASGI application, for functions that invoke functions.

Source: AWS Lambda API reference, "Invoke" (RequestResponse only: no function invokes asynchronously).
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import unquote

from local.gateway import Invoke, Scope, send_response
from local.pool import BusyError
from local.request_bodies import BodyReader, BodyTooLargeError, Receive, TooManyBodiesError
from local.responses import HttpResponse
from local.streaming import Send

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_NAME = re.compile(r"(?:arn:aws:lambda:[^:]+:\d+:function:|(?:\d+:)?function:)?([A-Za-z0-9_-]+)(?::[$A-Za-z0-9_-]+)?")
"""A name, a partial or a whole ARN, each with or without version or alias."""


class InvokeApi:
    """The ASGI application.

    Args:
        functions: Logical ids by function name.
        invoke: Runs a function.
    """

    def __init__(self, functions: Mapping[str, str], invoke: Invoke) -> None:
        self._functions = functions
        self._invoke = invoke
        self._bodies = BodyReader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        await send_response(send, partial(self._respond, scope, receive))

    async def _respond(self, scope: Scope, receive: Receive, request_id: str) -> HttpResponse:
        path = _PATH.fullmatch(scope["path"])
        if scope["method"] != "POST" or path is None:
            return _problem(404, "UnknownOperationException", "Only Invoke is served.")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if kind != "RequestResponse":
            return _problem(400, "InvalidParameterValueException", f"Invocation type {kind} is not served locally.")
        name = _NAME.fullmatch(unquote(path[1]))
        if name is None or name[1] not in self._functions:
            return _problem(404, "ResourceNotFoundException", f"Function not found: {path[1]}")
        try:
            async with self._bodies.read(receive, int(headers.get("content-length", "0"))) as body:
                return await self._run(self._functions[name[1]], body or b"{}", request_id)
        except BodyTooLargeError:
            return _problem(413, "RequestTooLargeException", "The payload is too large.")
        except (TooManyBodiesError, BusyError):
            return _problem(429, "TooManyRequestsException", "Rate Exceeded.")

    async def _run(self, function: str, payload: bytes, request_id: str) -> HttpResponse:
        try:
            json.loads(payload)
        except ValueError as error:
            return _problem(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
        outcome = await self._invoke(function, payload, request_id)
        fault = (("x-amz-function-error", "Unhandled"),) if outcome.fault else ()
        headers = (("content-type", "application/json"), ("x-amz-executed-version", "$LATEST"), *fault)
        return HttpResponse(200, headers, outcome.payload)


def _problem(status: int, kind: str, message: str) -> HttpResponse:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return HttpResponse(status, (("content-type", "application/json"), ("x-amzn-errortype", kind)), body)
