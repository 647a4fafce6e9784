"""Clipdrop: the curl call of its documentation; axios with form-data, its defaults left alone, as in its samples."""

import base64
import json

import numpy as np
import pytest
from PIL import Image

from tests.clients.real_clients import run_curl, run_node
from tests.dialects.pictures import cat, encoded, opened
from tests.support.local_service import Service
from tests.support.tls_proxy import tls_front

HOST = "clipdrop-api.co"
PATH = "/remove-background/v1"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "car.jpg").write_bytes(cat(180, 120, "JPEG"))
    clear = Image.new("RGBA", (20, 10), (200, 30, 30, 90))
    (tmp_path / "clear.png").write_bytes(encoded(clear))
    return tmp_path


def is_cutout(data: bytes, image_format: str = "PNG") -> None:
    picture = opened(data)
    assert (picture.format, picture.size) == (image_format, (180, 120))
    corner, cat_ = picture.getpixel((175, 5)), picture.getpixel((60, 60))
    assert corner[-1] == (255 if image_format == "JPEG" else 0)
    assert image_format == "JPEG" or cat_[-1] == 255


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [((), "image/png"), (("-H", "accept: image/webp"), "image/webp"), (("-H", "accept: image/jpg"), "image/jpeg")],
)
def test_curl_gets_the_format_that_it_accepts_and_the_credits(service: Service, folder, accept, media_type):
    arguments = ("-H", f"x-api-key: {service.key}", *accept, "-F", "image_file=@car.jpg")
    status, headers, body = run_curl(f"{service.url}{PATH}", *arguments, folder=folder)
    assert (status, headers["content-type"]) == (200, media_type)
    is_cutout(body, media_type.partition("/")[2].upper())
    assert (headers["x-credits-consumed"], headers["x-remaining-credits"].isdigit()) == ("1", True)


def test_curl_gets_a_transparent_image_back_or_has_its_alpha_discarded(service: Service, folder):
    arguments = ("-H", f"x-api-key: {service.key}", "-F", "image_file=@clear.png;type=image/png")
    _, _, body = run_curl(f"{service.url}{PATH}", *arguments, folder=folder)
    assert body == (folder / "clear.png").read_bytes()
    discard = ("-F", "transparency_handling=discard_alpha_layer")
    _, _, body = run_curl(f"{service.url}{PATH}", *arguments, *discard, folder=folder)
    assert not (np.asarray(opened(body))[..., 3] == 90).any()


def test_curl_without_a_key_is_told_so(service: Service, folder):
    status, headers, body = run_curl(f"{service.url}{PATH}", "-F", "image_file=@car.jpg", folder=folder)
    assert (status, headers["content-type"]) == (401, "application/json")
    assert json.loads(body) == {"error": "No api key provided"}


def test_curl_that_accepts_only_json_is_told_what_there_is(service: Service, folder):
    arguments = ("-H", f"x-api-key: {service.key}", "-H", "accept: application/json", "-F", "image_file=@car.jpg")
    status, _, body = run_curl(f"{service.url}{PATH}", *arguments, folder=folder)
    assert status == 406
    assert "image/png" in json.loads(body)["error"]


def test_axios_with_its_defaults_gets_a_png_and_reads_errors(service: Service, folder, tmp_path):
    file = {"field": "image_file", "path": str(folder / "car.jpg"), "name": "car.jpg"}
    options = {"url": f"https://{HOST}{PATH}", "headers": {"x-api-key": service.key}, "file": file}
    with tls_front(service.url, tmp_path, HOST) as front:
        good = run_node("axios.cjs", json.dumps(options), front=front, hosts=(HOST,))
        bad = run_node(
            "axios.cjs", json.dumps(options | {"headers": {"x-api-key": "wrong"}}), front=front, hosts=(HOST,)
        )
    assert (good["status"], good["headers"]["content-type"]) == (200, "image/png")
    is_cutout(base64.b64decode(good["base64"]))
    assert int(good["headers"]["x-remaining-credits"]) > 0
    assert bad["status"] == 403
    assert json.loads(base64.b64decode(bad["base64"])).keys() == {"error"}
