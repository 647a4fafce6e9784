"""What real clients were seen to ask of other contracts besides the removal itself."""

import json

import pytest

from cutout.container import container
from tests.dialects.callers import customer, images_of
from tests.dialects.fal_bench import RUN, SUBMIT, data_uri, work
from tests.dialects.pictures import cat
from tests.dialects.wire import KEY, KEYS
from tests.support.in_process_api import URL

FAL = {"authorization": f"Key {KEY}", "content-type": "application/json"}
BALANCE = f"{URL}/v2.0/account_balance"
FILE = {"image": ("a.png", cat(), "image/png")}


@pytest.mark.parametrize(
    "request_of",
    [
        lambda key: {"data": {"api_key": key}},
        lambda key: {"data": {"api_key": key, "other": "1"}},
        lambda key: {"files": {"api_key": (None, key)}},
        lambda key: {"json": {"api_key": key}},
        lambda key: {"headers": {"API-KEY": key}},
    ],
    ids=["urlencoded", "with more", "multipart", "JSON", "header"],
)
def test_slazzer_tells_the_balance(api, request_of):
    _, key = customer("free", used=3)
    answer = api.post(BALANCE, **request_of(key))
    assert (answer.status_code, answer.json()) == (200, {"total_credits": 47})


@pytest.mark.parametrize("key", ["", "wrong", "ct_live_" + "x" * 43, "é"])
def test_slazzer_tells_a_bad_key_by_a_member_status(api, key):
    answer = api.post(BALANCE, data={"api_key": key})
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid api key", "status": False, "message": "invalid api key"}


def test_the_field_opens_the_balance_alone(api):
    body = {"api_key": KEY, "source_image_url": data_uri(cat())}
    assert api.post(f"{URL}/v2.0/remove_image_background", data=body).status_code == 401


@pytest.mark.parametrize(
    "request_",
    [
        {"files": {"crop": (None, "true")}},
        {"files": {"image_file": ("a.png", cat())}},
        {"files": {"source_image_file": ("a.png", b"")}},
        {"data": {"source_image_url": ""}},
        {"json": {}},
        {"data": b""},
    ],
)
@pytest.mark.parametrize("path", ["/v2.0/remove_image_background", "/api/v1/remove_image_background"])
def test_slazzer_names_a_missing_image_in_its_words(api, path, request_):
    answer = api.post(f"{URL}{path}", headers={"API-KEY": KEY}, **request_)
    assert (answer.status_code, answer.json()["error"]) == (400, "Source image file not found")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nothing", "text"),
        (b"", "empty"),
        (cat()[:200], ""),
        (b"GIF89a", ""),
        (bytes(16 * 2**20), "less than 16 MB"),
    ],
    ids=["text", "empty", "cut off", "another kind", "too large"],
)
def test_api4ai_s_failure_is_one_sentence_and_the_reason_is_beside_it(api, data, reason):
    answer = api.post(f"{URL}/v1/results", files={"image": ("a.png", data)}, headers=KEYS)
    status = answer.json()["results"][0]["status"]
    assert (answer.status_code, status["code"], status["message"]) == (200, "failure", "Can not load image.")
    assert reason in status["reason"]
    assert status["reason"]


def test_api4ai_s_413_is_a_page_with_its_sentences(api):
    answer = api.post(f"{URL}/v1/results", files={"image": ("a.png", bytes(32 * 2**20))}, headers=KEYS)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html")
    first, second = answer.text.partition("<h1>")[2].split("<h2>")
    assert first.startswith("Error: Request Entity Too Large<")
    assert second.startswith("Your client issued a request that was too large.<")


@pytest.mark.parametrize("prefix", ["/v1", "/img-bg-removal/v1"])
@pytest.mark.parametrize("mode", ["fg-image", "fg-image-shadow", "fg-mask"])
def test_api4ai_s_cars_are_results_like_others(api, prefix, mode):
    results, cars = (
        api.post(f"{URL}{prefix}{path}?mode={mode}", files=FILE, headers=KEYS).json()
        for path in ("/results", "/cars/results")
    )
    assert cars == results
    assert images_of() == 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_rembg_s_page_answers_as_a_health_check(api, method):
    answer = api.request(method, f"{URL}/api")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


