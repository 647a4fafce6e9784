"""API4AI: requests byte for byte as the vendor's samples send them, and what those do with the answer."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from tests.dialects.callers import images_of
from tests.dialects.pictures import cat, opened
from tests.dialects.shapes import success_of_api4ai
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

pytestmark = pytest.mark.covers("clients")

JPEG = cat(image_format="JPEG")
VENDOR = {"X-API-KEY": LIVE_KEY}
MARKET = {"X-RapidAPI-Key": LIVE_KEY}


def form(boundary: str, *heads: str) -> bytes:
    """One part, the photo, with these header lines."""
    head = "\r\n".join(heads)
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + JPEG + f"\r\n--{boundary}--\r\n".encode()


def named(file_name: str) -> str:
    return f'Content-Disposition: form-data; name="image"; filename="{file_name}"'


CURL, NODE, AIOHTTP = "------------------------d74496d66958873e", "-" * 26 + "056408396023521408216341", "6cfd" * 8
SAMPLES: list[Any] = [
    pytest.param(
        (
            "/img-bg-removal/v1/results",
            VENDOR | {"A4A-CLIENT-APP-ID": "sample", "Expect": "100-continue"},
            f"multipart/form-data; boundary={CURL}",
            form(CURL, named("cat.jpg"), "Content-Type: image/jpeg"),
            "cat.jpg",
        ),
        id="bash curl",
    ),
    pytest.param(
        (
            "/v1/results",
            MARKET | {"User-Agent": "python-requests/2.32.3"},
            "multipart/form-data; boundary=f1b6e1a2c7",
            form("f1b6e1a2c7", named("cat.jpg")),
            "cat.jpg",
        ),
        id="python requests",
    ),
    pytest.param(
        (
            "/v1/results",
            MARKET | {"User-Agent": "Python/3.12 aiohttp/3.10"},
            f'multipart/form-data; boundary="{AIOHTTP}"',
            form(AIOHTTP, named("cat.jpg"), f"Content-Length: {len(JPEG)}", "Content-Type: image/jpeg"),
            "cat.jpg",
        ),
        id="python aiohttp",
    ),
    pytest.param(
        (
            "/img-bg-removal/v1/results",
            VENDOR,
            f"multipart/form-data; boundary={CURL}",
            form(CURL, named("cat"), "Content-Type: application/octet-stream"),
            "cat",
        ),
        id="php curl",
    ),
    pytest.param(
        (
            "/img-bg-removal/v1/results",
            VENDOR | {"Accept": "application/json, text/plain, */*", "User-Agent": "axios/1.7.7"},
            f"multipart/form-data; boundary={NODE}",
            form(NODE, named("cat.jpg"), "Content-Type: image/jpeg"),
            "cat.jpg",
        ),
        id="node form-data",
    ),
    pytest.param(
        (
            "/v1/results?mode=fg-image",
            VENDOR | {"Accept": "application/json, text/json, */*", "User-Agent": "RestSharp/112.0"},
            'multipart/form-data; boundary="ae58f40c"',
            form("ae58f40c", "Content-Type: application/octet-stream", named("cat.jpg") + "; filename*=utf-8''cat.jpg"),
            "cat.jpg",
        ),
        id="c# restsharp",
    ),
    pytest.param(
        (
            "/v1/results",
            MARKET,
            "multipart/form-data; boundary=Boundary-5F2E",
            form("Boundary-5F2E", named("cat.jpg"), "Content-Type: image/jpeg"),
            "cat.jpg",
        ),
        id="swift urlsession",
    ),
]


def saved(response: Any) -> bytes:
    """What all samples write to result.png: they look at no status."""
    success_of_api4ai(response)
    return base64.decodebytes(response.json()["results"][0]["entities"][0]["image"].encode())


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_that_sends_a_file_saves_a_cutout(api, sample: tuple[str, Mapping[str, str], str, bytes, str]):
    path, headers, content_type, body, name = sample
    sent = {**headers, "Content-Type": content_type, "Content-Length": str(len(body))}
    response = api.post(f"{URL}{path}", data=body, headers=sent)
    picture = opened(saved(response))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (120, 80))
    assert picture.getextrema()[3] == (0, 255)
    result = response.json()["results"][0]
    assert (result["name"], result["md5"]) == (name, hashlib.md5(JPEG).hexdigest())
    assert images_of() == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/x-www-form-urlencoded", "url={quoted}", id="python"),
        pytest.param(
            f"multipart/form-data; boundary={CURL}",
            f'--{CURL}\r\nContent-Disposition: form-data; name="url"\r\n\r\n{{url}}\r\n--{CURL}--\r\n',
            id="bash, php and node",
        ),
    ],
)
def test_a_sample_that_sends_a_url_saves_a_cutout(api, file_server, monkeypatch, content_type, body):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    (file_server.folder / "img-bg-removal-3.jpg").write_bytes(JPEG)
    url = f"{file_server.url}/img-bg-removal-3.jpg"
    quoted = url.replace(":", "%3A").replace("/", "%2F")
    sent = VENDOR | {"Content-Type": content_type}
    response = api.post(f"{URL}/v1/results", data=body.format(url=url, quoted=quoted).encode(), headers=sent)
    assert opened(saved(response)).size == (120, 80)
    assert response.json()["results"][0]["name"] == "img-bg-removal-3.jpg"
