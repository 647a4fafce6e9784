import base64
import io
import json
from functools import partial

import pytest

from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.aws import api_gateway as gateway
from cutout.aws import telemetry
from cutout.errors import InvalidImageError

TIME_LEFT_S = 29.0
serve = partial(gateway.serve, time_left_s=TIME_LEFT_S)
to_request = partial(gateway.to_request, time_left_s=TIME_LEFT_S)


def event(**changes: object) -> dict[str, object]:
    return {
        "resource": "/echo",
        "path": "/echo",
        "httpMethod": "POST",
        "headers": {"X-A": "2"},
        "multiValueHeaders": {"X-A": ["1", "2"], "Content-Type": ["text/plain"]},
        "queryStringParameters": {"q": "b"},
        "multiValueQueryStringParameters": {"q": ["a", "b"]},
        "pathParameters": {"id": "7"},
        "requestContext": {"requestId": "abc"},
        "body": base64.b64encode(b"\xffbody").decode(),
        "isBase64Encoded": True,
    } | changes


def echo(request: Request) -> Response:
    return Response(200, "image/png", request.body, {"x-seen": request.headers["x-a"]})


def fail(_: Request) -> Response:
    raise InvalidImageError("broken", {"format": "png"})


def crash(_: Request) -> Response:
    raise RuntimeError("secret ct_live_abc")


ENDPOINTS = [Endpoint("POST", "/echo", echo), Endpoint("GET", "/fail", fail), Endpoint("GET", "/crash", crash)]


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    """What the logger writes during the test."""
    stream = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    return stream


def test_an_event_becomes_a_request():
    request = to_request(event())
    assert (request.method, request.route, request.path) == ("POST", "/echo", "/echo")
    assert request.headers["x-a"] == "1, 2"
    assert request.query == {"q": ("a", "b")}
    assert request.path_parameters == {"id": "7"}
    assert (request.request_id, request.time_left_s) == ("req_abc", TIME_LEFT_S)


@pytest.mark.parametrize(
    ("resource", "path", "base"),
    [("/v2", "/v2", ""), ("/v2", "/prod/v2", "/prod"), ("/v2/jobs", "/images/v2/jobs/", "/images"), ("/v2", None, ""),
     ("/v2/jobs/{id}", "/prod/v2/jobs/7", ""), ("/", "/prod/", "")],
)  # fmt: skip
def test_what_a_client_wrote_before_the_route_is_known(resource, path, base):
    context = {"requestId": "abc"} | ({"path": path} if path else {})
    assert to_request(event(resource=resource, requestContext=context)).base_path == base


def test_an_event_without_headers_or_query_is_a_request_too():
    request = to_request(event(multiValueHeaders=None, multiValueQueryStringParameters=None, pathParameters=None))
    assert (len(request.headers), request.query, request.path_parameters) == (0, {}, {})


def test_bytes_go_in_and_out_as_base64():
    answer = serve(event(), ENDPOINTS)
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\xffbody"
    assert answer["multiValueHeaders"] == {
        "content-type": ["image/png"],
        "x-seen": ["1, 2"],
        "x-request-id": ["req_abc"],
        "access-control-allow-origin": ["*"],
        "access-control-expose-headers": ["x-request-id, x-seen"],
    }


def test_a_plain_text_body_is_taken_as_it_is():
    assert base64.b64decode(serve(event(body="é", isBase64Encoded=False), ENDPOINTS)["body"]) == "é".encode()


def test_a_known_error_is_written_with_its_code_and_logged_with_the_request_id(log, capsys):
    answer = serve(event(resource="/fail", httpMethod="GET"), ENDPOINTS)
    error = json.loads(answer["body"])["error"]
    assert answer["statusCode"] == error["status"] == 400
    assert (error["code"], error["request_id"], error["details"]) == ("invalid_image", "req_abc", {"format": "png"})
    logged = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {line["request_id"] for line in logged} == {"req_abc"}
    assert [line["message"] for line in logged] == ["request", "problem", "response"]
    counted = json.loads(capsys.readouterr().out)
    assert (counted["code"], counted["Errors"]) == ("invalid_image", [1.0])


def test_an_unknown_error_is_a_bare_500_that_tells_nothing():
    answer = serve(event(resource="/crash", httpMethod="GET"), ENDPOINTS)
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"], error["details"]) == (500, "internal_error", {})
    assert "secret" not in answer["body"]


@pytest.mark.parametrize(("method", "route", "status"), [("DELETE", "/echo", 405), ("GET", "/nowhere", 404)])
def test_what_no_endpoint_answers_is_refused(method, route, status):
    assert serve(event(resource=route, httpMethod=method), ENDPOINTS)["statusCode"] == status


def test_a_preflight_is_answered_without_the_endpoint():
    answer = serve(event(resource="/crash", httpMethod="OPTIONS"), ENDPOINTS)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert answer["multiValueHeaders"]["access-control-allow-methods"] == ["GET, HEAD"]


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "/fail"), ("GET", "/crash"), ("GET", "/nowhere"), ("PUT", "/echo")]
)
def test_a_page_may_read_errors_too(method, route):
    headers = serve(event(resource=route, httpMethod=method), ENDPOINTS)["multiValueHeaders"]
    assert headers["access-control-allow-origin"] == ["*"]
    assert "x-request-id" in headers["access-control-expose-headers"][0].split(", ")


def test_head_has_the_headers_of_get_and_no_body():
    endpoints = [Endpoint("GET", "/a", lambda _: Response(200, "application/json", b"{}"))]
    answer = serve(event(resource="/a", httpMethod="HEAD"), endpoints)
    assert (answer["statusCode"], answer["body"]) == (200, "")


def test_neither_keys_nor_bodies_nor_queries_are_logged(log):
    headers = {"X-Api-Key": ["ct_live_topsecret"], "Authorization": ["Bearer ct_live_topsecret"], "X-A": ["1"]}
    query = {"key": ["ct_live_topsecret"], "image_url": ["http://u:topsecret@a"]}
    body = base64.b64encode(b"topsecret").decode()
    serve(event(multiValueHeaders=headers, multiValueQueryStringParameters=query, body=body), ENDPOINTS)
    assert log.getvalue().count("\n") == 2
    assert "topsecret" not in log.getvalue()
