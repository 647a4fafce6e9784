"""fal's clients, unmodified: PyPI fal-client over TLS and plain HTTP, npm @fal-ai/client; and the documented curls.

Requests that clients would send again are counted: none of our errors may start a storm.
"""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image

from tests.clients.real_clients import FOLDER, run_curl
from tests.conftest import FileServer
from tests.dialects.pictures import cat
from tests.support.local_service import Service
from tests.support.node_packages import install, node
from tests.support.tls_proxy import TlsFront, tls_front
from tests.support.webhook_receiver import Receiver

SIZE = (180, 120)
SCRIPT = Path(__file__).parent / "fal_python.py"


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fal") / "cat.jpg"
    path.write_bytes(cat(*SIZE, "JPEG"))
    return path


@pytest.fixture(scope="module")
def front(service: Service, tmp_path_factory) -> Iterator[TlsFront]:
    with tls_front(service.url, tmp_path_factory.mktemp("fal-front")) as running:
        yield running


@pytest.fixture
def endless(file_server: FileServer) -> Iterator[str]:
    """The URL of an image that does not come while the test runs: whoever opens the pipe waits for its other end."""
    pipe = file_server.folder / f"{uuid4()}.png"
    os.mkfifo(pipe)
    yield f"{file_server.url}/{pipe.name}"
    with pipe.open("r+b", buffering=0) as other_end:
        other_end.write(b"x")


@dataclass(frozen=True)
class Python:
    """The PyPI package in processes of its own."""

    environment: dict[str, str]

    def __call__(self, *step: str) -> Any:
        command = [sys.executable, "-W", "error::DeprecationWarning:fal_client", str(SCRIPT), *step]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=["tls", "plain"])
def python(request: pytest.FixtureRequest, service: Service, photo: Path) -> Python:
    """Over TLS by the variables of the environment, and over plain HTTP by the package's constants."""
    environment = {"PATH": os.environ["PATH"], "FAL_KEY": service.key, "PHOTO": str(photo)}
    if request.param == "plain":
        return Python(environment | {"PLAIN": service.url, "REST": service.url})
    front: TlsFront = request.getfixturevalue("front")
    hosts = {"FAL_RUN_HOST": front.authority, "FAL_QUEUE_RUN_HOST": f"{front.authority}/queue"}
    trust = {"SSL_CERT_FILE": str(front.ca_file), "REST": f"https://{front.authority}"}
    return Python(environment | hosts | trust)


@pytest.fixture
def over_tls(front: TlsFront, service: Service, photo: Path) -> Python:
    return Python(
        {
            "PATH": os.environ["PATH"],
            "FAL_KEY": service.key,
            "PHOTO": str(photo),
            "FAL_RUN_HOST": front.authority,
            "FAL_QUEUE_RUN_HOST": f"{front.authority}/queue",
            "SSL_CERT_FILE": str(front.ca_file),
            "REST": f"https://{front.authority}",
        }
    )


def is_output(output: dict[str, Any], seed: int | None = 7) -> None:
    """The cat on the left is there, the ground on the right is not."""
    image = output["image"]
    assert (image["width"], image["height"], image["content_type"]) == (*SIZE, "image/png")
    data = requests.get(image["url"], timeout=30).content
    assert len(data) == image["file_size"]
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", SIZE)
    alpha = np.asarray(picture)[..., 3]
    assert alpha[60, 60] == 255
    assert alpha[5, -5] == 0
    assert output["seed"] == seed if seed is not None else isinstance(output["seed"], int)


