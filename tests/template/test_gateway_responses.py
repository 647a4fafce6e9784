"""What the gateway answers by itself must look like what the functions answer."""

import json
from typing import Any

import pytest

from cutout.api.problems import STATUS
from cutout.api.routing import sharing
from local import ROOT
from local.intrinsics import read_yaml

RESPONSES: dict[str, Any] = read_yaml((ROOT / "template.yaml").read_text())["Resources"]["Api"]["Properties"][
    "GatewayResponses"
]

EXPECTED = {
    "DEFAULT_4XX": (400, "invalid_request"),
    "DEFAULT_5XX": (503, "service_unavailable"),
    "API_CONFIGURATION_ERROR": (500, "internal_error"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found"),
    "RESOURCE_NOT_FOUND": (404, "not_found"),
    "INVALID_SIGNATURE": (404, "not_found"),
    "WAF_FILTERED": (403, "invalid_request"),
    "REQUEST_TOO_LARGE": (413, "image_too_large"),
    "THROTTLED": (429, "rate_limited"),
    "INTEGRATION_TIMEOUT": (504, "timeout"),
}


def body_of(kind: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(RESPONSES[kind]["ResponseTemplates"]["application/json"])
    return body


def error_of(kind: str) -> dict[str, Any]:
    error: dict[str, Any] = body_of(kind)["error"]
    return error


def test_every_response_is_told_here() -> None:
    assert set(RESPONSES) == set(EXPECTED)


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_response_has_the_contracts_shape_status_and_code(kind: str) -> None:
    error = error_of(kind)
    assert list(error) == ["code", "message", "status", "request_id", "details"]
    assert (error["status"], error["code"]) == EXPECTED[kind]
    assert RESPONSES[kind]["StatusCode"] == error["status"]
    assert error["request_id"] == "req_$context.requestId"
    assert error["message"].endswith(".")
    assert RESPONSES[kind]["ResponseParameters"]["Headers"]["x-request-id"] == "context.requestId"


@pytest.mark.parametrize("kind", sorted(EXPECTED.keys() - {"WAF_FILTERED"}))  # no code of the contract is its 403
def test_a_code_has_the_status_that_the_functions_give_it(kind: str) -> None:
    status, code = EXPECTED[kind]
    assert {value for error, value in STATUS.items() if error.code == code} == {status}


@pytest.mark.parametrize("kind", ["THROTTLED", "DEFAULT_5XX"])
def test_what_a_retry_may_cure_says_when(kind: str) -> None:
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    assert headers["retry-after"] == f"'{error_of(kind)['details']['retry_after_s']}'"


@pytest.mark.parametrize("kind", EXPECTED)
def test_the_clients_of_every_contract_find_the_members_that_they_read(kind: str) -> None:
    body, error = body_of(kind), error_of(kind)
    status, code, message = error["status"], error["code"], error["message"]
    assert body.pop("error") is not None
    assert body.pop("errors") == [{"title": message, "detail": message, "code": code}]  # remove.bg
    assert body.pop("detail") == message  # fal, Photoroom, Picsart, API4AI, rembg
    assert (body.pop("code"), body.pop("message")) == (status, message)  # Picsart
    assert (body.pop("status_code"), body.pop("type")) == (status, code)  # Photoroom
    assert body.pop("error_type") == code  # fal
    assert body == {}


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_page_of_any_site_may_read_a_response_with_all_its_headers(kind: str) -> None:
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    own = {name for name in headers if not name.startswith("access-control-")}
    assert own
    assert {name: headers[name] for name in headers.keys() - own} == {
        name: f"'{value}'" for name, value in sharing(own).items()
    }
