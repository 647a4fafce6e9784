"""remove.bg's clients, unmodified: PyPI removebg, npm remove.bg; and the documented curl calls."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest
import removebg
import requests

from tests.clients.real_clients import run_curl, run_node
from tests.dialects.pictures import cat, opened, plain
from tests.support.local_service import Service
from tests.support.tls_proxy import tls_front

HOST = "api.remove.bg"


@pytest.fixture(scope="module")
def front(service: Service, tmp_path_factory):
    with tls_front(service.url, tmp_path_factory.mktemp("removebg"), HOST) as running:
        yield running


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(cat(180, 120, "JPEG"))
    return tmp_path / "cat.jpg"


def is_cutout(data: bytes, size: tuple[int, int] = (180, 120)) -> None:
    """The cat on the left is there, the ground on the right is not."""
    picture = opened(data)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", size)
    alpha = np.asarray(picture)[..., 3]
    assert alpha[size[1] // 2, size[0] // 3] == 255
    assert alpha[5, -5] == 0


class TestPython:
    @pytest.fixture
    def client(self, service, tmp_path, monkeypatch):
        monkeypatch.setattr(removebg.removebg, "API_ENDPOINT", f"{service.url}/v1.0/removebg")
        return removebg.RemoveBg(service.key, str(tmp_path / "errors.log"))

    def test_a_file_becomes_a_file_beside_it(self, client, photo):
        client.remove_background_from_img_file(str(photo))
        is_cutout((photo.parent / "cat.jpg_no_bg.png").read_bytes())

    def test_a_url_and_base64_become_files(self, client, photo, file_server, tmp_path):
        (file_server.folder / "cat.jpg").write_bytes(photo.read_bytes())
        client.remove_background_from_img_url(f"{file_server.url}/cat.jpg", "4k", str(tmp_path / "url.png"))
        is_cutout((tmp_path / "url.png").read_bytes())
        text = base64.b64encode(photo.read_bytes()).decode()
        client.remove_background_from_base64_img(text, "regular", str(tmp_path / "b64.jpg"), bg_color="red")
        picture = opened((tmp_path / "b64.jpg").read_bytes())
        assert picture.format == "JPEG"
        assert picture.getpixel((175, 5))[0] > 240

    def test_an_error_is_raised_and_nothing_is_written(self, client, tmp_path):
        with pytest.raises(requests.HTTPError, match="400"):
            client.remove_background_from_base64_img("AAAA", new_file_name=str(tmp_path / "no.png"))
        assert not (tmp_path / "no.png").exists()


class TestJavaScript:
    def call(self, front, service, name, **options):
        return run_node(
            "removebg.cjs", name, json.dumps({"apiKey": service.key, **options}), front=front, hosts=(HOST,)
        )

    def test_a_file_is_cut_out_cropped_and_scaled(self, front, service, photo, tmp_path):
        made = self.call(
            front, service, "removeBackgroundFromImageFile", path=str(photo), size="full", type="animal", crop=True,
            crop_margin="10px", scale="50%", position="center", outputFile=str(tmp_path / "out.png"),
        )["ok"]  # fmt: skip
        assert front.seen[-1] == HOST
        data = base64.b64decode(made["base64img"])
        assert (tmp_path / "out.png").read_bytes() == data
        picture = opened(data)
        assert (int(made["resultWidth"]), int(made["resultHeight"])) == picture.size
        left, top, right, bottom = picture.getchannel("A").getbbox()
        assert max((right - left) / picture.width, (bottom - top) / picture.height) == pytest.approx(0.5, abs=0.05)
        assert (made["detectedType"], made["creditsCharged"]) == ("animal", "1")
        assert int(made["rateLimit"]) > int(made["rateLimitRemaining"]) >= 0

    def test_base64_with_its_defaults_is_a_preview(self, front, service, photo):
        text = base64.b64encode(photo.read_bytes()).decode()
        made = self.call(front, service, "removeBackgroundFromImageBase64", base64img=text)["ok"]
        is_cutout(base64.b64decode(made["base64img"]))
        assert made["creditsCharged"] == "0.25"

    def test_a_url_lies_on_a_background_from_another(self, front, service, photo, file_server):
        (file_server.folder / "cat.jpg").write_bytes(photo.read_bytes())
        (file_server.folder / "blue.png").write_bytes(plain(30, 20, colour="blue"))
        made = self.call(
            front, service, "removeBackgroundFromImageUrl", url=f"{file_server.url}/cat.jpg",
            bg_image_url=f"{file_server.url}/blue.png",
        )["ok"]  # fmt: skip
        picture = opened(base64.b64decode(made["base64img"]))
        assert picture.format == "JPEG"
        assert picture.getpixel((175, 5))[2] > 240

    def test_errors_arrive_as_the_list_they_are(self, front, service, photo):
        failed = self.call(front, service, "removeBackgroundFromImageFile", path=str(photo), apiKey="wrong")["failed"]
        assert [(error["title"], error["code"]) for error in failed] == [("API Key invalid", "auth_failed")]
        failed = self.call(front, service, "removeBackgroundFromImageFile", path=str(photo), roi="here")["failed"]
        assert [error["code"] for error in failed] == ["invalid_roi"]


class TestCurl:
    """The calls of the vendor's page: a file, a URL, the account."""

    def test_a_file(self, service, photo):
        arguments = ["-H", f"X-API-Key: {service.key}", "-F", "image_file=@cat.jpg", "-F", "size=auto", "-f"]
        status, headers, body = run_curl(f"{service.url}/v1.0/removebg", *arguments, folder=photo.parent)
        assert (status, headers["content-type"], headers["x-type"]) == (200, "image/png", "other")
        is_cutout(body)

    def test_a_url_as_a_zip(self, service, photo, file_server):
        (file_server.folder / "cat.jpg").write_bytes(photo.read_bytes())
        arguments = [
            "-H",
            f"X-API-Key: {service.key}",
            "-F",
            f"image_url={file_server.url}/cat.jpg",
            "-F",
            "format=zip",
        ]
        status, headers, body = run_curl(f"{service.url}/v1.0/removebg", *arguments, folder=photo.parent)
        assert (status, headers["content-type"]) == (200, "application/zip")
        assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["color.jpg", "alpha.png"]

    def test_the_account(self, service, tmp_path):
        arguments = ["-H", "X-API-Key: " + service.key]
        status, _, body = run_curl(f"{service.url}/v1.0/account", *arguments, folder=tmp_path)
        assert status == 200
        assert json.loads(body)["data"]["attributes"]["credits"]["total"] > 0

    def test_a_wrong_key(self, service, photo):
        arguments = ["-H", "X-API-Key: wrong", "-F", "image_file=@cat.jpg"]
        status, _, body = run_curl(f"{service.url}/v1.0/removebg", *arguments, folder=photo.parent)
        assert (status, json.loads(body)["errors"][0]["title"]) == (403, "API Key invalid")
