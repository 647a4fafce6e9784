"""API Gateway's REST proxy integration: events to requests, and responses to answers. No other module sees an event.

A function whose integrations stream is told so by a stage variable, since events are alike: without it, an event comes
from a direct invocation or another proxy, which want one document. Source: API Gateway developer guide, "Lambda proxy
integrations" (event and answer format 1.0).
"""

import base64
import binascii
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from cutout.api.body.coding import decoded_body
from cutout.api.request import Headers, Request, Response
from cutout.api.routing import AnyEndpoint, Endpoint, find_endpoint, sharing
from cutout.aws import telemetry
from cutout.aws.streamed_answer import StreamedAnswer
from cutout.errors import CutoutError, InvalidRequestError, ServiceFaultError
from cutout.settings import Settings

Event = Mapping[str, Any]
STREAMS: Final = ("transfer_mode", "STREAM")
"""The stage variable, and its value, where the integrations of streaming functions stream."""


def lambda_handler(
    endpoints: Callable[[], Sequence[AnyEndpoint]], settings: Callable[[], Settings], *, streaming: bool = False
) -> telemetry.Handler:
    """Make the handler of a function.

    Args:
        endpoints: Gives the function's endpoints.
        settings: Gives the configuration.
        streaming: Whether the function's integrations stream (``ResponseTransferMode`` of its events), and its runtime
            can.

    Returns:
        The handler.
    """

    def handler(event: Event, context: Any) -> dict[str, Any] | StreamedAnswer:
        time_left_s = context.get_remaining_time_in_millis() / 1000
        return serve(event, endpoints(), time_left_s, settings().public_url, streaming=streaming)

    return telemetry.instrumented(handler, tracing=settings().tracing)


def serve(
    event: Event, endpoints: Sequence[AnyEndpoint], time_left_s: float, public_url: str = "", *, streaming: bool = False
) -> dict[str, Any] | StreamedAnswer:
    """Answer one proxy event by the endpoint of its route.

    Args:
        event: The proxy event.
        endpoints: The function's endpoints.
        time_left_s: Seconds after which the process may be killed.
        public_url: The service's own URL; empty: the one that the client called.
        streaming: Whether the function streams to those who take it.

    Returns:
        The integration answer. A CutoutError is written by the endpoint's contract; anything else is logged and
        becomes a bare 500.
    """
    started = time.perf_counter()
    request = to_request(event, time_left_s)
    request = replace(request, public_url=public_url, streams=streaming and _takes_stream(event))
    telemetry.request_started(request)
    response = _respond(find_endpoint(endpoints, request), request, event)
    telemetry.request_ended(request, response, (time.perf_counter() - started) * 1000)
    return to_answer(response, request)


def _respond(endpoint: AnyEndpoint, request: Request, event: Event) -> Response:
    rate_headers: Mapping[str, str] = {}
    try:
        request = _with_body(request, event)
        if isinstance(endpoint, Endpoint):
            return endpoint.handle(request)
        admission = endpoint.authenticate(request)
        rate_headers = endpoint.rate_headers(admission.rate)
        endpoint.authorize(admission)
        response = endpoint.handle(admission, request)
    except CutoutError as error:
        response = _failed(endpoint, error, request)
    except Exception:  # noqa: BLE001 - the last line of defence: no client may see more than a bare 500
        telemetry.logger.exception("unexpected error")
        response = _failed(endpoint, ServiceFaultError("Something went wrong on our side."), request)
    return replace(response, headers={**rate_headers, **response.headers})


def to_request(event: Event, time_left_s: float) -> Request:
    """Read the request in a proxy event, without its body.

    Args:
        event: The proxy event.
        time_left_s: Seconds after which the process may be killed.

    Returns:
        The request.
    """
    headers = event.get("multiValueHeaders") or {}
    query = event.get("multiValueQueryStringParameters") or {}
    return Request(
        method=event["httpMethod"],
        route=event["resource"],
        path=event["path"],
        headers=Headers((name, value) for name, values in headers.items() for value in values),
        query={name: tuple(values) for name, values in query.items()},
        path_parameters=event.get("pathParameters") or {},
        request_id=f"req_{event['requestContext']['requestId']}",
        base_path=_base_path(event),
        time_left_s=time_left_s,
    )


def to_answer(response: Response, request: Request) -> dict[str, Any] | StreamedAnswer:
    """Write a response as an integration answer, with the CORS headers that let every page read it.

    Args:
        response: The response.
        request: Its request.

    Returns:
        The answer; where the request does not stream, a body that is not JSON or text is base64.
    """
    headers = {
        "content-type": response.media_type,
        **response.headers,
        "x-request-id": request.request_id,
    }
    headers |= sharing(headers)
    if request.method == "HEAD":
        response = replace(response, body=b"")
    head = {"statusCode": response.status, "multiValueHeaders": {name: [value] for name, value in headers.items()}}
    if request.streams:
        return StreamedAnswer(head, telemetry.sent(response))
    body, textual = response.content, response.media_type.startswith(("application/json", "text/"))
    return {
        **head,
        "body": body.decode() if textual else base64.b64encode(body).decode("ascii"),
        "isBase64Encoded": not textual,
    }


def _takes_stream(event: Event) -> bool:
    name, value = STREAMS
    return bool((event.get("stageVariables") or {}).get(name) == value)


def _base_path(event: Event) -> str:
    """Find the path before a route without parameters: the stage, or the mapping of a custom domain."""
    path = event["requestContext"].get("path", "").rstrip("/")
    return str(path.removesuffix(event["resource"])) if path.endswith(event["resource"]) else ""


def _with_body(request: Request, event: Event) -> Request:
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except binascii.Error as error:
        raise InvalidRequestError("The body of the event is not base64.") from error
    return replace(request, body=decoded_body(request.headers.get("content-encoding", ""), body))


def _failed(endpoint: AnyEndpoint, error: CutoutError, request: Request) -> Response:
    response = endpoint.problem(error, request)
    telemetry.request_failed(error, response.status)
    return response
