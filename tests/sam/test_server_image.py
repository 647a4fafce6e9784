"""`docker build --target server` and `docker run`, as docs/container.md says it; nothing of it may need the network."""

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import yaml

from local import ROOT
from tests.sam.conftest import unavailable
from tests.server.contracts import CONTRACTS, reference
from tools.sam_local import docker

BASE_IMAGE = "python:3.13-slim"
KEY = "key-of-the-environment"
PHOTO = ROOT / "docs/images/chelsea.jpg"
SAFE = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "4g")


@pytest.fixture(scope="module")
def image() -> str:
    for command, reason in (
        (("version",), "no Docker engine answers"),
        (("image", "inspect", BASE_IMAGE), f"{BASE_IMAGE} is missing: docker pull it, or run tests/sam/base_image.sh"),
    ):
        try:
            docker(*command)
        except (subprocess.CalledProcessError, FileNotFoundError):
            unavailable(reason)
    docker("build", "--target", "server", "--tag", "cutout-server-test", str(ROOT))
    return "cutout-server-test"


@pytest.fixture
def volume() -> Iterator[str]:
    name = docker("volume", "create", f"cutout-test-{uuid4().hex}")
    yield name
    docker("volume", "rm", "--force", name)


@contextmanager
def running(image: str, volume: str, *options: str, port: int | str = "") -> Iterator[tuple[str, httpx.Client]]:
    """A container, once it is healthy, and a client of it."""
    name = f"cutout-test-{uuid4().hex}"
    published = ("--publish", f"127.0.0.1:{port}:8585", "--volume", f"{volume}:/data", "--env", f"BEN_API_TOKEN={KEY}")
    docker("run", "--detach", "--name", name, *SAFE, *published, *options, image)
    try:
        url = f"http://{docker('port', name, '8585/tcp').splitlines()[0]}"
        with httpx.Client(base_url=url, headers={"x-api-key": KEY}, timeout=120) as api:
            wait(lambda: state(name) == "healthy", lambda: docker("logs", name))
            yield name, api
    finally:
        docker("rm", "--force", name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state(name: str) -> str:
    return docker("inspect", "--format", "{{if .State.Running}}{{.State.Health.Status}}{{else}}ended{{end}}", name)


def wait(condition: Callable[[], bool], explain: Callable[[], str], timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)


def order(api: httpx.Client, photo: Path = PHOTO) -> str:
    answer = api.post("/v2", files={"image_file": photo.read_bytes()}, headers={"prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_it_runs_as_nobody_and_is_the_whole_product(image: str, volume: str) -> None:
    with running(image, volume) as (name, api):
        assert docker("exec", name, "id", "-u") == "65534"
        assert api.post("/v2", files={"image_file": PHOTO.read_bytes()}).headers["content-type"] == "image/png"
        document = {"image": base64.b64encode(PHOTO.read_bytes()).decode()}
        assert base64.b64decode(api.post("/", json=document).json()["image"]).startswith(b"\x89PNG")
        assert api.get("/v2/health?deep=true").json()["model"] == "cutout-s"
        assert httpx.get(api.base_url, headers={"accept": "text/html"}).status_code == 200
        docker("stop", "--time", "30", name)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
        assert docker("diff", name) == "", "nothing is written outside the volume"


def test_every_dialect_answers_in_it_with_a_picture_and_with_a_refusal(image: str, volume: str) -> None:
    port = free_port()  # known beforehand: it is in the URLs of results
    with running(image, volume, "--env", f"CUTOUT_PUBLIC_URL=http://127.0.0.1:{port}", port=port) as (_, api):
        url = str(api.base_url).rstrip("/")
        alpha = reference(url, KEY)
        for contract in CONTRACTS:
            contract.check(url, KEY, alpha)


def test_a_caller_who_hangs_up_is_in_its_log(image: str, volume: str) -> None:
    with running(image, volume) as (name, api):
        with api.stream(
            "POST", "/v2", files={"image_file": PHOTO.read_bytes()}, data={"canvas": "6000x6000"}
        ) as answer:
            assert next(answer.iter_raw()).startswith(b"\x89PNG")
        wait(lambda: "StreamsBroken" in docker("logs", name), lambda: docker("logs", name))
        lines = [json.loads(line) for line in docker("logs", name).splitlines() if line.startswith("{")]
        assert [line["reason"] for line in lines if "StreamsBroken" in line] == ["gone"]
        (sent,) = [line for line in lines if line.get("broken")]
        assert (sent["message"], sent["broken"]) == ("sent", "gone")


def test_a_container_that_was_killed_has_a_successor_that_knows_everything(image: str, volume: str) -> None:
    with running(image, volume) as (name, api):
        api.post("/v2", files={"image_file": PHOTO.read_bytes()}).raise_for_status()
        jobs = [order(api) for _ in range(4)]
        docker("kill", "--signal", "KILL", name)
    with running(image, volume) as (_, api):
        wait(
            lambda: {api.get(f"/v2/jobs/{job}").json()["status"] for job in jobs} == {"succeeded"},
            lambda: str([api.get(f"/v2/jobs/{job}").json() for job in jobs]),
        )
        assert api.get("/v2/account").json()["usage"]["images"] == 5


def test_without_a_key_it_says_what_it_wants(image: str) -> None:
    ended = subprocess.run(["docker", "run", "--rm", image], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "error: no key is given: set BEN_API_TOKEN, the API key that clients shall send\n"


@contextmanager
def composed(port: int) -> Iterator[Callable[..., str]]:
    """``docker compose`` for a project of its own, which is removed with its volume and image."""
    environment = {**os.environ, "BEN_API_TOKEN": KEY, "CUTOUT_LISTEN": f"127.0.0.1:{port}"}
    command = ["docker", "compose", "--file", ROOT / "compose.yaml", "--project-name", f"cutout-test-{uuid4().hex}"]

    def compose(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    try:
        yield compose
    finally:
        compose("down", "--volumes", "--timeout", "40")


def test_compose_starts_it_with_bounds_and_its_state_outlives_the_container(image: str) -> None:
    """With the image that is built already, under the name that compose.yaml gives it."""
    try:
        docker("compose", "version")
    except subprocess.CalledProcessError:
        pytest.skip("docker has no plugin compose")
    docker("tag", image, "cutout")
    port = free_port()
    with (
        composed(port) as compose,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": KEY}, timeout=120) as api,
    ):
        compose("up", "--detach", "--wait", "--no-build")
        facts = json.loads(docker("inspect", compose("ps", "--quiet", "cutout")))[0]
        bounds = facts["HostConfig"]
        assert (bounds["NanoCpus"], bounds["Memory"], bounds["PidsLimit"]) == (2_000_000_000, 8 * 2**30, 512)
        assert (bounds["ReadonlyRootfs"], bounds["CapDrop"]) == (True, ["ALL"])
        assert bounds["RestartPolicy"]["Name"] == "unless-stopped"
        assert api.post("/v2", files={"image_file": PHOTO.read_bytes()}).content.startswith(b"\x89PNG")
        compose("down", "--timeout", "40")
        compose("up", "--detach", "--wait", "--no-build")
        assert json.loads(docker("inspect", compose("ps", "--quiet", "cutout")))[0]["Id"] != facts["Id"]
        assert api.get("/v2/account").json()["usage"]["images"] == 1
        compose("restart", "--timeout", "40")
        wait(lambda: state(compose("ps", "--quiet", "cutout")) == "healthy", lambda: compose("logs"))
        assert api.get("/v2/account").json()["usage"]["images"] == 1


def test_compose_asks_for_a_key_and_listens_to_this_machine_alone() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["cutout"]
    assert service["environment"]["BEN_API_TOKEN"].startswith("${BEN_API_TOKEN:?")
    assert service["ports"] == ["${CUTOUT_LISTEN:-127.0.0.1:8585}:8585"]
    assert service["build"]["target"] == "server"
    assert service["volumes"] == ["state:/data"]
