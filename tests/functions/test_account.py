"""/v2/account and what is below it: the key, the usage, the keys of the account, its webhooks' secret."""

from datetime import UTC, datetime, timedelta

import pytest

from cutout.accounts import OPERATOR, KeyMode
from cutout.aws import clients
from cutout.aws.dynamodb.rate_limiter import DynamoRateLimiter
from cutout.container import container
from cutout.outbound.connection import ExchangeFailure
from cutout.usage import Charge, Usage, month_of
from cutout_client.webhooks import verify
from tests.functions.account_api import another, call, customer, fingerprint
from tests.support.process_state import forget

pytestmark = pytest.mark.usefixtures("cloud")


def test_the_account_shows_the_usage_of_the_month_beside_what_the_contract_has():
    key = customer(plan="free")
    now = datetime.now(UTC)
    for name in ("req_1", "req_1", "req_2"):
        container().usage.record(Charge(name, "acct_customer", Usage.of_image(4_000, 3_000, 10, 10), now, 1))

    answer = call("GET", "/v2/account", key)

    assert answer.status == 200
    assert answer.body == {
        "status": "ok",
        "api_key": {"valid": True, "mode": "live", "fingerprint": fingerprint(key)},
        "account": {
            "email": "c@example.com",
            "plan": "free",
            "subscription_status": "active",
            "billing_model": "none",
            "usage_unit": "image",
            "training_opt_in": False,
        },
        "usage": {"period": month_of(now), "images": 2, "megapixels": 24.0, "quota": 50, "remaining": 48},
    }


def test_the_usage_is_told_by_day_and_key():
    key = customer()
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for name, by, at in (("req_1", fingerprint(key), noon), ("req_2", fingerprint(key), noon), ("drop", "", noon)):
        container().usage.record(Charge(name, "acct_customer", Usage.of_image(4_000, 3_000, 10, 10), at, 1, by))

    answer = call("GET", "/v2/account/usage", key, query={"month": "2026-11"})

    assert answer.status == 200
    assert answer.body == {
        "period": "2026-11",
        "days": [
            {"day": "2026-11-20", "key": None, "images": 1, "megapixels": 12.0},
            {"day": "2026-11-20", "key": fingerprint(key), "images": 2, "megapixels": 24.0},
        ],
    }
    now = call("GET", "/v2/account/usage", key, query={"month": ""}).body
    assert now == {"period": month_of(datetime.now(UTC)), "days": now["days"]}


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "november", "2026-11-20", "0000-01"])
def test_a_month_that_is_none_is_refused(month):
    assert call("GET", "/v2/account/usage", customer(), query={"month": month}).code == (400, "invalid_option")


def test_a_receiver_is_tried_by_a_signed_event(monkeypatch):
    posted = {}

    def post(url, body, headers, policy):
        posted[url] = verify(body, headers, call("GET", "/v2/account/webhook-secret", key).body["secret"])
        return 204

    monkeypatch.setattr("cutout.container.post", post)
    key, url = customer(), "https://hooks.example.com/cutout"
    answer = call("POST", "/v2/account/webhook-test", key, {"webhook_url": url})

    assert (answer.status, answer.body["delivered"], answer.body["status"]) == (200, True, 204)
    assert (posted[url]["type"], posted[url]["id"], posted[url]["data"]) == (
        "webhook.test",
        answer.body["event_id"],
        {},
    )


@pytest.mark.parametrize(
    ("came", "status", "failure"), [(500, 500, None), (302, 302, None), (ExchangeFailure.TOO_SLOW, None, "too_slow")]
)
def test_a_receiver_that_does_not_take_the_event_is_told(monkeypatch, came, status, failure):
    monkeypatch.setattr("cutout.container.post", lambda *_, **__: came)
    answer = call("POST", "/v2/account/webhook-test", customer(), {"webhook_url": "https://hooks.example.com/"})

    told = {name: answer.body[name] for name in ("delivered", "status", "failure")}
    assert told == {"delivered": False, "status": status, "failure": failure}


@pytest.mark.parametrize(
    "body", [{}, {"webhook_url": ""}, {"webhook_url": "http://127.0.0.1/"}, {"url": "https://a.b"}]
)
def test_a_receiver_that_may_not_be_posted_to_is_refused(body):
    assert call("POST", "/v2/account/webhook-test", customer(), body).code == (400, "invalid_option")


