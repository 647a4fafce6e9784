"""Clients of four vendors, unmodified, send 25 MB to the container on the request that they know.

The vendors' own bounds are kept: remove.bg's, for one, is 22 MB.
"""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from local import ROOT
from tests.clients.real_clients import run_curl, run_node
from tests.server.instance import KEY, started
from tests.support.tls_proxy import tls_front

SIDE = 2900
HOSTS = ("sdk.photoroom.com", "slazzer.com")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A container, or the one whose URL and key CUTOUT_TEST_CONTAINER gives (``http://localhost:8585 KEY``)."""
    if given := os.environ.get("CUTOUT_TEST_CONTAINER"):
        url, key = given.split()
        yield SimpleNamespace(url=url, key=key)
        return
    with started(tmp_path_factory.mktemp("state")) as server:
        yield SimpleNamespace(url=str(server.api.base_url).rstrip("/"), key=KEY)


@pytest.fixture(scope="module")
def front(service, tmp_path_factory):
    with tls_front(service.url, tmp_path_factory.mktemp("front"), *HOSTS) as running:
        yield running


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.bmp"
    with Image.open(ROOT / "docs/images/chelsea.jpg") as picture:
        picture.resize((SIDE, SIDE)).save(path)
    assert path.stat().st_size > 25_000_000
    return path


def is_cutout(data: bytes) -> None:
    picture = Image.open(io.BytesIO(data))
    assert (picture.mode, picture.size) == ("RGBA", (SIDE, SIDE))
    assert picture.getchannel("A").getextrema() == (0, 255)


def test_the_curl_call_of_backgrounderase(service, photo):
    arguments = ("-H", f"x-api-key: {service.key}", "-F", f"image_file=@{photo}")
    status, headers, body = run_curl(f"{service.url}/v2", *arguments, folder=photo.parent)
    assert (status, headers["content-type"]) == (200, "image/png")
    is_cutout(body)


def test_the_page_of_photoroom(service, front, photo):
    made = run_node("photoroom.cjs", "fetch", service.key, str(photo), front=front, hosts=HOSTS)
    assert made["status"] == 200
    is_cutout(base64.b64decode(made["data"]))


def test_the_client_of_slazzer(service, front, photo):
    made = run_node("slazzer.cjs", service.key, "{}", f"source_image_file={photo}", front=front, hosts=HOSTS)
    assert made["status"] == 200, json.dumps(made)[:500]


def test_fal_client_of_pypi(service, photo):
    script = ROOT / "tests/clients/fal_python.py"
    environment = {"PATH": os.environ["PATH"], "FAL_KEY": service.key, "PHOTO": str(photo)}
    environment |= {"PLAIN": service.url, "REST": service.url}

    def run(*step: str):
        done = subprocess.run(
            [sys.executable, script, *step], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    output = run("run", run("upload_file", str(photo)))
    assert (output["image"]["width"], output["image"]["height"]) == (SIDE, SIDE)
