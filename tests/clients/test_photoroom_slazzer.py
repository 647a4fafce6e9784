"""What the samples of Photoroom and of Slazzer put on the wire, and the curl calls of both, against the service.

Their code has the host in it and is no package, so its requests are made again here: same framing, same headers; the
Node.js ones go to the vendor's host by TLS, which ends at a front on loopback.
"""

import base64
import http.client
import json
from uuid import uuid4

import httpx
import numpy as np
import pytest

from tests.clients.real_clients import run_curl, run_node
from tests.dialects.pictures import astronaut, opened, pixels, plain
from tests.support.tls_proxy import tls_front

PHOTOROOM, SLAZZER = "sdk.photoroom.com", "slazzer.com"


@pytest.fixture(scope="module")
def front(service, tmp_path_factory):
    with tls_front(service.url, tmp_path_factory.mktemp("front"), PHOTOROOM, SLAZZER) as running:
        yield running


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(astronaut())
    return path


def is_cutout(data: bytes, image_format: str = "PNG") -> None:
    picture = opened(data)
    assert (picture.format, picture.size) == (image_format, (160, 160))
    made = np.asarray(picture).astype(int)
    assert np.abs(made[100, 80, :3] - pixels(astronaut())[100, 80]).max() <= 2
    if picture.mode == "RGBA":
        assert (made[5, 5, 3], made[100, 80, 3]) == (0, 255)


