"""HTTP responses of the gateway: the response of a function, read strictly, or an error of the gateway itself.

Source: API Gateway developer guide, "Output format of a Lambda function for proxy integration" and "Gateway response
types for API Gateway".
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.intrinsics import TemplateError
from local.resources import GatewayResponse

_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_REMAPPED = {
    "authorization", "connection", "content-length", "date", "host", "server", "transfer-encoding", "upgrade",
    "www-authenticate",
}  # fmt: skip
"""Fields that only the gateway sends; a function's own arrive as ``x-amzn-remapped-<name>``."""
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")

_ERRORS: Mapping[str, tuple[int, str]] = {
    "DEFAULT_4XX": (431, "Request header fields too large"),
    "DEFAULT_5XX": (502, "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "THROTTLED": (429, "Too Many Requests"),
}
"""API Gateway's own status and message by response type."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response as it is sent; header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class MalformedResponseError(ValueError):
    """A function's response that the gateway does not accept; the message says why."""


def read_function_response(payload: bytes) -> HttpResponse:
    """Read the response of a function.

    Args:
        payload: The return value of the handler, as JSON.

    Raises:
        MalformedResponseError: API Gateway would answer 502 for it.
    """
    response = json.loads(payload)
    if not isinstance(response, dict) or "statusCode" not in response:
        raise MalformedResponseError("no statusCode")
    if response.keys() - _KEYS:
        raise MalformedResponseError(f"unknown keys: {', '.join(sorted(response.keys() - _KEYS))}")
    try:
        status = int(response["statusCode"])
    except (TypeError, ValueError) as error:
        raise MalformedResponseError(f"statusCode {response['statusCode']!r}") from error
    if not 200 <= status <= 599:  # noqa: PLR2004 - the statuses of final responses
        raise MalformedResponseError(f"statusCode {status}")
    return HttpResponse(status, tuple(_headers(response)), _body(response))


def read_head(front: bytes) -> HttpResponse:
    """Read the head of a streamed answer, which has no body.

    Args:
        front: What stands before the separator.

    Raises:
        MalformedResponseError: API Gateway would answer 502 for it.
    """
    try:
        document = json.loads(front)
    except ValueError as error:
        raise MalformedResponseError("the head is not JSON") from error
    if isinstance(document, dict) and {"body", "isBase64Encoded"} & document.keys():
        raise MalformedResponseError("a body in the head")
    return read_function_response(front)


def _headers(response: Mapping[str, Any]) -> list[tuple[str, str]]:
    single, several = response.get("headers") or {}, response.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(several, dict):
        raise MalformedResponseError("headers are not objects")
    if not all(isinstance(values, list) for values in several.values()):
        raise MalformedResponseError("a value of multiValueHeaders is not a list")
    pairs = [(name.lower(), value) for name, values in several.items() for value in values]
    pairs += [(name.lower(), value) for name, value in single.items() if name not in several]
    fields = []
    for name, value in pairs:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(text):
            raise MalformedResponseError(f"header {name!r}")
        fields.append((f"x-amzn-remapped-{name}" if name in _REMAPPED else name, text))
    if "content-type" not in dict(fields):
        fields.append(("content-type", "application/json"))
    return fields


def _body(response: Mapping[str, Any]) -> bytes:
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponseError("body is not a string")
    if not response.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedResponseError("body is not base64") from error


class GatewayErrors:
    """The gateway's own errors, worded by the template's gateway responses, else as API Gateway words them.

    Raises:
        TemplateError: A gateway response uses a variable that is not known here.
    """

    def __init__(self, responses: Mapping[str, GatewayResponse]) -> None:
        self._responses = responses
        for kind in responses:
            self.answer(kind, "")

    def answer(self, kind: str, request_id: str) -> HttpResponse:
        """Make the response of an error.

        Args:
            kind: A gateway response type (``THROTTLED``). A type that the template does not word has the wording of
                ``DEFAULT_4XX`` or ``DEFAULT_5XX``.
            request_id: The id of the request.
        """
        status, message = _ERRORS.get(kind, (400, kind))
        fallback = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"  # noqa: PLR2004
        response = self._responses.get(kind) or self._responses.get(fallback) or GatewayResponse(None, {}, {})
        context = {
            "requestId": request_id,
            "extendedRequestId": request_id,
            "error.message": message,
            "error.messageString": json.dumps(message),
            "error.responseType": kind,
        }
        template = response.templates.get("application/json", '{"message":$context.error.messageString}')
        body = _VARIABLE.sub(lambda match: _look_up(context, match[1]), template)
        headers = [
            (name.lower(), source[1:-1] if source[0] == "'" else _look_up(context, source.removeprefix("context.")))
            for name, source in response.headers.items()
        ]
        return HttpResponse(response.status or status, (("content-type", "application/json"), *headers), body.encode())


def _look_up(context: Mapping[str, str], name: str) -> str:
    if name not in context:
        raise TemplateError(f"a gateway response uses $context.{name}, which is not known locally")
    return context[name]
