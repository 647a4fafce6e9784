"""Slazzer: what comes out of v2.0 and of its elder, and the clients in public use, request by request."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest
import requests

from cutout.accounts import KeyMode
from cutout.container import container
from local.cloud import client
from tests.dialects.callers import customer, images_of
from tests.dialects.pictures import astronaut, opened, pixels, plain
from tests.dialects.shapes import success_of_slazzer
from tests.support.builders import multipart
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

V2 = f"{URL}/v2.0/remove_image_background"
ELDER = f"{URL}/api/v1/remove_image_background"
KEY = {"API-KEY": LIVE_KEY}
FILE = {"source_image_file": ("photo.jpg", astronaut(), "image/jpeg")}

pytestmark = pytest.mark.covers("happy")


@pytest.fixture
def photo_url(file_server, api, monkeypatch) -> str:
    """A URL that may be fetched from."""
    (file_server.folder / "astronaut.jpg").write_bytes(astronaut())
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    container.cache_clear()
    return f"{file_server.url}/astronaut.jpg"


def kept(url: str) -> bytes:
    """What a presigned URL of moto's leads to."""
    bucket, key = url.partition("?")[0].removeprefix("https://").split("/", 1)
    return client("s3").get_object(Bucket=bucket.partition(".")[0], Key=key)["Body"].read()


def is_the_astronaut(data: bytes) -> None:
    made = pixels(data)
    assert made.shape == (160, 160, 4)
    assert (made[5, 5] == 0).all()
    assert made[100, 80, 3] == 255
    assert np.abs(made[100, 80, :3] - pixels(astronaut())[100, 80]).max() <= 2


def test_v2_answers_a_file_with_a_png(api):
    answer = api.post(V2, files=FILE, headers=KEY)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    success_of_slazzer(answer)
    is_the_astronaut(answer.content)
    assert images_of() == 1


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_v2_takes_base64_with_and_without_a_prefix(api, prefix):
    text = prefix + base64.b64encode(astronaut()).decode()
    is_the_astronaut(api.post(V2, data={"source_image_base64": text}, headers=KEY).content)
    body, kind = multipart({"source_image_base64": text})
    is_the_astronaut(api.post(V2, data=body, headers={**KEY, "content-type": kind}).content)


def test_v2_takes_a_url(api, photo_url):
    body, kind = multipart({"source_image_url": photo_url})
    is_the_astronaut(api.post(V2, data=body, headers={**KEY, "content-type": kind}).content)


def test_the_elder_answers_with_a_url_that_needs_no_key(api):
    answer = api.post(ELDER, files=FILE, headers=KEY)
    success_of_slazzer(answer)
    document = answer.json()
    assert document.keys() == {"status", "output_image_url"}
    assert "X-Amz-Signature" in document["output_image_url"] or "Signature" in document["output_image_url"]
    assert LIVE_KEY not in document["output_image_url"]
    is_the_astronaut(kept(document["output_image_url"]))
    assert images_of() == 1


def test_the_elder_s_urls_differ_from_request_to_request(api):
    urls = {api.post(ELDER, files=FILE, headers=KEY).json()["output_image_url"].partition("?")[0] for _ in range(2)}
    assert len(urls) == 2


def test_the_elder_takes_json_with_a_url(api, photo_url):
    answer = api.post(ELDER, json={"source_image_url": photo_url, "crop": True}, headers=KEY)
    made = opened(kept(answer.json()["output_image_url"]))
    assert made.size != (160, 160)
    assert made.mode == "RGBA"


def test_an_output_of_base64_is_a_data_url(api):
    for url in (ELDER, V2):
        answer = api.post(url, files=FILE, data={"output_image_format": "base64"}, headers=KEY)
        document = answer.json()
        assert document.keys() == {"status", "output_image_base64"}
        head, _, text = document["output_image_base64"].partition(",")
        assert head == "data:image/png;base64"
        is_the_astronaut(base64.b64decode(text, validate=True))


def test_either_version_gives_what_the_other_gives_when_asked(api):
    binary = api.post(ELDER, files=FILE, data={"output_image_format": "binary"}, headers=KEY)
    is_the_astronaut(binary.content)
    url = api.post(V2, files=FILE, data={"output_image_format": "url"}, headers=KEY)
    is_the_astronaut(kept(url.json()["output_image_url"]))


