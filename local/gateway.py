"""The REST API on a laptop: an ASGI application that turns requests into events and functions' answers into responses.

Knows routes, events and answers; how a function is run is the ``Invoke`` that it is given.
Differences from the cloud, on purpose: a body may have 64 MiB (there 10 MB, and 6 MB as an event), and a function may
use its whole timeout (there the integration ends after 29 s).
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from local.answers import GatewayErrors, HttpAnswer, MalformedAnswerError, function_answer
from local.bodies import Bodies, BodiesTooManyError, BodyTooLargeError, ClientGoneError, Receive
from local.events import HttpRequest, proxy_event
from local.pool import BusyError
from local.resources import Template
from local.routing import Match, RouteTable
from local.worker import Fault, Outcome

logger = logging.getLogger(__name__)

MAX_HEADER_BYTES = 10_240
"""Request line and header fields together (API Gateway quota)."""

Invoke = Callable[[str, bytes, str], Awaitable[Outcome]]
"""Runs a function by logical id on an event (JSON) under a request id. Raises BusyError."""
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Scope = Mapping[str, Any]


class Gateway:
    """The ASGI application of one template."""

    def __init__(self, template: Template, invoke: Invoke, bodies: Bodies | None = None) -> None:
        self._stage = template.stage
        self._routes = RouteTable(template.routes)
        self._errors = GatewayErrors(template.gateway_responses)
        self._invoke = invoke
        self._bodies = bodies or Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        await respond(send, partial(self._answer, scope, receive))

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> HttpAnswer:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        if len(path) + len(query) + sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
            return self._errors.answer("DEFAULT_4XX", request_id)
        match = self._routes.match(scope["method"], path)
        if match is None:
            return self._errors.answer("MISSING_AUTHENTICATION_TOKEN", request_id)
        try:
            async with self._bodies.read(receive, int(dict(headers).get("content-length", "0"))) as body:
                source_ip = (scope["client"] or ("127.0.0.1",))[0]
                protocol = f"HTTP/{scope['http_version']}"
                request = HttpRequest(scope["method"], path, query, headers, body, source_ip, protocol)
                return await self._integrate(request, match, request_id)
        except BodyTooLargeError:
            return self._errors.answer("REQUEST_TOO_LARGE", request_id)
        except (BodiesTooManyError, BusyError):
            return self._errors.answer("THROTTLED", request_id)

    async def _integrate(self, request: HttpRequest, match: Match, request_id: str) -> HttpAnswer:
        """Invoke the function of a route. Large bodies are coded in a thread: the event loop serves others too."""
        payload = await asyncio.to_thread(self._event, request, match, request_id)
        outcome = await self._invoke(match.route.function, payload, request_id)
        if outcome.fault is Fault.TIMED_OUT:
            return self._errors.answer("INTEGRATION_TIMEOUT", request_id)
        if outcome.fault is not None:
            return self._errors.answer("DEFAULT_5XX", request_id)
        try:
            return await asyncio.to_thread(function_answer, outcome.payload)
        except MalformedAnswerError as error:
            logger.error("%s gave a malformed answer: %s", match.route.function, error)  # noqa: TRY400
            return self._errors.answer("DEFAULT_5XX", request_id)

    def _event(self, request: HttpRequest, match: Match, request_id: str) -> bytes:
        return json.dumps(proxy_event(request, match, self._stage, request_id)).encode()


async def respond(send: Send, made: Callable[[str], Awaitable[HttpAnswer]]) -> None:
    """Send the answer that ``made`` gives for a new request id, unless the client is gone by then."""
    request_id = str(uuid4())
    try:
        answer = await made(request_id)
    except ClientGoneError:
        return
    fields = [*answer.headers, ("x-amzn-requestid", request_id), ("content-length", str(len(answer.body)))]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