class TestPython:
    def test_run(self, python):
        is_output(python("run"))

    def test_submit_by_handle_and_by_id(self, python):
        told = python("submit")

        assert told["first"] in {"Queued", "InProgress", "Completed"}
        assert told["same"] == [True, True, True]
        is_output(told["result"])
        again = python("result", told["request_id"])
        assert again["status"] == "Completed"
        assert again["logs"][-1]["message"] == "Request ended: succeeded."
        is_output(again["result"])

    def test_subscribe_with_updates(self, python):
        told = python("subscribe")

        is_output(told["result"], seed=None)
        assert told["seen"][-1] == "Completed"
        assert set(told["seen"]) <= {"Queued", "InProgress", "Completed"}
        assert len(told["queued"]) == 1

    def test_subscribe_asynchronously(self, python):
        is_output(python("asynchronous"), seed=None)

    @pytest.mark.parametrize("repository", ["fal_v3", "fal"])
    def test_upload_and_run(self, python, repository):
        told = python("upload", repository)

        assert told["url"].endswith("/cat.png")
        is_output(told["result"])
        if told["url"].startswith("http://"):
            assert requests.get(told["url"], timeout=30).content.startswith(b"\x89PNG")

    def test_cancel(self, python, endless):
        told = python("cancel", endless)

        assert told["status"]["error_type"] == "gone"
        assert (told["again"]["status"], told["get"]["status"]) == (400, 410)
        assert told["again"]["message"] == "The request has ended already."

    @pytest.mark.parametrize(
        ("step", "status", "requests_sent"), [("bad_input", 422, 1), ("other_app", 404, 1), ("stream", None, 1)]
    )
    def test_a_refusal_is_told_and_is_not_sent_again(self, front, over_tls, step, status, requests_sent):
        before = len(front.seen)
        told = over_tls(step)

        assert told["status"] == status
        assert told["message"]
        assert len(front.seen) - before == requests_sent

    def test_the_details_of_a_refusal_arrive(self, python):
        told = python("bad_input")

        assert [(item["loc"], item["type"]) for item in told["message"]] == [(["body", "seed"], "int_type")]

    def test_a_job_that_failed_raises_its_error(self, python):
        told = python("failed_job")

        assert (told["status"], told["type"]) == (422, "unsupported_image_format")
        assert told["message"][0]["loc"] == ["body", "image_url"]

    def test_a_webhook_is_verified_by_the_key_set(self, python, service, hooks: Receiver):
        path = f"/refuse/1/{uuid4()}"
        told = python("submit", hooks.url(path))

        while len(hooks.at(path)) < 2:
            time.sleep(0.2)
        first, second = hooks.at(path)
        assert (first.status, second.status) == (500, 204)
        for delivery in (first, second):
            event = verified(delivery, service)
            assert event["request_id"] == told["request_id"]
            assert event["status"] == "OK"
            is_output(event["payload"])


