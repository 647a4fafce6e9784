"""BEN's container: JSON in, JSON out, and 200 whatever is wrong with the picture."""

import base64
from typing import Any

import numpy as np
import pytest
import requests

from cutout.container import container
from tests.dialects.callers import LOCAL, customer, images_of, second_stands_still
from tests.dialects.pictures import cat, pixels
from tests.dialects.shapes import image_of, problem_of_ben_container, success_of_ben_container
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

KEY = {"x-api-key": LIVE_KEY}
PHOTO = cat()
TEXT = base64.b64encode(PHOTO).decode()


@pytest.fixture
def open_account(api: requests.Session, monkeypatch: pytest.MonkeyPatch) -> requests.Session:
    """The API of a stack whose owner answers for requests without a key."""
    monkeypatch.setenv("CUTOUT_OPEN_ACCOUNT", LOCAL)
    container.cache_clear()
    return api


def post(api: requests.Session, document: Any, **request: Any) -> requests.Response:
    return api.post(f"{URL}/", **{"json": document, "headers": KEY} | request)


def complaint_of(response: requests.Response) -> str:
    """What is wrong with the picture; told by 200 and not charged."""
    assert response.status_code == 200
    success_of_ben_container(response)
    assert response.json().keys() == {"error"}
    assert images_of() == 0
    return str(response.json()["error"])


@pytest.mark.covers("happy")
@pytest.mark.parametrize("text", [TEXT, f"data:image/png;base64,{TEXT}"], ids=["plain", "data URL"])
def test_base64_becomes_base64_of_a_cutout(api, text):
    response = post(api, {"image": text})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"image"}
    data = base64.b64decode(response.json()["image"], validate=True)
    assert image_of(data, "PNG").mode == "RGBA"
    cutout, photo = pixels(data), pixels(PHOTO)
    assert cutout.shape[:2] == photo.shape[:2]
    assert (cutout[20:60, 20:60, 3] > 250).all()  # the cat
    assert (cutout[:40, -8:] == 0).all()  # the wall
    solid = cutout[..., 3] == 255
    assert np.array_equal(cutout[solid][:, :3], photo[solid][:, :3])
    assert images_of() == 1


@pytest.mark.covers("happy")
def test_get_of_the_same_path_is_still_the_health_check_and_every_method_is_named(api):
    assert api.get(f"{URL}/").json()["status"] == "ok"
    refused = api.delete(f"{URL}/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    preflight = api.options(f"{URL}/", headers={"access-control-request-method": "POST"})
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD, POST")


@pytest.mark.covers("options")
def test_a_path_beside_a_picture_is_not_looked_at_nor_are_fields_that_nobody_knows(api):
    response = post(api, {"image": TEXT, "image_path": "/etc/passwd", "other": 1})
    assert response.json().keys() == {"image"}


@pytest.mark.covers("errors")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"image_path": "/etc/hostname"}, "never read"),
        ({"image_path": "https://example.com/a.jpg"}, "never read"),
        ({}, "No image"),
        ({"image": ""}, "No image"),
        ({"image": None}, "No image"),
        ({"image": "no base64!"}, "base64"),
        ({"image": base64.b64encode(b"no picture").decode()}, ""),
        ({"image": base64.b64encode(PHOTO[:200]).decode()}, ""),
        ({"image": {"nested": 1}}, "plain value"),
        ([TEXT], "object"),
        ("text", "object"),
    ],
)
def test_what_is_wrong_with_the_request_is_told_by_200(document, words, api):
    assert words in complaint_of(post(api, document))


@pytest.mark.covers("errors")
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xd8\xff", b"image=x"])
def test_what_is_no_json_is_told_by_200_too(body, api):
    assert "JSON" in complaint_of(api.post(f"{URL}/", data=body, headers=KEY))


@pytest.mark.covers("limits")
def test_a_picture_above_the_services_limits_is_told_by_200(api, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "1000")
    container.cache_clear()
    assert "too large" in complaint_of(post(api, {"image": TEXT}))
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "1000000")
    monkeypatch.setenv("CUTOUT_MAX_PIXELS", "100")
    container.cache_clear()
    assert "pixels" in complaint_of(post(api, {"image": TEXT}))


@pytest.mark.covers("auth")
@pytest.mark.parametrize("headers", [KEY, {"authorization": f"Bearer {LIVE_KEY}"}])
def test_a_key_may_be_sent_as_elsewhere(headers, api):
    assert post(api, {"image": TEXT}, headers=headers).json().keys() == {"image"}


@pytest.mark.covers("auth")
@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-api-key": "wrong"}, 403)])
def test_without_a_good_key_the_status_says_so(headers, status, api):
    response = post(api, {"image": TEXT}, headers=headers)
    assert response.status_code == status
    problem_of_ben_container(response)


@pytest.mark.covers("auth")
def test_no_key_is_needed_where_the_owner_answers_for_it(open_account):
    assert post(open_account, {"image": TEXT}, headers={}).json().keys() == {"image"}
    assert images_of(LOCAL) == 1
    assert post(open_account, {"image": TEXT}, headers={"x-api-key": "wrong"}).status_code == 403
    assert open_account.post(f"{URL}/v2", files={"image_file": PHOTO}).status_code == 401, (
        "only where the contract has none"
    )


@pytest.mark.covers("auth")
@pytest.mark.parametrize(("account", "status"), [({"plan": "free", "used": 50}, 402), ({"status": "suspended"}, 403)])
def test_an_account_that_may_not_work_is_refused_by_its_status(account, status, api):
    _, key = customer(**account)
    response = post(api, {"image": TEXT}, headers={"x-api-key": key})
    assert response.status_code == status
    problem_of_ben_container(response)


@pytest.mark.covers("limits")
def test_the_rate_of_an_account_holds(api):
    _, key = customer(rate=1)
    with second_stands_still():
        assert post(api, {"image": TEXT}, headers={"x-api-key": key}).status_code == 200
        refused = post(api, {"image": TEXT}, headers={"x-api-key": key})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    problem_of_ben_container(refused)
