"""/v2/admin/accounts: what an admin key may do, and that nobody else may."""

import pytest

from cutout.accounts import KeyMode
from cutout.aws import clients
from cutout.container import container
from tests.functions.account_api import another, call, customer, fingerprint
from tests.support.process_state import forget

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def admin(cloud) -> str:
    return customer(KeyMode.ADMIN, "unlimited", "acct_admin")


ACCOUNTS = "/v2/admin/accounts"


def make(admin: str, **fields) -> dict:
    answer = call("POST", ACCOUNTS, admin, {"email": "n@example.com", **fields})
    assert answer.status == 201, answer.body
    return answer.body


@pytest.mark.parametrize("mode", [KeyMode.LIVE, KeyMode.SYNTHETIC])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ACCOUNTS),
        ("POST", ACCOUNTS),
        ("GET", f"{ACCOUNTS}/acct_customer"),
        ("PATCH", f"{ACCOUNTS}/acct_customer"),
        ("GET", f"{ACCOUNTS}/acct_customer/keys"),
        ("POST", f"{ACCOUNTS}/acct_customer/keys"),
        ("DELETE", f"{ACCOUNTS}/acct_customer/keys/tok_fp_000000000000"),
    ],
)
def test_without_an_admin_key_every_route_is_forbidden_even_for_one_s_own_account(mode, method, path):
    assert call(method, path, customer(mode)).code == (403, "forbidden")


def test_without_any_key_the_answer_asks_for_one():
    assert call("GET", ACCOUNTS, None).code == (401, "missing_api_key")
    assert call("GET", ACCOUNTS, "wrong").code == (403, "invalid_api_key")


def test_a_new_account_has_its_plan_s_bounds_and_no_keys(admin):
    made = make(admin)

    assert made["id"].startswith("acct_")
    assert {name: made[name] for name in made if name not in {"id", "usage"}} == {
        "email": "n@example.com",
        "plan": "free",
        "subscription_status": "active",
        "billing_model": "none",
        "usage_unit": "image",
        "requests_per_second": 2,
        "monthly_quota": 50,
        "training_opt_in": False,
    }
    assert made["usage"]["images"] == 0
    assert call("GET", f"{ACCOUNTS}/{made['id']}/keys", admin).body == {"keys": []}


def test_bounds_that_are_given_go_before_those_of_the_plan(admin):
    made = make(admin, plan="metered", requests_per_second=20, monthly_quota=1_000, training_opt_in=True)

    assert (made["plan"], made["requests_per_second"], made["monthly_quota"]) == ("metered", 20, 1_000)
    assert made["training_opt_in"] is True
    assert call("GET", f"{ACCOUNTS}/{made['id']}", admin).body == made


def test_a_key_that_an_administrator_makes_works(admin):
    made = make(admin)

    key = call("POST", f"{ACCOUNTS}/{made['id']}/keys", admin, {"mode": "synthetic", "label": "canary"})

    assert (key.status, key.body["mode"], key.body["label"]) == (201, "synthetic", "canary")
    assert call("GET", "/v2/account", key.body["key"]).body["account"]["email"] == "n@example.com"
    listed = call("GET", f"{ACCOUNTS}/{made['id']}/keys", admin).body["keys"]
    assert [entry["fingerprint"] for entry in listed] == [key.body["fingerprint"]]


def test_a_key_that_an_administrator_revokes_is_closed(admin):
    key = customer()

    revoked = call("DELETE", f"{ACCOUNTS}/acct_customer/keys/{fingerprint(key)}", admin)

    assert (revoked.status, revoked.body["status"]) == (200, "revoked")
    assert call("GET", "/v2/account", key).code == (403, "invalid_api_key")


def test_the_last_admin_key_cannot_be_lost(admin):
    path = f"{ACCOUNTS}/acct_admin"

    assert call("DELETE", f"{path}/keys/{fingerprint(admin)}", admin).code == (409, "conflict")
    assert call("PATCH", path, admin, {"subscription_status": "suspended"}).code == (409, "conflict")

    forget()
    assert call("GET", path, admin).body["subscription_status"] == "active"


def test_of_two_admin_keys_one_may_revoke_the_other(admin):
    second = another(KeyMode.ADMIN, "acct_admin")

    assert call("DELETE", f"{ACCOUNTS}/acct_admin/keys/{fingerprint(second)}", admin).status == 200
    assert call("DELETE", f"{ACCOUNTS}/acct_admin/keys/{fingerprint(admin)}", second).code == (403, "invalid_api_key")


def test_a_suspended_account_is_stopped_and_comes_back(admin):
    key = customer()
    path = f"{ACCOUNTS}/acct_customer"

    assert call("PATCH", path, admin, {"subscription_status": "suspended"}).body["subscription_status"] == "suspended"
    assert call("GET", "/v2/account/keys", key).code == (403, "account_suspended")
    forget()
    call("PATCH", path, admin, {"subscription_status": "active"})
    forget()
    assert call("GET", "/v2/account/keys", key).status == 200