def verified(delivery: Any, service: Service) -> dict[str, Any]:
    """As the vendor documents it for receivers, with the time within five minutes."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    lines = [headers[f"x-fal-webhook-{name}"] for name in ("request-id", "user-id", "timestamp")]
    assert abs(time.time() - int(lines[2])) < 300
    message = "\n".join([*lines, hashlib.sha256(delivery.body).hexdigest()]).encode()
    for key in requests.get(f"{service.url}/.well-known/jwks.json", timeout=30).json()["keys"]:
        x = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        Ed25519PublicKey.from_public_bytes(x).verify(bytes.fromhex(headers["x-fal-webhook-signature"]), message)
    event: dict[str, Any] = json.loads(delivery.body)
    return event


@pytest.fixture
def javascript(service: Service, photo: Path) -> Any:
    install(FOLDER)
    environment = {
        "PATH": os.environ["PATH"],
        "FAL_KEY": service.key,
        "SERVICE": service.url,
        "PHOTO": str(photo),
        "NODE_NO_WARNINGS": "1",
    }

    def step(*arguments: str) -> Any:
        command = [node(), str(FOLDER / "fal.cjs"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return step


class TestJavaScript:
    def test_run(self, javascript):
        told = javascript("run")

        is_output(told["ok"]["data"])
        assert told["ok"]["requestId"]

    @pytest.mark.parametrize("mode", ["subscribe", "streaming"])
    def test_subscribe(self, javascript, mode):
        told = javascript(mode)["ok"]

        is_output(told["data"])
        assert told["seen"][-1]["status"] == "COMPLETED"
        assert "Request ended: succeeded." in told["seen"][-1]["logs"]

    def test_the_queue_step_by_step(self, javascript):
        told = javascript("queue")["ok"]

        assert (told["submitted"]["status"], told["submitted"]["queue_position"]) == ("IN_QUEUE", 0)
        assert told["status"]["status"] == "COMPLETED"
        is_output(told["result"]["data"], seed=None)
        assert told["result"]["requestId"] == told["requestId"]

    def test_a_blob_in_the_input_is_uploaded(self, javascript):
        told = javascript("blob")

        is_output(told["ok"]["data"], seed=None)
        assert any("/storage/upload/initiate?storage_type=fal-cdn-v3" in url for url in told["urls"])

    def test_upload_and_subscribe(self, javascript):
        told = javascript("upload")["ok"]

        assert told["url"].endswith("/cat.jpg")
        is_output(told["result"]["data"], seed=None)
        assert requests.get(told["url"], timeout=30).content.startswith(b"\xff\xd8")

    def test_cancel(self, javascript, endless):
        told = javascript("cancel", endless)["ok"]

        assert (told["status"], told["error_type"]) == ("COMPLETED", "gone")

    def test_a_webhook_is_delivered(self, javascript, service, hooks: Receiver):
        path = f"/{uuid4()}"
        told = javascript("webhook", hooks.url(path))["ok"]

        while not hooks.at(path):
            time.sleep(0.2)
        event = verified(hooks.at(path)[0], service)
        assert event["request_id"] == told["request_id"]
        is_output(event["payload"], seed=None)

    @pytest.mark.parametrize(
        ("step", "kind", "status"),
        [("badInput", "ValidationError", 422), ("failedJob", "ValidationError", 422), ("otherApp", "ApiError", 404)],
    )
    def test_a_refusal_is_of_its_class_and_is_not_sent_again(self, javascript, step, kind, status):
        told = javascript(step)

        assert (told["failed"]["kind"], told["failed"]["status"]) == (kind, status)
        assert told["failed"]["requestId"]
        assert told["failed"]["body"]["detail"]
        final = told["urls"][-1]
        assert told["urls"].count(final) == 1


class TestCurl:
    def test_the_documented_call(self, service, photo, tmp_path):
        uri = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
        (tmp_path / "input.json").write_text(json.dumps({"image_url": uri}))
        status, headers, body = run_curl(
            f"{service.url}/fal-ai/ben/v2/image",
            *("--request", "POST", "--header", f"Authorization: Key {service.key}"),
            *("--header", "Content-Type: application/json", "--data", "@input.json"),
            folder=tmp_path,
        )

        assert status == 200
        assert headers["x-fal-request-id"]
        is_output(json.loads(body), seed=None)

    def test_the_documented_calls_of_the_queue(self, service, file_server: FileServer, photo, tmp_path):
        (file_server.folder / "fal-curl.jpg").write_bytes(photo.read_bytes())
        key = ("--header", f"Authorization: Key {service.key}")
        url = f"{service.url}/queue/fal-ai/ben/v2/image?fal_webhook={quote('https://receiver.invalid/x')}"
        data = json.dumps({"image_url": f"{file_server.url}/fal-curl.jpg"})
        _, _, body = run_curl(url, *key, "--json", data, folder=tmp_path)
        request = f"{service.url}/queue/fal-ai/ben/requests/{json.loads(body)['request_id']}"

        status, headers, stream = run_curl(f"{request}/status/stream?logs=1", *key, folder=tmp_path)
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert json.loads(stream.decode().strip().split("\n\n")[-1].removeprefix("data: "))["status"] == "COMPLETED"
        assert run_curl(f"{request}/status", *key, folder=tmp_path)[0] == 200
        is_output(json.loads(run_curl(request, *key, folder=tmp_path)[2]), seed=None)
        assert run_curl(f"{request}/cancel", *key, "--request", "PUT", folder=tmp_path)[0] == 400
