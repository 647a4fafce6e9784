import json

import pytest

from local.intrinsics import TemplateError
from local.resources import GatewayResponse
from local.responses import GatewayErrors, MalformedResponseError, read_function_response


def read(**response):
    return read_function_response(json.dumps(response).encode())


def test_a_text_body_is_sent_as_utf8_and_json_by_default():
    response = read(statusCode=200, body="grün")
    assert (response.status, response.body) == (200, "grün".encode())
    assert response.headers == (("content-type", "application/json"),)


def test_a_base64_body_is_decoded():
    assert read(statusCode=200, body="AAEC/w==", isBase64Encoded=True).body == b"\x00\x01\x02\xff"


def test_headers_of_both_kinds_are_sent_and_the_multi_value_form_wins():
    headers = read(
        statusCode="201",
        headers={"X-One": "a", "X-Two": 2, "X-Flag": True, "Content-Type": "image/png"},
        multiValueHeaders={"X-Many": ["b", "c"], "X-One": ["d"]},
    ).headers
    assert sorted(headers) == [
        ("content-type", "image/png"), ("x-flag", "true"), ("x-many", "b"), ("x-many", "c"), ("x-one", "d"),
        ("x-two", "2"),
    ]  # fmt: skip


def test_fields_that_only_the_gateway_sends_are_remapped():
    headers = dict(read(statusCode=200, headers={"Content-Length": "9", "Connection": "close"}).headers)
    assert headers["x-amzn-remapped-content-length"] == "9"
    assert headers["x-amzn-remapped-connection"] == "close"
    assert "content-length" not in headers


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        [],
        {},
        {"body": "x"},
        {"statusCode": "ok"},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 101},
        {"statusCode": 600},
        {"statusCode": 200, "cookies": []},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "ü", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}},
        {"statusCode": 200, "headers": {"x a": "1"}},
        {"statusCode": 200, "headers": {"x-a": "€"}},
        {"statusCode": 200, "headers": ["x-a"]},
        {"statusCode": 200, "multiValueHeaders": {"x-a": 1}},
    ],
)
def test_anything_else_is_malformed(answer):
    with pytest.raises(MalformedResponseError):
        read_function_response(json.dumps(answer).encode())


def test_a_gateway_error_has_the_wording_of_the_template():
    response = GatewayResponse(
        status=404,
        templates={"application/json": '{"id":"req_$context.requestId","m":$context.error.messageString}'},
        headers={"X-Request-Id": "context.requestId", "x-kind": "context.error.responseType", "retry-after": "'1'"},
    )
    answer = GatewayErrors({"MISSING_AUTHENTICATION_TOKEN": response}).answer("MISSING_AUTHENTICATION_TOKEN", "77")
    assert answer.status == 404
    assert json.loads(answer.body) == {"id": "req_77", "m": "Missing Authentication Token"}
    assert dict(answer.headers) == {
        "content-type": "application/json",
        "x-request-id": "77",
        "x-kind": "MISSING_AUTHENTICATION_TOKEN",
        "retry-after": "1",
    }


@pytest.mark.parametrize(("kind", "status"), [("THROTTLED", 429), ("INTEGRATION_TIMEOUT", 504), ("DEFAULT_5XX", 502)])
def test_a_type_without_a_response_has_the_default_wording_and_keeps_its_status(kind, status):
    text = {"application/json": "$context.error.responseType"}
    errors = GatewayErrors({
        "DEFAULT_4XX": GatewayResponse(None, text, {}), "DEFAULT_5XX": GatewayResponse(None, text, {}),
    })  # fmt: skip
    answer = errors.answer(kind, "1")
    assert (answer.status, answer.body) == (status, kind.encode())


def test_without_any_gateway_response_errors_have_the_wording_of_api_gateway():
    answer = GatewayErrors({}).answer("REQUEST_TOO_LARGE", "1")
    assert (answer.status, json.loads(answer.body)) == (413, {"message": "Request Too Long"})


def test_an_unknown_variable_is_refused_when_the_service_starts():
    with pytest.raises(TemplateError, match=r"identity\.sourceIp"):
        GatewayErrors({"THROTTLED": GatewayResponse(None, {"application/json": "$context.identity.sourceIp"}, {})})
