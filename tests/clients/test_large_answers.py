"""Vendors' clients, unmodified, receive PNGs of more than 20 MB on the same request: in pieces, not by a redirect."""

import base64
import json

import numpy as np
import pytest
import removebg
from PIL import Image

from tests.clients.real_clients import run_curl, run_node
from tests.dialects.pictures import CAT, encoded, opened
from tests.support.local_service import Service
from tests.support.tls_proxy import tls_front

SIZE = (3870, 2580)
LARGE = 20_000_000
PHOTOROOM, CLIPDROP = "sdk.photoroom.com", "clipdrop-api.co"


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A photo of 10 MP whose grain no encoder can shorten."""
    with Image.open(CAT) as picture:
        pixels = np.asarray(picture.convert("RGB").resize(SIZE)).astype(np.int16)
    grain = np.random.default_rng(16).integers(-32, 33, pixels.shape, np.int16)
    path = tmp_path_factory.mktemp("large") / "cat.jpg"
    path.write_bytes(encoded(Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)), "JPEG", quality=90))
    return path


@pytest.fixture(scope="module")
def front(service: Service, tmp_path_factory):
    with tls_front(service.url, tmp_path_factory.mktemp("front"), PHOTOROOM, CLIPDROP) as running:
        yield running


def is_large_cutout(data: bytes) -> None:
    assert len(data) > LARGE
    picture = opened(data)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", SIZE)
    alpha = np.asarray(picture)[..., 3]
    assert (alpha[SIZE[1] // 2, SIZE[0] // 3], alpha[50, -50]) == (255, 0)


def test_curl_writes_bens_answer_to_a_file(service: Service, photo):
    arguments = ("-H", f"x-api-key: {service.key}", "-F", f"image_file=@{photo.name}")
    status, headers, body = run_curl(f"{service.url}/v2", *arguments, folder=photo.parent)
    assert (status, headers["content-type"], headers["transfer-encoding"]) == (200, "image/png", "chunked")
    is_large_cutout(body)


def test_removebgs_python_client_writes_a_file(service: Service, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(removebg.removebg, "API_ENDPOINT", f"{service.url}/v1.0/removebg")
    client = removebg.RemoveBg(service.key, str(tmp_path / "errors.log"))
    client.remove_background_from_img_file(str(photo), size="full")
    is_large_cutout((photo.parent / "cat.jpg_no_bg.png").read_bytes())


def test_clipdrops_sample_gets_a_buffer_by_axios(service: Service, front, photo):
    options = {
        "url": f"https://{CLIPDROP}/remove-background/v1",
        "headers": {"x-api-key": service.key},
        "file": {"field": "image_file", "path": str(photo), "name": photo.name},
    }
    answer = run_node("axios.cjs", json.dumps(options), front=front, hosts=(CLIPDROP,))
    assert answer["status"] == 200
    is_large_cutout(base64.b64decode(answer["base64"]))


@pytest.mark.parametrize("how", ["stream", "fetch"])
def test_photorooms_samples_get_it_by_https_and_by_fetch(service: Service, front, photo, how):
    seen = run_node("photoroom.cjs", how, service.key, str(photo), front=front, hosts=(PHOTOROOM,))
    assert (seen["status"], seen["type"]) == (200, "image/png")
    is_large_cutout(base64.b64decode(seen["data"]))
