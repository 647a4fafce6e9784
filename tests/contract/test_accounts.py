"""Accounts, keys, quota and usage as their owners meet them, over the running service."""

import io

import httpx
import pytest
from PIL import Image

from local import ROOT
from tests.support.local_service import Service


@pytest.fixture(scope="module")
def picture() -> bytes:
    data = io.BytesIO()
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as photo:
        photo.resize((400, 300)).save(data, "PNG")
    return data.getvalue()


class Client:
    def __init__(self, service: Service, key: str) -> None:
        self._url = service.url
        self._headers = {"x-api-key": key}

    def __call__(self, method: str, path: str, **arguments) -> httpx.Response:
        return httpx.request(method, self._url + path, headers=self._headers, timeout=60, **arguments)

    def remove(self, image: bytes) -> httpx.Response:
        return self("POST", "/v2", content=image)

    def usage(self) -> dict:
        return self("GET", "/v2/account").json()["usage"]


def test_images_count_once_errors_and_synthetic_keys_never_and_the_quota_ends_it(service, make_key, picture):
    bounds = ("--requests-per-second", "1000", "--monthly-quota", "2")
    account = make_key("create-account", "--email", "q@example.com", *bounds)
    live = Client(service, make_key("create-key", account))
    synthetic = Client(service, make_key("create-key", account, "--mode", "synthetic"))

    statuses = [live.remove(image).status_code for image in (picture, b"no image", picture, picture)]
    watching = synthetic.remove(picture)

    assert statuses == [200, 400, 200, 402]
    assert watching.status_code == 200
    usage = live.usage()
    assert (usage["images"], usage["megapixels"], usage["remaining"]) == (2, 0.24, 0)
    refused = live.remove(picture)
    assert refused.json()["error"]["code"] == "quota_exceeded"
    assert refused.json()["error"]["details"]["used"] == 2


def test_an_image_that_is_sent_again_under_its_idempotency_key_counts_once(service, make_key, picture):
    key = make_key("create-key", make_key("create-account", "--email", "i@example.com", "--plan", "metered"))
    client = Client(service, key)
    headers = {"x-api-key": key, "idempotency-key": "order-7"}

    first, again = (httpx.post(f"{service.url}/v2", content=picture, headers=headers, timeout=60) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert client.usage()["images"] == 1


def test_beyond_the_rate_every_answer_is_a_429_that_says_when_to_come_back(service, make_key):
    account = make_key("create-account", "--email", "r@example.com", "--requests-per-second", "1")
    client = Client(service, make_key("create-key", account))

    answers = [client("GET", "/v2/account") for _ in range(12)]

    refused = [answer for answer in answers if answer.status_code == 429]
    seconds = {int(answer.headers["x-ratelimit-reset"]) for answer in answers}
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert len(answers) - len(refused) <= len(seconds)  # one a second
    assert all(answer.headers["x-ratelimit-limit"] == "1" for answer in answers)
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert refused or len(seconds) == len(answers)


def test_an_administrator_opens_and_closes_an_account_over_http(service, make_key, picture):
    home = make_key("create-account", "--email", "admin@example.com", "--plan", "unlimited")
    admin = Client(service, make_key("create-key", home, "--mode", "admin"))

    account = admin("POST", "/v2/admin/accounts", json={"email": "new@example.com", "plan": "metered"}).json()
    path = f"/v2/admin/accounts/{account['id']}"
    customer = Client(service, admin("POST", f"{path}/keys", json={"label": "first"}).json()["key"])
    assert customer.remove(picture).status_code == 200
    assert admin("GET", path).json()["usage"]["images"] == 1

    assert admin("PATCH", path, json={"subscription_status": "suspended"}).status_code == 200
    newcomer = admin("POST", f"{path}/keys").json()["key"]
    refused = Client(service, newcomer).remove(picture)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_suspended")
    actions = [line.split()[1] for line in make_key("list-audit", account["id"]).splitlines()]
    assert actions == ["account.create", "key.create", "account.change", "key.create"]
