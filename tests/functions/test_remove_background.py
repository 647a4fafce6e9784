"""The removal function in this process, with the true model and moto behind it: what no HTTP test can arrange."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from cutout.container import container
from functions.remove_background.app import handler
from local import ROOT
from tests.support.builders import proxy_event
from tests.support.process_state import forget

LIVE = {"x-api-key": "local-development-key", "content-type": "image/jpeg"}
PHOTO = (ROOT / "docs" / "images" / "chelsea.jpg").read_bytes()
CONTEXT = SimpleNamespace(
    function_name="remove",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:remove",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 29_000,
)


pytestmark = pytest.mark.usefixtures("cloud")


def call(event: dict[str, Any]) -> dict[str, Any]:
    return handler(event, CONTEXT)


def code_of(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"])["error"]["code"]


def test_an_answer_below_the_limit_stays_in_the_response_and_nothing_is_stored(monkeypatch):
    monkeypatch.setenv("CUTOUT_INLINE_LIMIT_BYTES", "100000")
    answer = call(proxy_event("POST", "/v2", LIVE, PHOTO, {"channels": "alpha"}))
    assert answer["statusCode"] == 200
    assert base64.b64decode(answer["body"]).startswith(b"\x89PNG")
    assert boto3.client("s3").list_objects_v2(Bucket=container().settings.results_bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"content-type": "image/jpeg"}, {"api_key": "local-development-key"}, PHOTO),
        (
            {"content-type": "application/json"},
            {},
            json.dumps({"key": "local-development-key", "image": base64.b64encode(PHOTO).decode()}).encode(),
        ),
    ],
    ids=["query", "json"],
)
def test_legacy_keys_work_only_where_the_setting_allows_them(monkeypatch, headers, query, body):
    event = proxy_event("POST", "/v2", headers, body, query)
    assert code_of(call(event)) == (401, "missing_api_key")
    container.cache_clear()
    monkeypatch.setenv("CUTOUT_LEGACY_KEYS", "true")
    assert call(event)["statusCode"] == 200


def test_a_model_that_is_not_there_is_a_503_that_names_no_path(monkeypatch, tmp_path):
    (tmp_path / "manifest.toml").write_bytes((ROOT / "models" / "manifest.toml").read_bytes())
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(tmp_path))
    answer = call(proxy_event("POST", "/v2", LIVE, PHOTO))
    assert code_of(answer) == (503, "service_unavailable")
    assert str(tmp_path) not in answer["body"]
    assert code_of(call(proxy_event("GET", "/internal/health"))) == (503, "service_unavailable")


def test_a_table_that_is_away_is_a_503_with_retry_after(monkeypatch, own_clients):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")  # nobody listens there
    answer = call(proxy_event("POST", "/v2", LIVE, PHOTO))
    assert code_of(answer) == (503, "service_unavailable")
    assert answer["multiValueHeaders"]["retry-after"] == ["1"]


def test_a_bad_key_is_refused_before_the_body_is_looked_at():
    event = proxy_event("POST", "/v2", {"x-api-key": "wrong"}, b"not an image")
    assert code_of(call(event)) == (403, "invalid_api_key")


def test_where_the_model_is_too_slow_to_be_waited_for_a_request_is_told_what_to_do_instead(monkeypatch):
    monkeypatch.setenv("CUTOUT_SYNCHRONOUS", "false")
    forget()
    answer = call(proxy_event("POST", "/v2", LIVE, PHOTO))
    assert code_of(answer) == (504, "timeout")
    message = json.loads(answer["body"])["error"]["message"]
    assert "Prefer: respond-async" in message
    assert "POST /v2/jobs" in message
    assert call(proxy_event("POST", "/v2", LIVE | {"prefer": "respond-async"}, PHOTO))["statusCode"] == 202
