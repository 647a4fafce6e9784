"""Every sample event against the handler that template.yaml puts behind its route, with the stored model."""

import base64
import io
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from cutout import usage as metering
from cutout.api.dialects.registry import every_dialect
from cutout.aws import clients, model_health
from cutout.container import container
from events import make_events
from events.queue_events import queue_events
from local import ROOT
from local.cloud import client
from local.resources import Function, Template
from local.routing import RouteTable
from local.template import load_template

EVENTS = ROOT / "events"

# What each event is answered: the status, and the media type or the error's code.
ANSWERS: dict[str, tuple[int, str]] = {
    "api-remove-multipart": (200, "image/png"),
    "api-remove-multipart-options": (200, "image/jpeg"),
    "api-remove-multipart-base64": (200, "image/png"),
    "api-remove-json-legacy": (200, "application/json"),
    "api-remove-json": (200, "application/json"),
    "api-remove-raw": (200, "image/png"),
    "api-remove-url": (200, "image/png"),
    "api-remove-url-private": (400, "image_url_fetch_failed"),
    "api-remove-no-image": (400, "missing_image"),
    "api-remove-not-an-image": (400, "unsupported_image_format"),
    "api-remove-missing-key": (401, "missing_api_key"),
    "api-remove-unknown-key": (403, "invalid_api_key"),
    "api-remove-wrong-method": (405, "method_not_allowed"),
    "api-account": (200, "application/json"),
    "api-account-missing-key": (401, "missing_api_key"),
    "api-account-unknown-key": (403, "invalid_api_key"),
    "api-account-wrong-method": (405, "method_not_allowed"),
    "api-health": (200, "application/json"),
    "api-health-deep": (200, "application/json"),
    "api-health-plain": (200, "application/json"),
    "api-root": (200, "application/json"),
    "api-keys": (200, "application/json"),
    "api-usage": (200, "application/json"),
    "api-key-create": (201, "application/json"),
    "api-key-revoke-unknown": (404, "not_found"),
    "api-key-rotate-unknown": (404, "not_found"),
    "api-webhook-test-private": (400, "invalid_option"),
    "api-webhook-secret": (200, "application/json"),
    "api-admin-accounts": (403, "forbidden"),
    "api-admin-account": (403, "forbidden"),
    "api-admin-keys": (403, "forbidden"),
    "api-admin-key-revoke": (403, "forbidden"),
    "api-jobs": (200, "application/json"),
    "api-job-create": (202, "application/json"),
    "api-job-create-url": (202, "application/json"),
    "api-job-unknown": (404, "not_found"),
    "api-job-delete-unknown": (404, "not_found"),
    "api-upload-create": (201, "application/json"),
    "invoke-model-health": (200, "application/json"),
}

# What each event of a queue makes: results, by the keys of the uploads.
FIRST = "holiday photos/Kätzchen.jpg"
QUEUED: dict[str, set[str]] = {
    "sqs-upload": {FIRST},
    "sqs-upload-two-records": {FIRST, "second.jpg"},
    "sqs-upload-two-messages": {FIRST, "second.jpg"},
    "sqs-upload-test-event": set(),
    "sqs-job": set(),
    "sqs-webhook": set(),
}

TEMPLATE = load_template(ROOT / "template.yaml")


def function_of(event: dict[str, Any]) -> Function:
    """The function that the template puts behind an event's queue or route."""
    if "Records" in event:
        queue = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
        (name,) = {s.function for s in TEMPLATE.sources.values() if TEMPLATE.queues[s.queue].name == queue}
    elif event["resource"] == model_health.ROUTE:
        name = "RemoveBackgroundFunction"
    else:
        match = RouteTable(TEMPLATE.routes).match(event["httpMethod"], event["path"])
        assert match is not None
        name = match.route.function
    return TEMPLATE.functions[name]


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    function = function_of(event)
    context = SimpleNamespace(
        function_name=function.name,
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function.name}",
        aws_request_id="0c0ffee0-0000-4000-8000-000000000000",
        get_remaining_time_in_millis=lambda: function.timeout_s * 1000,
    )
    folder = "" if function.package == "Image" else f"functions.{function.folder.name}."
    answer: dict[str, Any] = import_module(f"{folder}{function.module}").handler(event, context)
    return answer