@pytest.mark.parametrize(
    ("plan", "used", "left", "quota"), [("free", 3, 47, 50), ("free", 60, 0, 50), ("unlimited", 3, 10**6, 10**6)]
)
def test_photoroom_tells_plan_and_images(api, plan, used, left, quota):
    _, key = customer(plan, used=used)
    answer = api.get(f"{URL}/v1/account", headers={"x-api-key": key})
    images = {"available": left, "subscription": quota}
    assert (answer.status_code, answer.json()) == (200, {"plan": plan, "images": images, "credits": images})


@pytest.mark.parametrize("key", ["", "wrong", "sandbox_wrong"])
def test_photoroom_s_account_has_its_own_errors(api, key):
    answer = api.get(f"{URL}/v1/account", headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["type"]) == (403, "unauthorized")


@pytest.fixture
def behind_a_proxy(api, monkeypatch):
    monkeypatch.setenv("CUTOUT_PUBLIC_URL", "https://api.example.com/cutout/")
    container.cache_clear()
    return api


@pytest.mark.parametrize("host", ["10.0.0.5:8585", "api.example.com", "queue.api.example.com"])
def test_fal_s_urls_are_those_of_the_settings(behind_a_proxy, host):
    api, headers = behind_a_proxy, FAL | {"host": host, "x-forwarded-proto": "http"}
    body = json.dumps({"image_url": data_uri(cat())})
    submitted = api.post(f"{URL}{SUBMIT}", data=body, headers=headers).json()
    home = f"https://api.example.com/cutout/queue/fal-ai/ben/requests/{submitted['request_id']}"
    assert (submitted["response_url"], submitted["status_url"]) == (home, f"{home}/status")
    token = api.post(f"{URL}/storage/auth/token", data=b"{}", headers=headers).json()
    assert token["base_url"] == "https://api.example.com/cutout"
    initiated = api.post(f"{URL}/storage/upload/initiate?storage_type=gcs", data=b"{}", headers=headers).json()
    assert initiated["upload_url"].startswith("https://api.example.com/cutout/storage/upload/upl_")


def test_fal_s_queue_by_its_host_is_the_queue_of_the_public_url(behind_a_proxy):
    body = json.dumps({"image_url": data_uri(cat())})
    submitted = behind_a_proxy.post(f"{URL}{RUN}", data=body, headers=FAL | {"host": "queue.api.example.com"}).json()
    assert submitted["status_url"].startswith("https://api.example.com/cutout/queue/fal-ai/ben/requests/")


@pytest.mark.parametrize("public_url", ["", "https://api.example.com/cutout"])
@pytest.mark.parametrize("host", ["v3.fal.media", "v3b.fal.media", "rest.fal.ai", "cutout.test", "queue.cutout.test"])
def test_an_upload_of_fal_comes_back_by_the_url_of_its_host(api, monkeypatch, host, public_url):
    monkeypatch.setenv("CUTOUT_PUBLIC_URL", public_url)
    container.cache_clear()
    uploaded = api.post(f"{URL}/files/upload", data=cat(), headers=FAL | {"host": host, "x-fal-file-name": "a.png"})
    url = uploaded.json()["access_url"]
    assert url.startswith(f"{public_url}/files/" if public_url else f"http://{host}/files/")
    for path in (RUN, SUBMIT):
        made = api.post(f"{URL}{path}", data=json.dumps({"image_url": url}), headers=FAL)
        assert made.status_code == 200
    work()
    assert images_of() == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://v3.fal.media/files/acct_local/upl_" + "0" * 32 + "/a.png",
        "https://evil.fal.media.example.com/files/acct_local/upl_" + "0" * 32 + "/a.png",
    ],
)
def test_a_file_that_is_not_there_is_a_fault_of_the_input(api, url):
    answer = api.post(f"{URL}{RUN}", data=json.dumps({"image_url": url}), headers=FAL)
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "file_download_error")
    assert images_of() == 0
