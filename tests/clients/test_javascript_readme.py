"""Every example of the JavaScript client's README runs, and does what it says."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cutout.webhooks import WebhookEvent, signed_headers
from local import ROOT
from tests.clients.javascript_client import PACKAGE, built, run
from tests.dialects.pictures import astronaut, opened
from tests.support.node_packages import node
from tests.support.transcript import typed

TRANSCRIPT = PACKAGE / "first-five-minutes.md"
LOCAL = "baseUrl: 'http://127.0.0.1:8585', apiKey: 'local-development-key'"
SECRET = "whsec_c2VjcmV0IG9mIDI0IGJ5dGVzIG9yIHNv"


def examples() -> list[tuple[str, str, str]]:
    """The heading, the language and the text of every example, in their order."""
    found, heading = [], ""
    for title, language, text in re.findall(
        r"^## ([^\n]+)$|^```(js|cjs|html)\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL
    ):
        heading = title or heading
        if language and language != "html":  # the page: test_javascript_browser.py
            found.append((heading, language, text))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where a reader tries the examples: the package is installed, and there are photos."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "cutout-client").symlink_to(built())
    (folder / "photo.jpg").write_bytes(astronaut())
    (folder / "beach.jpg").write_bytes(astronaut(80))
    (folder / "notes.txt").write_text("no image")
    return folder


def example(folder: Path, heading: str, nth: int = 0) -> Path:
    """An example as a file, without the first one's address and with a key of its own."""
    language, text = [(language, text) for title, language, text in examples() if title == heading][nth]
    path = folder / f"example.{'cjs' if language == 'cjs' else 'mjs'}"
    path.write_text(text.replace(LOCAL, "").replace("order-4711", "javascript-4711"))
    return path


@pytest.fixture
def tried(folder, service):
    """Run an example and return what it prints, as lines."""
    settings = {"CUTOUT_BASE_URL": service.url, "CUTOUT_API_KEY": service.key}

    def tried(heading: str, nth: int = 0) -> list[str]:
        return run(str(example(folder, heading, nth)), folder=folder, settings=settings).splitlines()

    return tried


def test_every_example_is_tried_here():
    assert [heading for heading, _, _ in examples()] == [
        "The first cutout", "The first cutout", "Options", "Many images", "Jobs and webhooks", "Jobs and webhooks",
        "When something goes wrong", "When something goes wrong", "Account", "From BEN's SDK",
    ]  # fmt: skip


def test_the_first_cutout(folder, tried):
    facts, box = tried("The first cutout")[0], " ".join(tried("The first cutout")[1:])
    assert facts.startswith("160 160 cutout-s {")
    assert "left:" in box
    assert opened((folder / "cutout.png").read_bytes()).mode == "RGBA"


def test_commonjs(folder, tried):
    tried("The first cutout", 1)
    assert opened((folder / "cutout.webp").read_bytes()).format == "WEBP"


def test_options(folder, tried):
    tried("Options")
    assert opened((folder / "product.jpg").read_bytes()).size == (2000, 2000)
    assert opened((folder / "beach.png").read_bytes()).size == (160, 160)


def test_many_images(folder, tried):
    for name in ("product.jpg", "broken.jpg"):
        (folder / name).unlink(missing_ok=True)
    assert tried("Many images") == ["1 of 2", "2 of 2"]
    assert opened((folder / "photo.webp").read_bytes()).size == (160, 160)
    assert opened((folder / "beach.webp").read_bytes()).size == (80, 80)


def test_jobs(tried):
    assert re.match(r"job_[0-9a-f]{32} succeeded", tried("Jobs and webhooks")[0])


@pytest.fixture
def receiver(folder, unused_port) -> Iterator[str]:
    environment = {"CUTOUT_WEBHOOK_SECRET": SECRET, "PORT": str(unused_port)}
    command = [node(), str(example(folder, "Jobs and webhooks", 1))]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{unused_port}"
        process.terminate()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_webhooks(receiver):
    body = json.dumps({"id": "evt_1", "type": "job.succeeded", "data": {"id": "job_1"}}).encode()
    headers = signed_headers(WebhookEvent("evt_1", body), (SECRET,), datetime.now(UTC))
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        assert client.post(receiver, content=body, headers=headers).status_code == 204
        assert client.post(receiver, content=body + b" ", headers=headers).status_code == 400


def test_errors(tried):
    assert tried("When something goes wrong") == ["not an image"]


def test_patience(tried):
    lines = tried("When something goes wrong", 1)
    assert re.match(r"upload 0 \d+ 1", lines[0])
    assert lines[-1] == "false"
    assert tried("When something goes wrong", 1)[-1] == "true"


def test_account(tried):
    tried("The first cutout")
    plan, *days, key, secret = tried("Account")
    assert all(re.match(r"\d{4}-\d\d-\d\d (tok_fp_|none|null).* \d+$", day) for day in days), days
    assert days
    assert re.match(r"unlimited \d+ no bound", plan)
    assert int(key.split()[0]) > 20
    assert secret == "true"


def test_the_sdk_of_ben(folder, tried):
    tried("From BEN's SDK")
    assert opened((folder / "mask.png").read_bytes()).mode == "L"
    assert opened((folder / "foreground.png").read_bytes()).mode == "RGBA"


def test_the_examples_are_right_by_their_types(folder):
    checked = folder / "types"
    shutil.rmtree(checked, ignore_errors=True)
    checked.mkdir()
    for number, (_, language, text) in enumerate(examples()):
        if language == "js":
            (checked / f"example{number}.mts").write_text(text)
    tsc = [node(), str(PACKAGE / "node_modules" / "typescript" / "bin" / "tsc")]
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"]
    types = ["--types", "node", "--typeRoots", str(PACKAGE / "node_modules" / "@types")]
    files = sorted(str(path) for path in checked.glob("*.mts"))
    done = subprocess.run([*tsc, *options, *types, *files], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def repository(tmp_path) -> Path:
    """What a new user has cloned, as far as the transcript needs it."""
    folder = tmp_path / "repository"
    kept = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(built(), folder / "clients" / "javascript", ignore=kept)
    shutil.copytree(ROOT / "docs" / "images", folder / "docs" / "images")
    shutil.copy(ROOT / "LICENSE", folder)
    return folder


def test_the_first_five_minutes_go_as_they_are_written_down(service, repository, tmp_path):
    settings = os.environ | {"REPOSITORY": str(repository), "NO_UPDATE_NOTIFIER": "1", "npm_config_prefer_offline": "1"}
    (tmp_path / "shop").mkdir()
    came, told, errors = typed(TRANSCRIPT, tmp_path / "shop", settings, service.url)
    assert came == told, errors