def test_a_transparent_picture_stays_transparent_where_it_was_unless_a_colour_is_below(api):
    photo = opened(astronaut()).convert("RGBA")
    photo.paste((0, 0, 0, 0), (60, 90, 100, 110))
    data = io.BytesIO()
    photo.save(data, "PNG")
    files = {"source_image_file": data.getvalue()}
    assert pixels(api.post(V2, files=files, headers=KEY).content)[100, 80, 3] == 0
    flat = pixels(api.post(V2, files=files, data={"bg_color_code": "#72E4B3"}, headers=KEY).content)
    assert tuple(flat[100, 80]) == (0x72, 0xE4, 0xB3)


def test_a_synthetic_key_is_not_charged(api):
    account, key = customer(mode=KeyMode.SYNTHETIC)
    assert api.post(V2, files=FILE, headers={"API-KEY": key}).status_code == 200
    assert images_of(account) == 0


def test_a_picture_without_a_subject_is_answered_empty(api):
    answer = api.post(V2, files={"source_image_file": plain(40, 30)}, data={"crop": "true"}, headers=KEY)
    assert (pixels(answer.content) == 0).all()


class TestClients:
    """What public clients put on the wire."""

    def test_axios_with_form_data_and_every_field_that_slazzer_npm_can_send(self, api):
        fields = {"format": "jpg", "bg_color_code": "#72E4B3", "preview": "true", "crop": "true"}
        body, kind = multipart(fields, {"source_image_file": ("photo.jpg", astronaut(), "image/jpeg")})
        headers = {
            **KEY,
            "Content-Type": kind,
            "Accept": "application/json, text/plain, */*",
            "User-Agent": "axios/0.21.0",
        }
        document = api.post(ELDER, data=body, headers=headers).json()  # it gives back response.data, whatever it is
        made = opened(kept(document["output_image_url"]))
        assert made.format == "JPEG"
        assert np.abs(np.asarray(made).astype(int)[2, 2] - (0x72, 0xE4, 0xB3)).max() < 6

    def test_axios_with_base64_in_and_out(self, api):
        text = base64.b64encode(astronaut()).decode()
        body, kind = multipart({"source_image_base64": text, "output_image_format": "base64"})
        document = api.post(ELDER, data=body, headers={**KEY, "Content-Type": kind}).json()
        with_scheme = document["output_image_base64"]  # a page hands it to fetch(), as a URL
        assert requests.compat.urlparse(with_scheme).scheme == "data"

    def test_axios_gets_an_object_when_it_fails(self, api):
        body, kind = multipart({"format": "png"})
        assert api.post(ELDER, data=body, headers={**KEY, "Content-Type": kind}).json()["error"]

    def test_retrofit_sends_one_part_that_says_png_whatever_it_is_and_decodes_the_stream(self, api):
        body, kind = multipart(files={"source_image_file": ("IMG_1.jpg", astronaut(), "image/png")})
        headers = {"API-KEY": LIVE_KEY, "Content-Type": kind, "Accept-Encoding": "gzip", "User-Agent": "okhttp/4.9.0"}
        answer = api.post(V2, data=body, headers=headers)
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        is_the_astronaut(answer.content)

    def test_alamofire_adds_a_content_disposition_to_the_request_itself(self, api):
        body, kind = multipart(files={"source_image_file": ("image.jpeg", astronaut(), "image/jpeg")})
        headers = {"API-KEY": LIVE_KEY, "Content-Disposition": "form-data", "Content-Type": kind}
        is_the_astronaut(api.post(V2, data=body, headers=headers).content)

    def test_guzzle_with_a_space_after_the_field_s_name(self, api):
        body, kind = multipart(files={"source_image_file ": ("a.png", astronaut(), "image/png")})
        is_the_astronaut(api.post(V2, data=body, headers={**KEY, "Content-Type": kind}).content)

    def test_python_requests_reads_the_url_of_the_elder_out_of_the_json(self, api):
        response = api.post(ELDER, files={"source_image_file": io.BytesIO(astronaut())}, headers=KEY)
        assert json.loads(response.text)["output_image_url"].startswith("http")


def test_a_zip_holds_the_colours_and_the_mask(api):
    answer = api.post(V2, files=FILE, data={"format": "zip"}, headers=KEY)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert set(bundle.namelist()) == {"color.jpg", "alpha.png"}
        mask = pixels(bundle.read("alpha.png"))
    assert np.array_equal(mask, pixels(api.post(V2, files=FILE, headers=KEY).content)[..., 3])
