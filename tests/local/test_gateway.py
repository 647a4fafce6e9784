"""The ASGI application with a function that is a coroutine of the test."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
import pytest

from local.gateway import MAX_HEADER_BYTES, Gateway
from local.pool import BusyError
from local.request_bodies import BodyReader
from local.template import load_template
from local.worker import Fault, Outcome

TEMPLATE = load_template(Path(__file__).parent / "toy.yaml")


class Function:
    """Records its events and ends as it was set up."""

    def __init__(self, answer: object = None, fault: Fault | None = None, error: Exception | None = None) -> None:
        self.invoked: list[tuple[str, dict, str]] = []
        self._outcome = Outcome(json.dumps({"statusCode": 204} if answer is None else answer).encode(), fault)
        self._error = error

    async def __call__(self, function: str, payload: bytes, request_id: str) -> Outcome:
        self.invoked.append((function, json.loads(payload), request_id))
        if self._error:
            raise self._error
        return self._outcome


def send(function: Function, method: str, path: str, bodies: BodyReader | None = None, **more) -> httpx.Response:
    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(Gateway(TEMPLATE, function, bodies))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **more)

    return asyncio.run(scenario())


def test_a_request_reaches_the_function_of_its_route_as_an_event():
    function = Function()
    send(function, "PUT", "/rest/a%20b/c?q=1&q=2", content=b"\xff", headers={"X-Thing": "y"})
    ((name, event, request_id),) = function.invoked
    assert name == "Echo"
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/rest/{proxy+}", "/rest/a%20b/c", "PUT")
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["headers"]["x-thing"] == "y"
    assert base64.b64decode(event["body"]) == b"\xff"
    assert event["requestContext"]["requestId"] == request_id
    assert event["requestContext"]["stage"] == "prod"


def test_the_functions_response_is_sent_unchanged():
    answer = {
        "statusCode": 201,
        "multiValueHeaders": {"content-type": ["image/png"], "x-many": ["a", "b"]},
        "body": base64.b64encode(b"\x89PNG").decode(),
        "isBase64Encoded": True,
    }
    response = send(Function(answer), "GET", "/echo")
    assert (response.status_code, response.content) == (201, b"\x89PNG")
    assert response.headers["content-type"] == "image/png"
    assert response.headers.get_list("x-many") == ["a", "b"]
    assert response.headers["content-length"] == "4"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("GET", "/only"), ("POST", "/things/1")])
def test_a_request_without_a_route_gets_a_gateway_response_and_invokes_nothing(method, path):
    function = Function()
    response = send(function, method, path)
    error = response.json()["error"]
    assert response.status_code == 404
    assert (error["code"], error["id"]) == ("not_found", "req_" + response.headers["x-request-id"])
    assert response.headers["x-made-by"] == "gateway"
    assert function.invoked == []


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (Function(fault=Fault.UNHANDLED), 502),
        (Function(fault=Fault.EXITED), 502),
        (Function(fault=Fault.TIMED_OUT), 504),
        (Function({"no": "status"}), 502),
        (Function("text"), 502),
        (Function(error=BusyError()), 502),
    ],
)
def test_a_function_without_a_valid_response_gets_a_gateway_response(function, status):
    response = send(function, "GET", "/echo")
    assert response.status_code == status
    assert response.json().keys() == {"message"}


def test_a_body_above_the_limit_is_refused_before_the_function_sees_it():
    function = Function()
    response = send(function, "POST", "/echo", BodyReader(max_body_bytes=10), content=b"x" * 11)
    assert (response.status_code, function.invoked) == (413, [])


def test_bodies_of_too_many_requests_together_are_refused():
    assert send(Function(), "POST", "/echo", BodyReader(max_held_bytes=10), content=b"x" * 11).status_code == 502


def test_a_request_line_and_headers_above_the_quota_are_refused():
    function = Function()
    response = send(function, "GET", "/echo", headers={"x-long": "x" * MAX_HEADER_BYTES})
    assert (response.status_code, function.invoked) == (431, [])


def test_every_response_carries_a_request_id_of_its_own():
    ids = {send(Function(), "GET", "/echo").headers["x-amzn-requestid"] for _ in range(3)}
    assert len(ids) == 3
