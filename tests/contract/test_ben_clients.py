"""What the official BackgroundErase clients send and need (section 6 of the contract), request by request."""

import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from local import ROOT


@pytest.fixture
def photo() -> Image.Image:
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as image:
        return image.convert("RGB")


def jpeg(image: Image.Image) -> str:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=85, optimize=True)
    return base64.b64encode(data.getvalue()).decode()


def legacy_mask(service, image: Image.Image, **headers: str) -> tuple[dict[str, object], Image.Image]:
    """POST exactly ``{"image": b64}`` with the clients' two headers."""
    response = httpx.post(
        f"{service.url}/v2",
        content=json.dumps({"image": jpeg(image)}),
        headers={"x-api-key": service.key, "Content-Type": "application/json", **headers},
        timeout=30,
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    with Image.open(io.BytesIO(base64.b64decode(document["mask"], validate=True))) as mask:
        mask.load()
        return document, mask


def test_the_python_client_gets_a_mask_that_putalpha_takes(service, photo):
    document, mask = legacy_mask(service, photo.resize((1024, 1024)))
    assert set(document) == {"mask", "width", "height", "foreground"}
    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (1024, 1024))
    assert (document["width"], document["height"]) == (1024, 1024)
    cutout = photo.copy()
    cutout.putalpha(mask.resize(photo.size))
    assert cutout.mode == "RGBA"
    assert mask.getextrema() == (0, 255)  # the cat is in, the wall is out


def test_the_node_client_gets_json_although_axios_accepts_anything(service, photo):
    _, mask = legacy_mask(service, photo.resize((1024, 480)), Accept="application/json, text/plain, */*")
    assert mask.size == (1024, 480)
    assert np.asarray(mask).min() == 0  # it stretches the mask to its own extremes, so they must be ours


def test_a_grey_photo_becomes_a_one_channel_jpeg_and_is_taken(service, photo):
    _, mask = legacy_mask(service, photo.convert("L"))
    assert (mask.mode, mask.size) == ("L", photo.size)


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "Api-Key", "Key"])
def test_every_authorization_form_opens_the_account(service, scheme):
    response = httpx.get(f"{service.url}/v2/account", headers={"Authorization": f"{scheme} {service.key}"})
    assert response.status_code == 200
    document = response.json()
    assert document["status"] == "ok"
    assert document["api_key"]["mode"] == "live"
    assert set(document["account"]) == {
        "email",
        "plan",
        "subscription_status",
        "billing_model",
        "usage_unit",
        "training_opt_in",
    }
    assert service.key not in response.text


def test_health_is_cheap_and_deep_health_names_the_model(service):
    for path in ("/v2/health", "/health", "/"):
        response = httpx.get(service.url + path)
        assert (response.status_code, response.json()["status"]) == (200, "ok")
    deep = httpx.get(f"{service.url}/v2/health?deep=true", timeout=30)
    assert (deep.status_code, deep.json()["model"]) == (200, "cutout-s")
    assert httpx.head(f"{service.url}/health").content == b""


@pytest.mark.parametrize(
    ("method", "path", "allow"), [("GET", "/v2", "POST"), ("POST", "/v2/account", "GET, HEAD, PATCH")]
)
def test_a_wrong_method_is_a_405_with_allow(service, method, path, allow):
    response = httpx.request(method, service.url + path, headers={"x-api-key": service.key})
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_the_request_id_is_in_header_body_and_log(service):
    response = httpx.post(f"{service.url}/v2", content=b"")
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["status"]) == (401, "missing_api_key", 401)
    assert response.headers["x-request-id"] == error["request_id"]
    logs = "".join(path.read_text() for path in service.logs.glob("*.log"))
    assert error["request_id"] in logs
    assert service.key not in logs
