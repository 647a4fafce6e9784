"""What Picsart's clients send, to the whole local service. Its SDKs are on no registry of packages.

The Python one is httpx with all options as form fields, whatever they are; the TypeScript one posts a form to its
``baseUrl``; the documented calls are curl's.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.clients.real_clients import run_curl
from tests.dialects.pictures import astronaut, opened, plain
from tests.support.local_service import Service
from tests.support.node_packages import node

SCRIPT = Path(__file__).parent / "node" / "picsart.cjs"
WHOLE_SET: dict[str, Any] = {
    "output_type": "cutout",
    "bg_image": None,
    "bg_color": None,
    "bg_width": None,
    "bg_height": None,
    "scale": "fit",
    "auto_center": False,
    "stroke_size": 0,
    "stroke_color": "FFFFFF",
    "stroke_opacity": 100,
    "shadow": "disabled",
    "shadow_opacity": 20,
    "shadow_blur": 50,
    "shadow_offset_x": None,
    "shadow_offset_y": None,
    "format": "PNG",
}


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "astronaut.jpg").write_bytes(astronaut())
    return tmp_path / "astronaut.jpg"


def is_cutout(data: bytes) -> None:
    picture = opened(data)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (160, 160))
    alpha = np.asarray(picture)[..., 3]
    assert (alpha[5, 5], alpha[100, 80]) == (0, 255)


def behind(document: dict[str, Any]) -> bytes:
    """The image behind the URL of an answer, fetched as anyone would."""
    assert document["status"] == "success"
    assert document["data"]["id"]
    return httpx.get(document["data"]["url"], trust_env=False).raise_for_status().content


class TestPython:
    def post(self, service: Service, **fields: Any) -> httpx.Response:
        headers = {
            "accept": "application/json",
            "X-Picsart-API-Key": service.key,
            "User-Agent": "picsart-sdk-python/1.0.0",
        }
        with httpx.Client(timeout=30, trust_env=False) as client:
            return client.post(f"{service.url}/tools/1.0/removebg", headers=headers, **fields)

    def test_a_file_with_the_whole_set_of_defaults(self, service, photo):
        with photo.open("rb") as image:
            response = self.post(service, data=WHOLE_SET, files={"image": (str(photo), image)})
        is_cutout(behind(response.raise_for_status().json()))

    def test_a_url_with_the_whole_set_goes_urlencoded(self, service, photo, file_server):
        (file_server.folder / "astronaut.jpg").write_bytes(photo.read_bytes())
        fields = WHOLE_SET | {"image_url": f"{file_server.url}/astronaut.jpg", "shadow": "bottom-right"}
        response = self.post(service, data=fields)
        assert response.request.headers["content-type"] == "application/x-www-form-urlencoded"
        picture = opened(behind(response.raise_for_status().json()))
        assert picture.mode == "RGBA"
        assert 0 < np.asarray(picture)[40, 110, 3] < 60  # a faint shadow

    def test_an_error_has_all_that_its_exception_tells(self, service):
        response = self.post(service, data=WHOLE_SET)
        with pytest.raises(httpx.HTTPStatusError):
            response.raise_for_status()
        assert response.json()["code"] == 400
        assert response.json()["message"] == "Bad Request"
        assert "image_url" in response.json()["detail"]


class TestTypeScript:
    def call(self, service: Service, photo: Path, **options: Any) -> dict[str, Any]:
        command = [node(), str(SCRIPT), f"{service.url}/tools/1.0", service.key, str(photo), json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def test_a_buffer_is_cut_out_and_its_url_downloaded(self, service, photo):
        told = self.call(service, photo, output_type="cutout", bg_blur=0, auto_center=False, stroke_size=0)
        assert told["status"] == 200
        is_cutout(base64.b64decode(told["image"]))
        assert told["meta"]["correlationId"].startswith("req_")
        assert all(isinstance(told["meta"][name], int) for name in told["meta"] if name != "correlationId")

    def test_an_error_is_told_by_its_detail(self, service, photo):
        told = self.call(service, photo, bg_blur=101)
        assert told["status"] == 422
        assert told["answer"]["detail"] == "bg_blur must be a whole number from 0 to 100."
        assert told["meta"]["rateLimitResetTime"] >= 1  # what its retries wait for


class TestCurl:
    def post(self, service: Service, folder: Path, *arguments: str) -> dict[str, Any]:
        key = ("-H", f"X-Picsart-API-Key: {service.key}", "-H", "Accept: application/json")
        status, headers, body = run_curl(f"{service.url}/tools/1.0/removebg", *key, *arguments, folder=folder)
        assert status == 200, body
        assert headers["x-picsart-credit-available"].isdigit()
        document: dict[str, Any] = json.loads(body)
        return document

    def test_the_documented_form(self, service, photo):
        form = [
            part for name, value in WHOLE_SET.items() if value is not None for part in ("-F", f"{name}={value}".lower())
        ]
        is_cutout(behind(self.post(service, photo.parent, "-F", "image=@astronaut.jpg", *form)))

    def test_a_background_by_file(self, service, photo):
        (photo.parent / "navy.png").write_bytes(plain(120, 90))
        files = "-F", "image=@astronaut.jpg", "-F", "bg_image=@navy.png;type=image/png"
        picture = opened(behind(self.post(service, photo.parent, *files)))
        assert (picture.mode, picture.size) == ("RGB", (120, 90))
        assert picture.getpixel((2, 2)) == (0, 0, 128)

    def test_json_with_urls(self, service, photo, file_server):
        (file_server.folder / "astronaut.jpg").write_bytes(photo.read_bytes())
        (file_server.folder / "navy.png").write_bytes(plain(120, 90))
        options = {"image_url": f"{file_server.url}/astronaut.jpg", "bg_image_url": f"{file_server.url}/navy.png"}
        body = "-H", "Content-Type: application/json", "-d", json.dumps(options)
        assert opened(behind(self.post(service, photo.parent, *body))).size == (120, 90)
