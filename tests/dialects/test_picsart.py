"""Picsart: images in by every way, URLs out, at once or later; keys, headers, charges."""

import base64
import re

import numpy as np
import pytest
import requests

from cutout.accounts import KeyMode
from cutout.aws import clients
from cutout.container import container
from tests.dialects import shapes
from tests.dialects.callers import LOCAL, customer, images_of
from tests.dialects.fal_bench import stored, work
from tests.dialects.picsart_client import KEY, REMOVE, ask, made
from tests.dialects.pictures import astronaut, opened, pixels, plain
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

DATA_URI = "data:image/jpeg;base64," + base64.b64encode(astronaut()).decode()


def image_of(response: requests.Response) -> np.ndarray:
    shapes.success_of_picsart(response)
    return pixels(stored(response.json()["data"]["url"]))


# ---------------------------------------------------------------- Images in, a URL out


@pytest.mark.covers("happy")
def test_a_file_becomes_a_url_of_its_cutout_and_costs_one_image(api):
    response = ask(api)
    shapes.success_of_picsart(response)
    picture = opened(stored(response.json()["data"]["url"]))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (160, 160))
    alpha = np.asarray(picture)[..., 3]
    assert alpha[5, 5] == 0
    assert alpha[100, 80] == 255
    assert images_of() == 1


@pytest.mark.covers("happy")
def test_the_url_works_without_a_key_and_brings_the_image_with_its_type(api):
    for options, media_type in (
        ({}, "image/png"),
        ({"format": "JPG"}, "image/jpeg"),
        ({"format": "WEBP"}, "image/webp"),
    ):
        answer = requests.get(ask(api, **options).json()["data"]["url"], timeout=10)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert opened(answer.content).size == (160, 160)


@pytest.mark.covers("happy")
@pytest.mark.parametrize("encode", ["multipart", "urlencoded", "json"])
@pytest.mark.parametrize("given", ["url", "data"])
def test_an_image_may_be_behind_a_url_or_in_a_data_uri(api, encode, given, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    (file_server.folder / "astronaut.jpg").write_bytes(astronaut())
    fields = {"image_url": f"{file_server.url}/astronaut.jpg" if given == "url" else DATA_URI, "bg_color": "blue"}
    body = {
        "multipart": {"files": {name: (None, value) for name, value in fields.items()}},
        "urlencoded": {"data": fields},
        "json": {"json": fields},
    }[encode]
    picture = image_of(api.post(REMOVE, headers=KEY, **body))
    assert picture.shape == (160, 160, 3)
    assert picture[5, 5].tolist() == [0, 0, 255]


@pytest.mark.covers("happy")
def test_json_may_have_numbers_booleans_and_nothing(api):
    options = {"image_url": DATA_URI, "stroke_size": 6, "stroke_color": None, "auto_center": True, "bg_image_url": None}
    with_text = made(api, stroke_size="6", auto_center="true")
    assert np.array_equal(image_of(api.post(REMOVE, headers=KEY, json=options)), with_text)


@pytest.mark.covers("happy")
def test_an_image_id_is_that_of_an_upload_and_so_is_a_background_s(api):
    def uploaded(image: bytes) -> str:
        upload = api.post(f"{URL}/v2/uploads", headers={"x-api-key": LIVE_KEY}, json={}).json()
        key = f"direct/{LOCAL}/{upload['upload_id']}"
        clients.s3_client().put_object(Bucket=container().settings.uploads_bucket, Key=key, Body=image)
        return upload["upload_id"]

    options = {"image_id": uploaded(astronaut()), "bg_image_id": uploaded(plain(80, 60))}
    assert image_of(api.post(REMOVE, headers=KEY, json=options)).shape == (60, 80, 3)


@pytest.mark.covers("happy")
def test_fields_that_nobody_knows_are_left_alone(api):
    assert ask(api, model="urn:air:picsart:model:picsart:sod@11", something="else").status_code == 200


@pytest.mark.covers("happy")
def test_a_synthetic_key_is_served_and_pays_nothing(api):
    account, key = customer(mode=KeyMode.SYNTHETIC)
    response = ask(api, headers={"X-Picsart-API-Key": key})
    shapes.success_of_picsart(response)
    left = response.headers["x-picsart-credit-available"]
    assert ask(api, headers={"X-Picsart-API-Key": key}).headers["x-picsart-credit-available"] == left
    assert images_of(account) == 0


# ---------------------------------------------------------------- Headers


@pytest.mark.covers("happy")
def test_every_answer_tells_the_rate_the_credits_and_a_correlation_id(api):
    _, key = customer("free", used=10, rate=20)
    response = ask(api, headers={"X-Picsart-API-Key": key})
    shapes.success_of_picsart(response)
    told = {name.lower(): value for name, value in response.headers.items() if name.lower().startswith("x-picsart")}
    quota = api.get(f"{URL}/v2/account", headers={"x-api-key": key}).json()["usage"]["quota"]
    assert told["x-picsart-ratelimit-limit"] == "20"
    assert int(told["x-picsart-ratelimit-available"]) in range(20)
    assert told["x-picsart-ratelimit-reset-time"] == "1"
    assert told["x-picsart-credit-available"] == str(quota - 11)
    assert re.match(r"req_", told["x-picsart-correlation-id"])


@pytest.mark.covers("happy")
def test_the_balance_is_what_is_left_of_the_month(api):
    _, key = customer("free", used=10)
    response = api.get(f"{URL}/tools/1.0/balance", headers={"X-Picsart-API-Key": key})
    shapes.success_of_picsart(response)
    quota = api.get(f"{URL}/v2/account", headers={"x-api-key": key}).json()["usage"]["quota"]
    assert response.json() == {"credits": quota - 10}
    assert response.headers["x-picsart-credit-available"] == str(quota - 10)


@pytest.mark.covers("happy")
@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "application/*", "text/html, application/json;q=0.1", None]
)
def test_accept_may_allow_json_in_any_way_or_be_left_out(api, accept):
    assert ask(api, headers={"Accept": accept}).status_code == 200