def body_of(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()


def json_of(answer: dict[str, Any]) -> Any:
    return json.loads(answer["body"])


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class LambdaService:
    """Lambda's Invoke, as far as the deep health check needs it: the function of this name runs here."""

    def __init__(self, function: str) -> None:
        self._function = function

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == self._function
        return {"Payload": io.BytesIO(json.dumps(invoke(json.loads(Payload))).encode())}


@pytest.fixture(autouse=True)
def _environment(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    removal = cloud.functions["RemoveBackgroundFunction"].name
    monkeypatch.setattr(clients, "lambda_client", lambda: LambdaService(f"{removal}:live"))


@pytest.fixture
def event(request: pytest.FixtureRequest, file_server: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A sample event; the photo that one of them wants fetched lies on a server on loopback."""
    event = load(request.param)
    if request.param == "api-remove-url":
        (Path(file_server.folder) / "chelsea.jpg").write_bytes(base64.b64decode(load("api-remove-raw")["body"]))
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        body = json.dumps({"image_url": f"{file_server.url}/chelsea.jpg", "channels": "rgba"}).encode()
        event |= {"body": base64.b64encode(body).decode()}
        event["multiValueHeaders"] = event["multiValueHeaders"] | {"Accept": ["image/*"]}
    return event


@pytest.mark.parametrize(("event", "name"), [(name, name) for name in ANSWERS], indirect=["event"], ids=list(ANSWERS))
def test_every_event_is_answered_as_the_contract_says(event: dict[str, Any], name: str) -> None:
    status, kind = ANSWERS[name]
    answer = invoke(event)
    assert answer["statusCode"] == status, answer["body"][:300]
    headers = {key: values[0] for key, values in answer["multiValueHeaders"].items()}
    assert headers["x-request-id"] == f"req_{event['requestContext']['requestId']}"
    if status < 400:
        assert headers["content-type"] == kind
    else:
        error = json_of(answer)["error"]
        assert (error["code"], error["status"]) == (kind, status)
        assert error["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(("name", "uploads"), QUEUED.items(), ids=list(QUEUED))
def test_every_event_of_a_queue_makes_the_results_of_its_uploads_once(name: str, uploads: set[str]) -> None:
    s3, names = client("s3"), container().settings
    for key in (FIRST, "second.jpg"):
        photo = base64.b64decode(load("api-remove-raw")["body"])
        s3.put_object(Bucket=names.uploads_bucket, Key=f"uploads/acct_local/{key}", Body=photo)
    assert invoke(load(name)) == {"batchItemFailures": []}
    listing = s3.list_objects_v2(Bucket=names.results_bucket).get("Contents", [])
    made = {item["Key"].removeprefix("results/acct_local/"): item["LastModified"] for item in listing}
    assert made.keys() == {f"{key}/{file}" for key in uploads for file in ("cutout.png", "result.json")}
    assert invoke(load(name)) == {"batchItemFailures": []}
    assert container().usage.total("acct_local", metering.month_of(datetime.now(UTC))).images == len(uploads)


def test_every_file_has_an_expected_answer_and_every_route_and_queue_a_file() -> None:
    names = {path.stem for path in EVENTS.glob("*.json")}
    queued = {name for name in names if name.startswith("sqs-")}
    assert names == set(ANSWERS) | set(QUEUED)
    of_dialects = {route for dialect in every_dialect() for _, route in dialect.every_route()} - {"/", "/v2"}
    own = {route.path for route in TEMPLATE.routes} - of_dialects
    assert {load(name)["resource"] for name in names - queued} == own | {model_health.ROUTE}
    fed = {source.function for source in TEMPLATE.sources.values()}
    assert {function_of(load(name)).logical_id for name in queued} == fed


def test_the_files_are_what_their_script_makes() -> None:
    assert queue_events(base64.b64decode(load("api-remove-raw")["body"])) == {name: load(name) for name in QUEUED}
    for name, case in make_events.cases().items():
        made, stored = make_events.proxy_event(name, case), load(name)
        varying = {"body", "headers", "multiValueHeaders"}  # another JPEG encoder may write other bytes
        assert {key: made[key] for key in made.keys() - varying} == {
            key: stored[key] for key in stored.keys() - varying
        }
        assert made["headers"].keys() == stored["headers"].keys()


def test_a_form_gives_a_cutout_of_the_photos_size() -> None:
    cutout = picture(body_of(invoke(load("api-remove-multipart"))))
    assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (256, 256))
    alpha = cutout.getchannel("A")
    assert alpha.getpixel((128, 128)) == 255, "the astronaut's suit is kept"
    assert alpha.getextrema()[0] == 0, "the background is gone"


def test_options_of_a_form_are_obeyed() -> None:
    flat = picture(body_of(invoke(load("api-remove-multipart-options"))))
    assert (flat.format, flat.mode) == ("JPEG", "RGB")
    assert flat.width <= 256
    assert flat.height <= 256


def test_the_old_json_form_gets_a_gray_mask_with_its_size() -> None:
    document = json_of(invoke(load("api-remove-json-legacy")))
    mask = picture(base64.b64decode(document["mask"]))
    assert (mask.format, mask.mode) == ("PNG", "L")
    assert mask.size == (document["width"], document["height"])


def test_the_new_json_form_gets_an_image_of_the_asked_format() -> None:
    document = json_of(invoke(load("api-remove-json")))
    image = picture(base64.b64decode(document["image"]))
    assert (image.format, image.mode) == ("WEBP", "RGBA")
    assert image.size == (document["width"], document["height"])


def test_an_account_hears_of_itself_and_its_key_notes_the_day_of_use(cloud: Template) -> None:
    document = json_of(invoke(load("api-account")))
    assert document["status"] == "ok"
    assert document["api_key"]["mode"] == "live"
    table = cloud.tables["AccountsTable"].name
    keys = [
        item
        for item in client("dynamodb").scan(TableName=table)["Items"]
        if item["pk"]["S"].startswith("KEY#") and "last_used_day" in item
    ]
    assert len(keys) == 1


def test_deep_health_names_the_model_and_plain_health_does_not() -> None:
    assert json_of(invoke(load("api-health-deep")))["model"] == "cutout-s"
    assert "model" not in json_of(invoke(load("api-health")))


def test_deep_health_fails_when_the_model_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(tmp_path))
    container.cache_clear()
    container.cache_clear()
    answer = invoke(load("api-health-deep"))
    container.cache_clear()
    assert answer["statusCode"] == 503
    assert json_of(answer)["error"]["code"] == "service_unavailable"


def test_an_answer_above_the_inline_limit_is_found_behind_a_redirect(
    cloud: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUTOUT_INLINE_LIMIT_BYTES", "1000")
    container.cache_clear()
    answer = invoke(load("api-remove-multipart"))
    assert answer["statusCode"] == 303
    bucket = cloud.buckets["ResultsBucket"].name
    listing = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [item["Key"].split("/")[:2] for item in listing] == [["results", "acct_local"]]
    assert listing[0]["Key"] in answer["multiValueHeaders"]["location"][0]
    stored = client("s3").get_object(Bucket=bucket, Key=listing[0]["Key"])["Body"].read()
    assert picture(stored).mode == "RGBA"
