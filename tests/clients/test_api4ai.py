"""API4AI's samples: the curl calls that its documentation shows, and axios with form-data."""

import base64
import hashlib
import json
from typing import Any

import pytest
import requests

from tests.clients.real_clients import run_curl, run_node
from tests.dialects.pictures import cat, opened, pixels
from tests.support.local_service import Service
from tests.support.tls_proxy import tls_front

HOST = "api4ai.cloud"
JPEG = cat(180, 120, "JPEG")
PATHS = ["/v1/results", "/img-bg-removal/v1/results"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "image.jpg").write_bytes(JPEG)
    (tmp_path / "image").write_bytes(JPEG)
    return tmp_path


def result_of(answer: tuple[int, Any, bytes]) -> dict[str, Any]:
    status, headers, body = answer
    assert (status, headers["content-type"]) == (200, "application/json")
    result: dict[str, Any] = json.loads(body)["results"][0]
    return result


def is_cutout(result: dict[str, Any], mode: str = "RGBA") -> None:
    picture = opened(base64.b64decode(result["entities"][0]["image"], validate=True))
    assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (180, 120))
    assert picture.getchannel(mode[-1]).getextrema() == (0, 255)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", ["X-API-KEY", "X-RapidAPI-Key"])
def test_curl_sends_a_file(service: Service, folder, path, header):
    key = ("-H", f"{header}: {service.key}")
    result = result_of(run_curl(f"{service.url}{path}", "-X", "POST", *key, "-F", "image=@image.jpg", folder=folder))
    assert (result["name"], result["md5"]) == ("image.jpg", hashlib.md5(JPEG).hexdigest())
    is_cutout(result)


def test_curl_sends_a_url_by_a_form_and_urlencoded(service: Service, folder, file_server):
    (file_server.folder / "img-bg-removal-3.jpg").write_bytes(JPEG)
    url = f"url={file_server.url}/img-bg-removal-3.jpg"
    for option in ("-F", "-d", "--data-urlencode"):
        arguments = ("-H", f"X-API-KEY: {service.key}", option, url)
        result = result_of(run_curl(f"{service.url}/v1/results?mode=fg-mask", *arguments, folder=folder))
        assert result["name"] == "img-bg-removal-3.jpg"
        is_cutout(result, "L")


def test_curl_sends_a_name_without_an_ending_and_no_useful_type(service: Service, folder):
    arguments = ("-H", f"X-API-KEY: {service.key}", "-F", "image=@image;type=application/octet-stream")
    result = result_of(run_curl(f"{service.url}/v1/results", *arguments, folder=folder))
    assert result["name"] == "image"
    is_cutout(result)


@pytest.mark.parametrize("header", ["", "A4A-CLIENT-APP-ID: sample"])
def test_curl_in_demo_mode_needs_no_key_where_an_account_pays_for_those_without(service: Service, folder, header):
    answer = run_curl(f"{service.url}{PATHS[1]}", "-H", header, "-F", "image=@image.jpg", folder=folder)
    is_cutout(result_of(answer))


def test_curl_reads_version_and_modes(service: Service, folder):
    status, headers, body = run_curl(f"{service.url}/v1/version", folder=folder)
    assert (status, headers["content-type"], body) == (200, "text/plain", b"v1.5.0")
    status, _, body = run_curl(f"{service.url}/img-bg-removal/v1/modes", folder=folder)
    assert (status, json.loads(body)) == (200, ["fg-image", "fg-image-shadow", "fg-mask"])


@pytest.mark.parametrize(("length", "sent_in_html"), [(31 * 2**20, False), (33 * 2**20, True)])
def test_a_body_of_more_than_32_mib_gets_a_413_in_html(service: Service, length, sent_in_html):
    files = {"image": ("big.jpg", JPEG.ljust(length, b"\0"))}
    response = requests.post(f"{service.url}/v1/results", files=files, headers={"X-API-KEY": service.key}, timeout=60)
    if sent_in_html:
        assert (response.status_code, response.headers["content-type"]) == (413, "text/html")
    else:
        assert response.json()["results"][0]["status"]["code"] == "failure"


def test_axios_with_form_data_and_its_own_content_length(service: Service, folder, tmp_path):
    with tls_front(service.url, tmp_path, HOST) as front:
        options = {
            "url": f"https://{HOST}/img-bg-removal/v1/results?mode=fg-image-shadow",
            "headers": {"X-API-KEY": service.key},
            "file": {"field": "image", "path": str(folder / "image.jpg"), "name": "image.jpg"},
            "withLength": True,
        }
        answer = run_node("axios.cjs", json.dumps(options), front=front, hosts=(HOST,))
        assert front.seen[-1] == HOST
    result = json.loads(base64.b64decode(answer["base64"]))["results"][0]
    assert result["entities"][0]["name"] == "general-fg-image-shadow"
    alpha = pixels(base64.b64decode(result["entities"][0]["image"]))[..., 3]
    assert ((alpha > 20) & (alpha < 129)).sum() > 100