def test_another_plan_brings_its_bounds_and_keeps_what_is_no_bound(admin):
    customer(plan="free")
    path = f"{ACCOUNTS}/acct_customer"
    call("PATCH", path, admin, {"training_opt_in": True})

    changed = call("PATCH", path, admin, {"plan": "metered"}).body

    assert (changed["plan"], changed["billing_model"]) == ("metered", "metered_monthly")
    assert (changed["requests_per_second"], changed["monthly_quota"]) == (1_000, None)
    assert changed["training_opt_in"] is True
    kept = call("PATCH", path, admin, {"plan": "free", "monthly_quota": 75, "email": "new@example.com"}).body
    assert (kept["requests_per_second"], kept["monthly_quota"], kept["email"]) == (2, 75, "new@example.com")


def test_null_takes_the_bound_of_a_quota_away_and_zero_stops_all(admin):
    customer(plan="free")
    path = f"{ACCOUNTS}/acct_customer"

    assert call("PATCH", path, admin, {"monthly_quota": None}).body["monthly_quota"] is None
    assert call("PATCH", path, admin, {"monthly_quota": 0}).body["usage"]["remaining"] == 0


def test_nothing_to_change_changes_nothing(admin):
    customer(plan="free")
    before = call("GET", f"{ACCOUNTS}/acct_customer", admin).body

    assert call("PATCH", f"{ACCOUNTS}/acct_customer", admin).body == before
    assert call("PATCH", f"{ACCOUNTS}/acct_customer", admin, {"plan": None, "email": None}).body == before


def test_the_list_goes_over_all_accounts_page_by_page(admin):
    made = {make(admin)["id"] for _ in range(4)} | {"acct_admin", "acct_local"}

    found, cursor, pages = [], "", 0
    while cursor is not None:
        page = call("GET", ACCOUNTS, admin, query={"limit": "2", "cursor": cursor}).body
        found += [account["id"] for account in page["accounts"]]
        cursor, pages = page["next_cursor"], pages + 1

    assert found == sorted(made)
    assert pages in {3, 4}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", ACCOUNTS, {}, 400),
        ("POST", ACCOUNTS, {"email": ""}, 400),
        ("POST", ACCOUNTS, {"email": "nobody"}, 400),
        ("POST", ACCOUNTS, {"email": "a@b@c"}, 400),
        ("POST", ACCOUNTS, {"email": f"{'a' * 250}@b.example"}, 400),
        ("POST", ACCOUNTS, {"email": 7}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "plan": "platinum"}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "id": "acct_mine"}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "requests_per_second": 0}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "requests_per_second": "5"}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "monthly_quota": -1}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "monthly_quota": 1.0}, 400),
        ("POST", ACCOUNTS, {"email": "a@b", "training_opt_in": "yes"}, 400),
        ("PATCH", f"{ACCOUNTS}/acct_local", {"subscription_status": "gone"}, 400),
        ("PATCH", f"{ACCOUNTS}/acct_local", {"subscription_status": {}}, 400),
        ("PATCH", f"{ACCOUNTS}/acct_nobody", {"plan": "free"}, 404),
        ("PATCH", f"{ACCOUNTS}/nobody", {"plan": "free"}, 404),
        ("GET", f"{ACCOUNTS}/acct_nobody", None, 404),
        ("GET", f"{ACCOUNTS}/acct_nobody/keys", None, 404),
        ("POST", f"{ACCOUNTS}/acct_nobody/keys", {}, 404),
        ("DELETE", f"{ACCOUNTS}/acct_local/keys/tok_fp_000000000000", None, 404),
        ("DELETE", f"{ACCOUNTS}/acct_local/keys/x", None, 404),
        ("DELETE", f"{ACCOUNTS}/acct_local", None, 405),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(admin, method, path, body, status):
    before = call("GET", ACCOUNTS, admin).body

    assert call(method, path, admin, body).status == status
    assert call("GET", ACCOUNTS, admin).body == before


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": "²"}, {"cursor": "x"}, {"cursor": "acct_" * 20}],
)
def test_a_page_that_cannot_be_is_refused(admin, query):
    assert call("GET", ACCOUNTS, admin, query=query).code == (400, "invalid_option")


def test_what_was_done_is_in_the_audit_with_the_request_that_did_it(admin):
    made = make(admin)
    call("POST", f"{ACCOUNTS}/{made['id']}/keys", admin)
    call("PATCH", f"{ACCOUNTS}/{made['id']}", admin, {"plan": "metered"})

    items = clients.dynamodb_client().scan(TableName=container().settings.accounts_table)["Items"]
    of_account = [item for item in items if item["pk"]["S"] == f"ACCOUNT#{made['id']}"]
    entries = sorted((item for item in of_account if "action" in item), key=lambda item: item["sk"]["S"])
    assert [item["action"]["S"] for item in entries] == ["account.create", "key.create", "account.change"]
    assert {item["actor"]["S"] for item in entries} == {fingerprint(admin)}
    assert all(item["request_id"]["S"].startswith("req_") for item in entries)
