"""The REST API as an ASGI application: requests become events, and the responses of functions become HTTP responses.

The module knows routes, events and responses; an ``Invoke`` runs the functions.
Differences from the cloud, on purpose: a body may have 64 MiB (there 10 MB, and 6 MB as an event), and a function may
use its whole timeout (there the integration ends after 29 s).
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import uuid4

from local.events import HttpRequest, proxy_event
from local.pool import BusyError
from local.request_bodies import BodyReader, BodyTooLargeError, ClientDisconnectedError, Receive, TooManyBodiesError
from local.resources import Template
from local.responses import GatewayErrors, HttpResponse, MalformedResponseError, read_function_response
from local.routing import Match, RouteTable
from local.streaming import Send, Sink, StreamedReply, send_start
from local.worker import Fault, Outcome

logger = logging.getLogger(__name__)

MAX_HEADER_BYTES = 10_240
"""Request line and header fields together (API Gateway quota)."""

Scope = Mapping[str, Any]


class Invoke(Protocol):
    """Runs functions."""

    def __call__(
        self, function: str, payload: bytes, request_id: str, sink: Sink | None = None, /
    ) -> Awaitable[Outcome]:
        """Run a function, by logical id, on an event (JSON). Raises BusyError.

        Args:
            function: The function.
            payload: The event.
            request_id: The id of the invocation.
            sink: Takes the pieces of a streamed answer; None: they become the payload of the outcome.
        """


class Gateway:
    """The ASGI application of one template.

    Args:
        template: Its routes, stage and gateway responses.
        invoke: Runs a function.
        bodies: Reads the bodies of requests; None: one with the usual limits.

    Raises:
        TemplateError: A gateway response uses a variable that is not known here.
    """

    def __init__(self, template: Template, invoke: Invoke, bodies: BodyReader | None = None) -> None:
        self._stage = template.stage
        self._stage_variables = template.stage_variables
        self._routes = RouteTable(template.routes)
        self._errors = GatewayErrors(template.gateway_responses)
        self._invoke = invoke
        self._bodies = bodies or BodyReader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        request_id = str(uuid4())
        reply = StreamedReply(send, request_id)
        try:
            response = await self._respond(scope, receive, request_id, reply)
        except ClientDisconnectedError:
            return
        if response is not None:
            await send_whole(send, response, request_id)

    async def _respond(
        self, scope: Scope, receive: Receive, request_id: str, reply: StreamedReply
    ) -> HttpResponse | None:
        """Make the response; None: it has been sent as a stream, or as much of it as there is."""
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
                request = HttpRequest(scope["method"], path, query, headers, body, source_ip, protocol, scope["scheme"])
                if match.route.streams:
                    async with _watching(reply, receive):
                        return await self._stream(request, match, request_id, reply)
                return await self._integrate(request, match, request_id)
        except BodyTooLargeError:
            return self._errors.answer("REQUEST_TOO_LARGE", request_id)
        except (TooManyBodiesError, BusyError):  # as Lambda at its concurrency limit
            return self._errors.answer("DEFAULT_5XX", request_id)

    async def _stream(
        self, request: HttpRequest, match: Match, request_id: str, reply: StreamedReply
    ) -> HttpResponse | None:
        """Invoke the function of a route whose integration streams. What breaks off in mid-stream gets no end."""
        payload = await asyncio.to_thread(self._event, request, match, request_id)
        outcome = await self._invoke(match.route.function, payload, request_id, reply.take)
        if reply.started and outcome.fault is None:
            await reply.end()
            return None
        problem = outcome.fault.value if outcome.fault else reply.problem or "the answer is not a stream"
        logger.error("%s: the stream of %s failed: %s", request_id, match.route.function, problem)
        return None if reply.started else self._failed(outcome, request_id)

    def _failed(self, outcome: Outcome, request_id: str) -> HttpResponse:
        kind = "INTEGRATION_TIMEOUT" if outcome.fault is Fault.TIMED_OUT else "DEFAULT_5XX"
        return self._errors.answer(kind, request_id)

    async def _integrate(self, request: HttpRequest, match: Match, request_id: str) -> HttpResponse:
        """Invoke the function of a route. Large bodies are encoded in a thread: the event loop serves others too."""
        payload = await asyncio.to_thread(self._event, request, match, request_id)
        outcome = await self._invoke(match.route.function, payload, request_id)
        if outcome.fault is not None:
            return self._failed(outcome, request_id)
        try:
            return await asyncio.to_thread(read_function_response, outcome.payload)
        except MalformedResponseError as error:
            logger.error("%s gave a malformed response: %s", match.route.function, error)  # noqa: TRY400
            return self._errors.answer("DEFAULT_5XX", request_id)

    def _event(self, request: HttpRequest, match: Match, request_id: str) -> bytes:
        event = proxy_event(request, match, self._stage, request_id, self._stage_variables)
        return json.dumps(event).encode()


@asynccontextmanager
async def _watching(reply: StreamedReply, receive: Receive) -> AsyncIterator[None]:
    """Let the reply know, while the block lasts, that the client has gone."""
    watcher = asyncio.create_task(reply.watch(receive))
    try:
        yield
    finally:
        watcher.cancel()


async def send_response(send: Send, make: Callable[[str], Awaitable[HttpResponse]]) -> None:
    """Send a response, unless the client has disconnected by then.

    Args:
        send: The ASGI channel.
        make: Makes the response for a new request id.
    """
    request_id = str(uuid4())
    try:
        response = await make(request_id)
    except ClientDisconnectedError:
        return
    await send_whole(send, response, request_id)


async def send_whole(send: Send, response: HttpResponse, request_id: str) -> None:
    """Send a response with its length.

    Args:
        send: The ASGI channel.
        response: The response.
        request_id: The id of the request.
    """
    await send_start(send, response, request_id, ("content-length", str(len(response.body))))
    await send({"type": "http.response.body", "body": response.body})