def test_an_account_without_bound_has_no_quota():
    usage = call("GET", "/v2/account", customer()).body["usage"]

    assert (usage["images"], usage["megapixels"], usage["quota"], usage["remaining"]) == (0, 0, None, None)


@pytest.fixture
def second_stands_still(monkeypatch):
    """The limiter's clock."""

    def stand_still() -> None:
        limiter = DynamoRateLimiter(
            clients.dynamodb_client(), container().settings.accounts_table, pytest.fail, lambda: 1_000
        )
        monkeypatch.setattr(container().access, "_limiter", limiter)

    return stand_still


def test_every_answer_tells_the_rate_and_beyond_it_when_to_come_back(second_stands_still):
    key = customer(plan="free")
    second_stands_still()

    answers = [
        call("GET", "/v2/account", key),
        call("DELETE", "/v2/account/keys/nothing", key),
        call("GET", "/v2/account", key),
    ]

    assert [answer.status for answer in answers] == [200, 404, 429]
    told = [[answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")] for answer in answers]
    assert told == [["2", "1", "1001"], ["2", "0", "1001"], ["2", "0", "1001"]]
    assert answers[2].headers["retry-after"] == "1"
    assert answers[2].body["error"]["details"] == {"retry_after_s": 1, "limit": 2, "remaining": 0, "reset": 1001}


def test_who_is_not_let_in_is_not_told_any_rate():
    for key in (None, "wrong"):
        assert not [name for name in call("GET", "/v2/account", key).headers if name.startswith("x-ratelimit")]


def test_a_suspended_account_sees_itself_and_can_do_nothing_else():
    key = customer()
    store = container().account_service._accounts
    store.change("acct_customer", {"subscription_status": "suspended"}, OPERATOR)

    assert call("GET", "/v2/account", key).body["account"]["subscription_status"] == "suspended"
    refused = call("GET", "/v2/account/keys", key)
    assert refused.code == (403, "account_suspended")
    assert refused.headers["x-ratelimit-limit"] == "1000"


def test_a_new_key_is_shown_once_and_works():
    key = customer()

    made = call("POST", "/v2/account/keys", key, {"label": " laptop "})

    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    assert made.body["key"].startswith("ct_live_")
    assert (made.body["label"], made.body["mode"], made.body["status"]) == ("laptop", "live", "active")
    assert call("GET", "/v2/account", made.body["key"]).body["api_key"]["fingerprint"] == made.body["fingerprint"]
    listed = call("GET", "/v2/account/keys", key)
    assert {entry["fingerprint"] for entry in listed.body["keys"]} == {fingerprint(key), made.body["fingerprint"]}
    assert made.body["key"] not in str(listed.body)


def test_a_key_without_a_body_is_a_live_one_without_label():
    made = call("POST", "/v2/account/keys", customer())

    assert (made.status, made.body["mode"], made.body["label"]) == (201, "live", "")


def test_a_rotated_key_opens_beside_its_successor_for_the_time_of_grace():
    key = customer()

    made = call("POST", f"/v2/account/keys/{fingerprint(key)}/rotate", key, {"grace_s": 600})

    assert made.status == 201
    until = datetime.fromisoformat(made.body["replaces"]["valid_until"])
    assert until - datetime.fromisoformat(made.body["created_at"]) == timedelta(seconds=600)
    forget()
    assert call("GET", "/v2/account", key).status == 200
    assert call("GET", "/v2/account", made.body["key"]).status == 200


def test_the_grace_is_a_day_unless_less_is_asked_for():
    key = customer()

    made = call("POST", f"/v2/account/keys/{fingerprint(key)}/rotate", key)

    until = datetime.fromisoformat(made.body["replaces"]["valid_until"])
    assert until - datetime.fromisoformat(made.body["created_at"]) == timedelta(days=1)


def test_without_grace_a_rotated_key_is_closed_at_once():
    key = customer()

    made = call("POST", f"/v2/account/keys/{fingerprint(key)}/rotate", key, {"grace_s": 0})

    assert made.body["replaces"]["status"] == "revoked"
    forget()
    assert call("GET", "/v2/account", key).code == (403, "invalid_api_key")
    assert call("GET", "/v2/account", made.body["key"]).status == 200


def test_a_key_on_its_way_out_works_but_manages_nothing():
    key = customer()
    other = another(KeyMode.LIVE)
    call("POST", f"/v2/account/keys/{fingerprint(key)}/rotate", other)
    forget()

    assert call("GET", "/v2/account", key).status == 200
    for method, path in (("POST", "/v2/account/keys"), ("DELETE", f"/v2/account/keys/{fingerprint(other)}")):
        assert call(method, path, key).code == (403, "forbidden")


def test_a_cached_key_that_was_revoked_meanwhile_manages_nothing():
    key = customer()
    other = another(KeyMode.LIVE)
    call("GET", "/v2/account", key)
    call("DELETE", f"/v2/account/keys/{fingerprint(key)}", other)

    assert call("GET", "/v2/account", key).status == 200  # for up to 60 s
    assert call("POST", "/v2/account/keys", key).code == (403, "invalid_api_key")


def test_a_revoked_key_is_shown_as_such_and_refused():
    key = customer()
    other = another(KeyMode.LIVE)

    revoked = call("DELETE", f"/v2/account/keys/{fingerprint(other)}", key)

    assert (revoked.status, revoked.body["status"]) == (200, "revoked")
    assert call("GET", "/v2/account", other).code == (403, "invalid_api_key")
    assert call("DELETE", f"/v2/account/keys/{fingerprint(other)}", key).status == 200


def test_a_key_cannot_revoke_itself():
    key = customer()

    refused = call("DELETE", f"/v2/account/keys/{fingerprint(key)}", key)

    assert refused.code == (409, "conflict")
    forget()
    assert call("GET", "/v2/account", key).status == 200


@pytest.mark.parametrize("mode", ["synthetic", "admin"])
def test_only_an_admin_key_makes_keys_that_are_never_charged_or_rule_accounts(mode):
    assert call("POST", "/v2/account/keys", customer(), {"mode": mode}).code == (403, "forbidden")

    admin = another(KeyMode.ADMIN)
    assert call("POST", "/v2/account/keys", admin, {"mode": mode}).body["mode"] == mode


def test_a_live_key_cannot_close_the_account_s_admin_key():
    key = customer()
    admin = fingerprint(another(KeyMode.ADMIN))

    assert call("DELETE", f"/v2/account/keys/{admin}", key).code == (403, "forbidden")
    assert call("POST", f"/v2/account/keys/{admin}/rotate", key).code == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v2/account/keys"), ("GET", "/v2/account/webhook-secret"), ("POST", "/v2/account/webhook-secret")],
)
def test_a_synthetic_key_leads_to_no_other_key_and_no_secret(method, path):
    assert call(method, path, customer(KeyMode.SYNTHETIC)).code == (403, "forbidden")


def test_another_account_s_key_is_not_there():
    key = customer()
    stranger = fingerprint(customer(account_id="acct_stranger"))

    assert call("DELETE", f"/v2/account/keys/{stranger}", key).code == (404, "not_found")
    assert call("POST", f"/v2/account/keys/{stranger}/rotate", key).code == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/account/keys", b"{", 400),
        ("/v2/account/keys", b"[]", 400),
        ("/v2/account/keys", b"\xff", 400),
        ("/v2/account/keys", b"[" * 10_000, 400),
        ("/v2/account/keys", {"mode": "root"}, 400),
        ("/v2/account/keys", {"mode": ["live"]}, 400),
        ("/v2/account/keys", {"label": "x" * 101}, 400),
        ("/v2/account/keys", {"label": "\ud800"}, 400),
        ("/v2/account/keys", {"label": "a\nb"}, 400),
        ("/v2/account/keys", {"label": 5}, 400),
        ("/v2/account/keys", {"Label": "x"}, 400),
        ("/v2/account/keys", {"x" * 10_000: 1}, 400),
        ("/v2/account/keys/{own}/rotate", {"grace_s": -1}, 400),
        ("/v2/account/keys/{own}/rotate", {"grace_s": 86_401}, 400),
        ("/v2/account/keys/{own}/rotate", {"grace_s": True}, 400),
        ("/v2/account/keys/{own}/rotate", {"grace_s": 1.5}, 400),
        ("/v2/account/keys/{own}/rotate", {"grace_s": 10**400}, 400),
        ("/v2/account/keys/tok_fp_zzz/rotate", {}, 404),
        ("/v2/account/keys/%00/rotate", {}, 404),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(path, body, status):
    key = customer()

    refused = call("POST", path.replace("{own}", fingerprint(key)), key, body)

    assert refused.status == status, refused.body
    assert [entry["status"] for entry in call("GET", "/v2/account/keys", key).body["keys"]] == ["active"]


def test_the_webhook_secret_is_the_same_until_it_is_rotated():
    key = customer()

    first = call("GET", "/v2/account/webhook-secret", key)
    again = call("GET", "/v2/account/webhook-secret", key)
    rotated = call("POST", "/v2/account/webhook-secret", key)

    assert (first.status, rotated.status) == (200, 201)
    assert first.body == again.body
    assert first.body["secret"].startswith("whsec_")
    assert first.body["previous_valid_until"] is None
    assert rotated.body["secret"] != first.body["secret"]
    assert rotated.body["previous_valid_until"] is not None
    assert first.headers["cache-control"] == rotated.headers["cache-control"] == "no-store"
    signing = container().webhook_secrets.signing("acct_customer", datetime.now(UTC))
    assert signing == (rotated.body["secret"], first.body["secret"])


def test_a_quota_that_was_changed_is_seen_within_a_minute():
    key = customer(plan="free")
    assert call("GET", "/v2/account", key).body["usage"]["quota"] == 50
    container().account_service._accounts.change("acct_customer", {"monthly_quota": 70}, OPERATOR)
    forget()

    assert call("GET", "/v2/account", key).body["usage"]["quota"] == 70


def test_nothing_that_is_logged_holds_a_key_or_a_secret(caplog):
    key = customer()
    made = call("POST", "/v2/account/keys", key)
    rotated = call("POST", f"/v2/account/keys/{made.body['fingerprint']}/rotate", key)
    secret = call("POST", "/v2/account/webhook-secret", key)

    logged = [vars(record) for record in caplog.records]
    for hidden in (key, made.body["key"], rotated.body["key"], secret.body["secret"]):
        assert hidden not in repr(logged)
    actions = [line["action"] for line in logged if line["msg"] == "audit"]
    assert actions[-3:] == ["key.create", "key.rotate", "webhook_secret.rotate"]


def test_a_method_that_a_route_has_not_is_refused_with_those_it_has():
    key = customer()

    refused = call("PUT", "/v2/account/keys", key)

    assert refused.code == (405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("wanted", [True, False])
def test_the_owner_sees_and_sets_whether_images_are_kept_for_training(wanted):
    key = customer()
    assert call("GET", "/v2/account", key).body["account"]["training_opt_in"] is False
    changed = call("PATCH", "/v2/account", key, {"training_opt_in": wanted})
    assert (changed.status, changed.body["account"]["training_opt_in"]) == (200, wanted)
    assert call("GET", "/v2/account", key).body["account"]["training_opt_in"] is wanted
    assert container().keys.find_account("acct_customer").training_opt_in is wanted


def test_the_owner_s_choice_is_in_the_audit_with_who_made_it():
    key = customer()
    call("PATCH", "/v2/account", key, {"training_opt_in": True})
    call("PATCH", "/v2/account", key, {"training_opt_in": True})
    changes = [entry for entry in container().keys.audit("acct_customer") if entry.action == "account.change"]
    assert [entry.changes for entry in changes] == [{"training_opt_in": True}]
    assert changes[0].actor.name == fingerprint(key)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"training_opt_in": None}, 400),
        ({"training_opt_in": "true"}, 400),
        ({"training_opt_in": 1}, 400),
        ({"training_opt_in": True, "monthly_quota": None}, 400),
        ({"plan": "unlimited"}, 400),
        (b"[]", 400),
        (b"{", 400),
        (b"", 400),
    ],
)
def test_an_owner_changes_nothing_else(body, status):
    key = customer(plan="free")
    assert call("PATCH", "/v2/account", key, body).status == status
    account = container().keys.find_account("acct_customer")
    assert (account.training_opt_in, account.plan, account.monthly_quota) == (False, "free", 50)


def test_a_synthetic_key_does_not_choose_for_the_owner():
    key = customer(KeyMode.SYNTHETIC)
    assert call("PATCH", "/v2/account", key, {"training_opt_in": True}).code == (403, "forbidden")
