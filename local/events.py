"""HTTP requests as events of a REST API with Lambda proxy integration.

Source: API Gateway developer guide, "Set up Lambda proxy integrations in API Gateway", section "Input format of a
Lambda function for proxy integration". With the binary media type ``*/*`` every body arrives in base64.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.routing import Match
from local.template import ACCOUNT

API_ID = "localapi00"
"""The id of the API in events."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the server read it.

    Attributes:
        path: As in the request line, percent-encoded.
        query: As in the request line, without ``?``.
        headers: Pairs of name, in lower case, and value.
        source_ip: Address of the client.
        scheme: http, or https where a proxy that is trusted says so.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"
    scheme: str = "http"


def proxy_event(
    request: HttpRequest, match: Match, stage: str, request_id: str, stage_variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Make the event of a request that matched a route.

    Args:
        request: The request.
        match: Its route and path parameters.
        stage: Name of the stage.
        request_id: A UUID, as API Gateway makes them.
        stage_variables: The stage's variables.
    """
    headers = _multi([*request.headers, ("x-forwarded-for", request.source_ip), ("x-forwarded-proto", request.scheme)])
    query = _multi(parse_qsl(request.query, keep_blank_values=True))
    return {
        "resource": match.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(match.path_parameters) or None,
        "stageVariables": dict(stage_variables) if stage_variables else None,
        "requestContext": _request_context(request, match, stage, request_id),
        "body": base64.b64encode(request.body).decode("ascii") if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def _request_context(request: HttpRequest, match: Match, stage: str, request_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    fields = dict(request.headers)
    domain = fields.get("host", "localhost")
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "deploymentId": "local",
        "domainName": domain,
        "domainPrefix": domain.split(".", 1)[0],
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": _identity(request.source_ip, fields.get("user-agent")),
        "path": request.path,
        "protocol": request.protocol,
        "requestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": match.route.path,
        "stage": stage,
    }


def _identity(source_ip: str, user_agent: str | None) -> dict[str, str | None]:
    return {
        "accessKey": None,
        "accountId": None,
        "caller": None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": source_ip,
        "user": None,
        "userAgent": user_agent,
        "userArn": None,
    }


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: several[-1] for name, several in values.items()}
