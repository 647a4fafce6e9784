"""API4AI: what its results hold, by every mode, encoding and key."""

import base64
import hashlib
from typing import Any

import numpy as np
import pytest
import requests

from cutout.accounts import KeyMode
from cutout.container import container
from tests.dialects.callers import customer, images_of
from tests.dialects.pictures import cat, pixels
from tests.dialects.shapes import image_of, problem_of_api4ai, success_of_api4ai
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

KEY = {"X-API-KEY": LIVE_KEY}
PHOTO = cat()
FILE = {"image": ("img.png", PHOTO)}
PREFIXES = ["/v1", "/img-bg-removal/v1"]


def post(api: requests.Session, mode: str = "", prefix: str = "/v1", **request: Any) -> requests.Response:
    query = f"?mode={mode}" if mode else ""
    return api.post(f"{URL}{prefix}/results{query}", **{"headers": KEY} | request)


def result_of(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    assert response.headers["content-type"] == "application/json"
    success_of_api4ai(response)
    result: dict[str, Any] = response.json()["results"][0]
    return result


def image_in(result: dict[str, Any]) -> bytes:
    """As the vendor's samples find and decode it."""
    text = result["entities"][0]["image"]
    assert "\n" not in text
    return base64.b64decode(text, validate=True)


def made(api: requests.Session, mode: str = "") -> np.ndarray:
    return pixels(image_in(result_of(post(api, mode, files=FILE))))


@pytest.mark.covers("happy")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_file_becomes_a_cutout_of_its_size_with_its_name_and_hash(api, prefix):
    result = result_of(post(api, prefix=prefix, files=FILE))
    data = image_in(result)
    del result["entities"][0]["image"]
    assert result == {
        "status": {"code": "ok", "message": "Success"},
        "name": "img.png",
        "md5": hashlib.md5(PHOTO).hexdigest(),
        "entities": [{"kind": "image", "name": "general-fg-image", "format": "PNG"}],
    }
    assert image_of(data, "PNG").size == (120, 80)
    cutout, photo = pixels(data), pixels(PHOTO)
    assert cutout.shape == (80, 120, 4)
    assert (cutout[20:60, 20:60, 3] > 250).all()  # the cat
    assert (cutout[:40, -8:] == 0).all()  # the wall
    solid = cutout[..., 3] == 255
    assert np.array_equal(cutout[solid][:, :3], photo[solid])


@pytest.mark.covers("happy")
def test_a_result_is_charged_once_and_a_synthetic_key_never(api):
    assert images_of() == 0
    result_of(post(api, files=FILE))
    assert images_of() == 1
    account, key = customer(mode=KeyMode.SYNTHETIC)
    result_of(post(api, files=FILE, headers={"X-API-KEY": key}))
    assert images_of(account) == 0


@pytest.mark.covers("options")
@pytest.mark.parametrize("query", ["?mode=fg-image", "?mode=", "?mode=fg-mask&mode=fg-image", "?other=1", ""])
def test_without_another_mode_it_is_the_picture(api, query):
    response = api.post(f"{URL}/v1/results{query}", files=FILE, headers=KEY)
    assert result_of(response)["entities"][0]["name"] == "general-fg-image"


@pytest.mark.covers("options")
def test_the_mask_is_the_pictures_alpha_as_8_bit_gray(api):
    result = result_of(post(api, "fg-mask", files=FILE))
    assert result["entities"][0]["name"] == "general-fg-mask"
    data = image_in(result)
    assert image_of(data, "PNG").mode == "L"
    assert np.array_equal(pixels(data), made(api)[..., 3])


@pytest.mark.covers("options")
def test_the_shadow_is_soft_dark_and_beside_the_subject_which_stays_as_it_is(api):
    result = result_of(post(api, "fg-image-shadow", files=FILE))
    assert result["entities"][0]["name"] == "general-fg-image-shadow"
    shaded, cutout = pixels(image_in(result)), made(api)
    assert shaded.shape == cutout.shape
    solid = cutout[..., 3] == 255
    assert np.array_equal(shaded[solid], cutout[solid])
    nothing = cutout[..., 3] == 0
    shadow = shaded[nothing]
    cast = shadow[:, 3] > 8
    assert 50 < cast.sum() < nothing.sum()
    assert (shadow[cast][:, :3] == 0).all()
    assert shadow[:, 3].max() <= 128
    assert len(np.unique(shadow[:, 3])) > 30  # no hard edge


@pytest.mark.covers("options")
def test_the_name_is_the_one_that_was_sent(api):
    for name in ("img", "häßlich.jpeg", "a b;c.png", "photo.exe"):
        assert result_of(post(api, files={"image": (name, PHOTO)}))["name"] == name


@pytest.mark.covers("options")
def test_what_the_file_is_called_and_claims_to_be_does_not_matter(api):
    expected = image_in(result_of(post(api, files=FILE)))
    for part in (("x.txt", PHOTO, "text/plain"), ("x.jpg", PHOTO, "image/jpeg"), ("x", PHOTO, "")):
        assert image_in(result_of(post(api, files={"image": part}))) == expected


@pytest.mark.covers("options")
def test_a_part_that_is_no_file_is_an_image_too(api):
    result = result_of(post(api, files={"image": (None, PHOTO)}))
    assert (result["name"], result["md5"]) == ("image", hashlib.md5(PHOTO).hexdigest())


@pytest.fixture
def photo_url(api, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    (file_server.folder / "the cat.jpg").write_bytes(cat(image_format="JPEG"))
    return f"{file_server.url}/the%20cat.jpg?size=1/2#top"


@pytest.mark.covers("options")
@pytest.mark.parametrize("encoding", ["multipart", "urlencoded", "json"])
def test_a_url_comes_by_every_encoding(api, photo_url, encoding):
    request: dict[str, Any] = {
        "multipart": {"files": {"url": (None, photo_url)}},
        "urlencoded": {"data": {"url": photo_url}},
        "json": {"json": {"url": photo_url}},
    }[encoding]
    result = result_of(post(api, **request))
    assert result["name"] == "the%20cat.jpg"
    assert result["md5"] == hashlib.md5(cat(image_format="JPEG")).hexdigest()
    assert pixels(image_in(result)).shape == (80, 120, 4)


@pytest.mark.covers("options")
@pytest.mark.parametrize("encoding", ["urlencoded", "json"])
@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
def test_text_may_hold_the_image_as_base64(api, encoding, head):
    text = {"image": head + base64.b64encode(PHOTO).decode()}
    result = result_of(post(api, **{"json" if encoding == "json" else "data": text}))
    assert (result["name"], result["md5"]) == ("image", hashlib.md5(PHOTO).hexdigest())


@pytest.mark.covers("options")
def test_the_image_wins_over_the_url_and_other_fields_are_ignored(api):
    nowhere = {"url": "http://127.0.0.1:9/no.jpg", "mode": "fg-mask", "size": "preview"}
    result = result_of(post(api, files=FILE, data=nowhere))
    assert (result["name"], result["entities"][0]["name"]) == ("img.png", "general-fg-image")


@pytest.mark.covers("options")
def test_an_empty_field_is_none_so_the_url_counts(api, photo_url):
    form = {"image": ("", b""), "url": (None, photo_url)}  # what a browser sends of a form whose file was not chosen
    assert result_of(post(api, files=form))["name"] == "the%20cat.jpg"


@pytest.mark.covers("happy")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_version_and_modes_are_told_without_a_key(api, prefix):
    version = api.get(f"{URL}{prefix}/version")
    assert version.headers["content-type"] == "text/plain"
    assert version.text == "v1.5.0"
    modes = api.get(f"{URL}{prefix}/modes")
    assert modes.headers["content-type"] == "application/json"
    assert modes.json() == ["fg-image", "fg-image-shadow", "fg-mask"]
    for response in (version, modes):
        success_of_api4ai(response)


@pytest.mark.covers("auth")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-KEY": LIVE_KEY},
        {"x-api-key": LIVE_KEY, "A4A-CLIENT-APP-ID": "sample"},
        {"X-RapidAPI-Key": LIVE_KEY},
        {"X-RapidAPI-Key": LIVE_KEY, "X-RapidAPI-Host": "background-removal4.p.rapidapi.com"},
        {"X-RapidAPI-Key": "", "X-API-KEY": LIVE_KEY},
        {"Authorization": f"Bearer {LIVE_KEY}"},
    ],
)
def test_the_key_comes_by_every_spelling(api, headers):
    result_of(post(api, files=FILE, headers=headers))


@pytest.mark.covers("auth")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-KEY": ""}, 401),
        ({"X-RapidAPI-Key": ""}, 401),
        ({"A4A-CLIENT-APP-ID": "sample"}, 401),
        ({"X-API-KEY": "wrong"}, 403),
        ({"X-RapidAPI-Key": "wrong"}, 403),
    ],
)
def test_without_a_good_key_there_is_a_detail(api, headers, status):
    response = post(api, files=FILE, headers=headers)
    assert response.status_code == status
    problem_of_api4ai(response)


@pytest.mark.covers("auth")
def test_the_demo_needs_no_key_where_an_account_pays_for_it_and_a_wrong_key_is_still_wrong(api, monkeypatch):
    account, _ = customer()
    monkeypatch.setenv("CUTOUT_OPEN_ACCOUNT", account)
    container.cache_clear()
    result_of(post(api, files=FILE, headers={"A4A-CLIENT-APP-ID": "sample"}))
    assert images_of(account) == 1
    assert post(api, files=FILE, headers={"X-API-KEY": "wrong"}).status_code == 403
