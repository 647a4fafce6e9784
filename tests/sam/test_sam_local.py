"""The functions as SAM builds and runs them: in containers, from the zips and the image that would be deployed."""

import base64
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from local import ROOT
from local.cloud import client
from local.resources import Template
from tools import sam_local

Invoke = Callable[[str, str], dict[str, Any]]

IMAGE = "removebackgroundfunction:remove-background"
"""Name that `sam build` gives the image: the function's logical id and the template's DockerTag."""

pytestmark = pytest.mark.timeout(900)


def in_image(code: str) -> str:
    """What Python code prints inside the image that SAM built."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", IMAGE, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_layer_carries_the_package_and_its_needs_but_no_numpy(built: Path) -> None:
    packages = {path.name for path in (built / "CutoutLayer/python").iterdir()}
    assert {"cutout", "aws_lambda_powertools", "multipart.py", "urllib3", "tinycss2"} <= packages
    assert not {"numpy", "PIL", "onnxruntime"} & packages


def test_zips_hold_their_handler_only(built: Path) -> None:
    for function in ("AccountFunction", "AdminFunction", "HealthFunction", "JobsFunction", "WebhookFunction"):
        assert [path.name for path in (built / function).iterdir()] == ["app.py"]


def test_the_image_holds_one_model_and_no_leftovers(built: Path) -> None:
    assert built.exists()
    found = json.loads(
        in_image(
            "import json, pwd, shutil; from pathlib import Path; task = Path('/var/task');"
            "print(json.dumps({"
            "'models': sorted(p.name for p in (task / 'models').iterdir()),"
            "'sources': [str(p) for p in task.rglob('*.py') if not (p.parent / '__pycache__').exists()],"
            "'tests': [str(p) for p in task.rglob('tests')],"
            "'compilers': [c for c in ('gcc', 'cc', 'c++', 'make') if shutil.which(c)],"
            "'caches': [str(p) for p in (Path(pwd.getpwuid(0).pw_dir, '.cache'), Path('/build')) if p.exists()]}))"
        )
    )
    expected = ["cutout-s.onnx", "manifest.toml"]
    assert found == {"models": expected, "sources": [], "tests": [], "compilers": [], "caches": []}


def test_an_image_for_an_unknown_model_is_not_built(built: Path) -> None:
    assert built.exists()
    command = ["docker", "build", "--quiet", "--build-arg", "MODEL=nope", "."]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "no model 'nope' in the manifest" in result.stdout + result.stderr


def test_outside_lambda_the_image_runs_as_nobody(built: Path) -> None:
    assert built.exists()
    subprocess.run(["docker", "build", "--quiet", "--tag", "cutout:test", "."], cwd=ROOT, check=True)
    command = ["docker", "run", "--rm", "--entrypoint", "id", "cutout:test", "-u"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "65534"


def test_the_image_function_cuts_a_photo_out(invoke: Invoke) -> None:
    answer = invoke("RemoveBackgroundFunction", "api-remove-multipart")
    assert answer["statusCode"] == 200, answer
    assert answer["multiValueHeaders"]["content-type"] == ["image/png"]
    cutout = Image.open(io.BytesIO(base64.b64decode(answer["body"])))
    assert (cutout.mode, cutout.size) == ("RGBA", (256, 256))
    assert cutout.getchannel("A").getextrema() == (0, 255)


def test_one_command_makes_a_picture_without_a_deployed_stack(built: Path, tmp_path: Path) -> None:
    picture = tmp_path / "cutout.png"
    assert sam_local.main(["--build-dir", str(built), "--out", str(picture)]) == 0
    with Image.open(picture) as cutout:
        assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (256, 256))


def test_the_image_function_refuses_an_unknown_key(invoke: Invoke) -> None:
    answer = invoke("RemoveBackgroundFunction", "api-remove-unknown-key")
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["error"]["code"] == "invalid_api_key"


def test_the_image_function_tells_its_model(invoke: Invoke) -> None:
    answer = invoke("RemoveBackgroundFunction", "invoke-model-health")
    assert json.loads(answer["body"]) == {"status": "ok", "model": "cutout-s"}


def test_the_account_zip_knows_the_account_of_the_key(invoke: Invoke) -> None:
    answer = invoke("AccountFunction", "api-account")
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["api_key"]["valid"] is True


def test_the_health_zip_answers(invoke: Invoke) -> None:
    answer = invoke("HealthFunction", "api-health")
    assert json.loads(answer["body"])["status"] == "ok"


def test_the_jobs_zip_lists_jobs(invoke: Invoke) -> None:
    assert json.loads(invoke("JobsFunction", "api-jobs")["body"])["next_cursor"] is None


def test_the_admin_zip_refuses_a_key_that_is_no_administrators(invoke: Invoke) -> None:
    assert invoke("AdminFunction", "api-admin-accounts")["statusCode"] == 403


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("ProcessUploadFunction", "sqs-upload-test-event"),
        ("ProcessUploadFunction", "sqs-job"),
        ("WebhookFunction", "sqs-webhook"),
    ],
)
def test_a_function_of_a_queue_is_done_with_what_asks_for_nothing(invoke: Invoke, function: str, event: str) -> None:
    assert invoke(function, event) == {"batchItemFailures": []}


def test_the_upload_image_makes_a_result(invoke: Invoke, moto_url: str, template: Template) -> None:
    s3 = client("s3", moto_url)
    photo = base64.b64decode(json.loads((ROOT / "events/api-remove-raw.json").read_text())["body"])
    key = "holiday photos/Kätzchen.jpg"
    s3.put_object(Bucket=template.buckets["UploadsBucket"].name, Key=f"uploads/acct_local/{key}", Body=photo)
    assert invoke("ProcessUploadFunction", "sqs-upload") == {"batchItemFailures": []}
    place = {"Bucket": template.buckets["ResultsBucket"].name, "Key": f"results/acct_local/{key}/cutout.png"}
    assert Image.open(io.BytesIO(s3.get_object(**place)["Body"].read())).mode == "RGBA"
