"""tools/make_key.py as its users run it, against the running local service."""

import httpx

from tests.support.local_service import Service


def whose(service: Service, key: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v2/account", headers={"x-api-key": key})


def test_a_new_key_works_at_once_and_tells_its_account(service, make_key):
    key = make_key("create-key", make_key("create-account", "--email", "a@example.com"), "--mode", "synthetic")

    answer = whose(service, key)

    assert answer.status_code == 200
    assert answer.json()["account"]["email"] == "a@example.com"
    assert answer.json()["api_key"]["mode"] == "synthetic"


def test_a_revoked_key_and_a_rotated_one_are_refused(service, make_key):
    account = make_key("create-account", "--email", "b@example.com")
    revoked, rotated = make_key("create-key", account), make_key("create-key", account)
    first, second = (line.split()[0] for line in make_key("list-keys", account).splitlines())

    make_key("revoke-key", account, first)
    renewed = make_key("rotate-key", account, second)

    assert [whose(service, key).status_code for key in (revoked, rotated, renewed)] == [403, 403, 200]
