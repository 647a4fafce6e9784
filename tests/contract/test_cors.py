"""Browsers may call every route from every page; tests/browser shows that one really does."""

import io
import re

import pytest
from PIL import Image

from local import ROOT
from local.template import load_template
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

ROUTES = sorted({route.path for route in load_template(ROOT / "template.yaml").routes})


def preflight(headers="x-api-key, authorization, content-type"):
    return {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
    }


@pytest.mark.parametrize("route", ROUTES)
def test_a_preflight_of_every_route_is_answered_without_a_key(route, api):
    answer = api.options(URL + re.sub(r"{[^}]+}", "7", route), headers=preflight())
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "POST", "PUT", "DELETE"} & set(answer.headers["access-control-allow-methods"].split(", "))


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v2", "POST"),
        ("/v2/account", "GET, HEAD, PATCH"),
        ("/v2/jobs/7", "DELETE, GET, HEAD"),
        ("/v2/dialects", "GET, HEAD"),
    ],
)
def test_a_preflight_names_the_routes_methods_and_the_headers_that_were_asked_for(path, methods, api):
    answer = api.options(URL + path, headers=preflight())
    assert answer.headers["access-control-allow-methods"] == methods
    assert answer.headers["access-control-allow-headers"] == "x-api-key, authorization, content-type"
    assert "x-ratelimit-limit" not in answer.headers, "nobody was asked for a key"


@pytest.mark.parametrize(("path", "status"), [("/v2", 401), ("/v2/account", 401), ("/nowhere", 404), ("/health", 200)])
def test_a_page_may_read_every_answer_and_all_its_headers(path, status, api):
    answer = api.request("POST" if path == "/v2" else "GET", URL + path, headers={"origin": "https://shop.example"})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-request-id" in answer.headers["access-control-expose-headers"].split(", ")
    assert "access-control-allow-credentials" not in answer.headers


def test_a_page_may_read_the_headers_of_an_image(api):
    image = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(image, "PNG")
    answer = api.post(f"{URL}/v2", files={"image_file": image.getvalue()}, headers={"x-api-key": LIVE_KEY})
    assert answer.status_code == 200
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed >= {"x-image-width", "x-model", "server-timing", "x-ratelimit-remaining", "x-request-id"}