# ---------------------------------------------------------------- Later


@pytest.mark.covers("happy")
def test_who_prefers_not_to_wait_gets_a_transaction_and_then_its_url(api):
    response = ask(api, headers={"Prefer": "respond-async"}, stroke_size="8", stroke_color="lime", format="WEBP")
    shapes.success_of_picsart(response)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    place = f"{URL}/tools/1.0/image/{response.json()['transaction_id']}"
    waiting = api.get(place, headers=KEY)
    shapes.success_of_picsart(waiting)
    assert (waiting.status_code, waiting.json()) == (202, response.json())
    assert images_of() == 0

    work()

    done = api.get(place, headers=KEY)
    shapes.success_of_picsart(done)
    assert done.json()["data"]["id"] == response.json()["transaction_id"]
    picture = opened(stored(done.json()["data"]["url"]))
    assert picture.format == "WEBP"
    now = made(api, stroke_size="8", stroke_color="lime", format="WEBP")
    assert np.array_equal(np.asarray(picture), now)
    assert images_of() == 2


@pytest.mark.covers("happy")
def test_a_background_behind_a_url_is_put_off_too_and_any_other_is_not(api, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    (file_server.folder / "navy.png").write_bytes(plain(90, 70))
    later = {"Prefer": "respond-async"}
    response = ask(api, headers=later, bg_image_url=f"{file_server.url}/navy.png")
    assert response.status_code == 202
    work()
    made_later = image_of(api.get(f"{URL}/tools/1.0/image/{response.json()['transaction_id']}", headers=KEY))
    at_once = ask(api, headers=later, background=plain(90, 70))
    assert (at_once.status_code, "preference-applied" in at_once.headers) == (200, False)
    assert made_later.shape == (70, 90, 3)
    assert np.array_equal(made_later, image_of(at_once))


@pytest.mark.covers("errors")
def test_a_transaction_that_came_to_nothing_is_the_problem_that_it_had(api):
    response = ask(api, b"no image at all, but long enough to be one", headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    work()
    answer = api.get(f"{URL}/tools/1.0/image/{response.json()['transaction_id']}", headers=KEY)
    shapes.problem_of_picsart(answer)
    assert answer.status_code == 422
    assert images_of() == 0


@pytest.mark.covers("errors")
def test_a_transaction_of_another_account_or_of_nobody_is_not_there(api):
    mine = ask(api, headers={"Prefer": "respond-async"}).json()["transaction_id"]
    _, key = customer()
    for name, headers in ((mine, {"X-Picsart-API-Key": key}), ("job_" + "0" * 32, KEY), ("x", KEY)):
        answer = api.get(f"{URL}/tools/1.0/image/{name}", headers=headers)
        shapes.problem_of_picsart(answer)
        assert answer.status_code == 404


@pytest.mark.covers("errors")
def test_a_transaction_that_was_deleted_is_not_there(api):
    mine = ask(api, headers={"Prefer": "respond-async"}).json()["transaction_id"]
    api.delete(f"{URL}/v2/jobs/{mine}", headers={"x-api-key": LIVE_KEY})
    assert api.get(f"{URL}/tools/1.0/image/{mine}", headers=KEY).status_code == 404


# ---------------------------------------------------------------- Keys


@pytest.mark.covers("auth")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Picsart-API-Key": LIVE_KEY},
        {"x-picsart-api-key": f"{LIVE_KEY} "},
        {"x-api-key": LIVE_KEY},
        {"Authorization": f"Bearer {LIVE_KEY}"},
    ],
)
def test_the_key_may_be_spelled_as_the_vendor_does_or_as_we_do(api, headers):
    response = api.get(f"{URL}/tools/1.0/balance", headers=headers)
    shapes.success_of_picsart(response)


@pytest.mark.covers("auth")
def test_a_key_in_the_query_string_is_taken_where_the_stack_allows_that(api, monkeypatch):
    place = f"{URL}/tools/1.0/balance?X-Picsart-API-Key={LIVE_KEY}"
    assert api.get(place).status_code == 401
    container.cache_clear()
    monkeypatch.setenv("CUTOUT_LEGACY_KEYS", "true")
    assert api.get(place).status_code == 200
    assert api.get(place.lower()).status_code == 200


@pytest.mark.covers("auth")
@pytest.mark.parametrize("headers", [{}, {"X-Picsart-API-Key": ""}, {"X-Picsart-API-Key": "unknown"}])
def test_without_a_good_key_nothing_is_done(api, headers):
    for response in (
        api.post(REMOVE, files={"image": ("image", astronaut())}, headers=headers),
        api.get(f"{URL}/tools/1.0/balance", headers=headers),
        api.get(f"{URL}/tools/1.0/image/x", headers=headers),
    ):
        shapes.problem_of_picsart(response)
        assert response.status_code == 401
        assert response.json()["message"] == "Unauthorized"
