"""The handlers under Lambda's own runtime client and emulator, without Docker."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from local import ROOT
from local.cloud import client, create_cloud, seed_account
from local.resources import Template
from tests.sam.conftest import unavailable
from tools.emulator import Emulator, aws_server, emulator_path
from tools.sam_local import LOCAL_KEY

Invoke = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def moto_url(template: Template) -> Iterator[str]:
    """A moto server on loopback with the template's tables, buckets and account."""
    with aws_server() as url:
        create_cloud(template, url)
        seed_account(template.tables["AccountsTable"].name, LOCAL_KEY, url)
        yield url


@pytest.fixture
def invoke(template: Template, moto_url: str, tmp_path: Path) -> Iterator[Invoke]:
    """Run a function on events/NAME.json, in one environment a function and test."""
    try:
        emulator_path()
    except FileNotFoundError as error:
        unavailable(str(error))
    variables = {"AWS_ENDPOINT_URL": moto_url, "CUTOUT_MODELS_DIR": str(ROOT / "models")}
    running: dict[str, Emulator] = {}
    with (tmp_path / "log").open("w") as log:

        def run(logical_id: str, name: str) -> dict[str, Any]:
            if logical_id not in running:
                running[logical_id] = Emulator(template.functions[logical_id], variables, log).__enter__()
            answer: dict[str, Any] = running[logical_id].invoke(json.loads((ROOT / f"events/{name}.json").read_text()))
            return answer

        yield run
        for emulator in running.values():
            emulator.__exit__(None, None, None)


def test_a_photo_is_cut_out_and_the_answer_passes_the_runtime_unharmed(invoke: Invoke) -> None:
    answer = invoke("RemoveBackgroundFunction", "api-remove-multipart")
    assert answer["statusCode"] == 200, answer
    cutout = Image.open(io.BytesIO(base64.b64decode(answer["body"])))
    assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (256, 256))


def test_an_environment_answers_again_after_a_bad_request(invoke: Invoke) -> None:
    assert invoke("RemoveBackgroundFunction", "api-remove-not-an-image")["statusCode"] == 400
    assert invoke("RemoveBackgroundFunction", "api-remove-unknown-key")["statusCode"] == 403
    assert invoke("RemoveBackgroundFunction", "api-remove-raw")["statusCode"] == 200


def test_the_model_is_loaded_in_the_init_phase(invoke: Invoke, tmp_path: Path) -> None:
    assert json.loads(invoke("RemoveBackgroundFunction", "invoke-model-health")["body"])["model"] == "cutout-s"
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith('{"level"')]
    assert [line["cold_start"] for line in lines if line["message"] == "response"] == [True]


def test_a_key_is_found_in_the_table_and_its_day_of_use_is_stored(
    invoke: Invoke, moto_url: str, template: Template
) -> None:
    answer = invoke("AccountFunction", "api-account")
    assert json.loads(answer["body"])["account"]["plan"] == "unlimited"
    items = client("dynamodb", moto_url).scan(TableName=template.tables["AccountsTable"].name)["Items"]
    assert len([item for item in items if "last_used_day" in item]) == 1


def test_an_upload_becomes_a_result_under_the_runtime_client(invoke: Invoke, moto_url: str, template: Template) -> None:
    s3 = client("s3", moto_url)
    photo = base64.b64decode(json.loads((ROOT / "events/api-remove-raw.json").read_text())["body"])
    key = "holiday photos/Kätzchen.jpg"
    s3.put_object(Bucket=template.buckets["UploadsBucket"].name, Key=f"uploads/acct_local/{key}", Body=photo)
    assert invoke("ProcessUploadFunction", "sqs-upload") == {"batchItemFailures": []}
    place = {"Bucket": template.buckets["ResultsBucket"].name, "Key": f"results/acct_local/{key}/cutout.png"}
    assert Image.open(io.BytesIO(s3.get_object(**place)["Body"].read())).mode == "RGBA"


def test_the_zip_functions_start_and_answer(invoke: Invoke) -> None:
    assert json.loads(invoke("JobsFunction", "api-jobs")["body"])["next_cursor"] is None
    assert invoke("AdminFunction", "api-admin-accounts")["statusCode"] == 403
    assert invoke("WebhookFunction", "sqs-webhook") == {"batchItemFailures": []}


def test_health_answers_on_all_its_routes_from_one_environment(invoke: Invoke) -> None:
    answers = [invoke("HealthFunction", name) for name in ("api-health", "api-health-plain", "api-root")]
    assert [json.loads(answer["body"])["status"] for answer in answers] == ["ok"] * 3


def test_logs_hold_no_key_and_no_body(invoke: Invoke, tmp_path: Path) -> None:
    invoke("RemoveBackgroundFunction", "api-remove-json-legacy")
    invoke("AccountFunction", "api-account")
    log = (tmp_path / "log").read_text()
    assert '"status":200' in log
    assert LOCAL_KEY not in log
    event = json.loads((ROOT / "events/api-remove-json-legacy.json").read_text())
    assert base64.b64decode(event["body"]).decode()[40:140] not in log