class TestPhotoroomSamples:
    def test_python_writes_the_form_by_hand(self, service, photo):
        boundary = f"----------{uuid4().hex}"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image_file"; filename="{photo.name}"\r\n'
        body = (
            f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        )
        connection = http.client.HTTPConnection(service.url.removeprefix("http://"))
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "x-api-key": service.key}
        connection.request("POST", "/v1/segment", body=body, headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        is_cutout(response.read())
        connection.close()

    def test_python_in_chunks_without_a_length(self, service, photo):
        boundary = "b" * 40
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image_file"; filename="a"\r\n\r\n'.encode()
        data = photo.read_bytes()
        pieces = [head, *(data[at : at + 700] for at in range(0, len(data), 700)), f"\r\n--{boundary}--\r\n".encode()]
        connection = http.client.HTTPConnection(service.url.removeprefix("http://"))
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "x-api-key": service.key}
        connection.request("POST", "/v1/segment", body=iter(pieces), headers=headers, encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 200
        is_cutout(response.read())
        connection.close()

    def test_node_streams_the_form_and_takes_bare_content_types_only(self, front, service, photo):
        seen = run_node("photoroom.cjs", "stream", service.key, str(photo), front=front, hosts=(PHOTOROOM,))
        assert (seen["status"], seen["type"]) == (200, "image/png")
        assert 0 < float(seen["score"]) < 0.5
        is_cutout(base64.b64decode(seen["data"]))

    def test_a_page_posts_form_data(self, front, service, photo):
        seen = run_node("photoroom.cjs", "fetch", service.key, str(photo), front=front, hosts=(PHOTOROOM,))
        assert (seen["status"], seen["type"]) == (200, "image/png")
        is_cutout(base64.b64decode(seen["data"]))

    def test_a_refusal_reads_as_the_samples_print_it(self, front, photo):
        seen = run_node("photoroom.cjs", "stream", "wrong", str(photo), front=front, hosts=(PHOTOROOM,))
        problem = json.loads(base64.b64decode(seen["data"]))
        assert (seen["status"], problem["status_code"], problem["type"]) == (403, 403, "unauthorized")

    def test_a_browser_may_ask_from_any_page(self, service):
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "x-api-key"
        answer = httpx.options(f"{service.url}/v1/segment", headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "x-api-key" in answer.headers["access-control-allow-headers"].lower()


class TestPhotoroomCurl:
    def segment(self, service, folder, *arguments):
        return run_curl(f"{service.url}/v1/segment", "-H", f"x-api-key: {service.key}", *arguments, folder=folder)

    def test_the_documented_call(self, service, photo, tmp_path):
        status, headers, body = self.segment(
            service, tmp_path,
            "--request", "POST", "--header", "Accept: image/png, application/json", "--form", f"image_file=@{photo}",
            "--form", "format=png", "--form", "channels=rgba", "--form", "size=full", "--form", "crop=false",
        )  # fmt: skip
        assert (status, headers["content-type"]) == (200, "image/png")
        is_cutout(body)

    def test_a_background_colour(self, service, photo, tmp_path):
        _, headers, body = self.segment(service, tmp_path, "-F", f"image_file=@{photo}", "-F", "bg_color=#FF00FF")
        assert tuple(pixels(body)[5, 5]) == (255, 0, 255)
        assert headers["x-foreground-width"] != "0"

    def test_in_chunks(self, service, photo, tmp_path):
        chunked = ("-H", "Transfer-Encoding: chunked", "-F", f"image_file=@{photo}")
        status, _, body = self.segment(service, tmp_path, *chunked)
        assert status == 200
        is_cutout(body)

    def test_json(self, service, photo, tmp_path):
        _, _, body = self.segment(service, tmp_path, "-H", "Accept: application/json", "-F", f"image_file=@{photo}")
        is_cutout(base64.b64decode(json.loads(body)["base64img"]))

    def test_without_an_image(self, service, tmp_path):
        status, _, body = self.segment(service, tmp_path, "-F", "format=png")
        assert status == 400
        assert json.loads(body) == {"detail": "Please provide an image.", "status_code": 400, "type": "missing_image"}


class TestSlazzerClients:
    def test_npm_gets_a_url_of_the_image(self, front, service, photo, tmp_path):
        (tmp_path / "behind.png").write_bytes(plain(30, 20, colour="lime"))
        images = (f"source_image_file={photo}", f"bg_image_file={tmp_path / 'behind.png'}")
        fields = json.dumps({"format": "jpg", "preview": "true"})
        seen = run_node("slazzer.cjs", service.key, fields, *images, front=front, hosts=(SLAZZER,))
        assert (seen["status"], seen["body"]["status"]) == (200, True)
        made = httpx.get(seen["body"]["output_image_url"])
        assert (made.status_code, made.headers["content-type"]) == (200, "image/jpeg")
        assert np.abs(pixels(made.content)[5, 5] - (0, 255, 0)).max() < 8

    def test_npm_gets_base64(self, front, service, photo):
        fields = json.dumps(
            {"output_image_format": "base64", "source_image_base64": base64.b64encode(photo.read_bytes()).decode()}
        )
        seen = run_node("slazzer.cjs", service.key, fields, front=front, hosts=(SLAZZER,))
        head, _, text = seen["body"]["output_image_base64"].partition(",")
        assert head == "data:image/png;base64"
        is_cutout(base64.b64decode(text))

    def test_npm_gets_an_object_when_the_key_is_wrong(self, front, photo):
        seen = run_node("slazzer.cjs", "wrong", "{}", f"source_image_file={photo}", front=front, hosts=(SLAZZER,))
        assert (seen["status"], seen["body"]["error"]) == (401, "invalid api key")

    def test_retrofit_and_alamofire_send_one_part_and_decode_the_stream(self, service, photo):
        for extra in ({"User-Agent": "okhttp/4.9.0", "Accept-Encoding": "gzip"}, {"Content-Disposition": "form-data"}):
            files = {"source_image_file": ("image.jpeg", photo.read_bytes(), "image/png")}
            url = f"{service.url}/v2.0/remove_image_background"
            with httpx.stream("POST", url, files=files, headers={"API-KEY": service.key, **extra}) as answer:
                assert answer.status_code == 200
                is_cutout(b"".join(answer.iter_bytes()))


class TestSlazzerCurl:
    def remove(self, service, folder, *arguments, path="/v2.0/remove_image_background"):
        return run_curl(service.url + path, "-H", f"API-KEY: {service.key}", *arguments, folder=folder)

    def test_a_file(self, service, photo, tmp_path):
        status, headers, body = self.remove(service, tmp_path, "-F", f"source_image_file=@{photo}")
        assert (status, headers["content-type"]) == (200, "image/png")
        is_cutout(body)

    def test_a_url_and_a_colour(self, service, file_server, photo, tmp_path):
        (file_server.folder / "slazzer.jpg").write_bytes(photo.read_bytes())
        form = ("-F", f"source_image_url={file_server.url}/slazzer.jpg", "-F", "bg_color_code=#72E4B3")
        _, _, body = self.remove(service, tmp_path, *form)
        assert tuple(pixels(body)[5, 5]) == (0x72, 0xE4, 0xB3)

    def test_the_elder_s_json_and_its_url(self, service, file_server, photo, tmp_path):
        (file_server.folder / "elder.jpg").write_bytes(photo.read_bytes())
        text = json.dumps({"source_image_url": f"{file_server.url}/elder.jpg"})
        path = "/api/v1/remove_image_background"
        _, _, body = self.remove(service, tmp_path, "-H", "Content-Type: application/json", "-d", text, path=path)
        status, headers, made = run_curl(json.loads(body)["output_image_url"], folder=tmp_path)
        assert (status, headers["content-type"]) == (200, "image/png")
        is_cutout(made)

    def test_no_image(self, service, tmp_path):
        status, _, body = self.remove(service, tmp_path, "-F", "format=png")
        assert (status, json.loads(body)) == (400, {"error": "Source image file not found"})
