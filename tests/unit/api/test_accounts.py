import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.accounts import PLANS, SUBSCRIPTION_STATUSES, KeyMode
from cutout.api.accounts import (
    MAX_LABEL_CHARS,
    MAX_QUOTA,
    MAX_RATE,
    account_id_of,
    fingerprint_of,
    parse_account,
    parse_account_page,
    parse_changes,
    parse_grace,
    parse_key,
)
from cutout.api.problems import status_of
from cutout.api.request import Headers, Request
from cutout.errors import CutoutError, InvalidOptionError, NotFoundError, UnsupportedMediaTypeError


def asking(body: object = None, media_type: str = "application/json") -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/v2/x", "/v2/x", Headers([("content-type", media_type)]), body=raw)


def test_a_key_is_live_and_has_no_label_unless_it_is_said_otherwise():
    assert (parse_key(asking(b"")).mode, parse_key(asking({})).label) == (KeyMode.LIVE, "")
    order = parse_key(asking({"mode": "synthetic", "label": "  Überwachung 7 "}))
    assert (order.mode, order.label) == (KeyMode.SYNTHETIC, "Überwachung 7")


def test_a_label_may_be_as_long_as_the_most_and_no_longer():
    assert len(parse_key(asking({"label": "x" * MAX_LABEL_CHARS})).label) == MAX_LABEL_CHARS

    with pytest.raises(InvalidOptionError) as refused:
        parse_key(asking({"label": "x" * (MAX_LABEL_CHARS + 1)}))
    assert refused.value.details["option"] == "label"


@pytest.mark.parametrize(
    ("body", "grace_s"), [({}, 600), ({"grace_s": None}, 600), ({"grace_s": 0}, 0), ({"grace_s": 600}, 600)]
)
def test_the_grace_is_the_longest_unless_less_is_asked_for(body, grace_s):
    assert parse_grace(asking(body), 600) == grace_s


def test_a_body_of_another_type_is_refused():
    with pytest.raises(UnsupportedMediaTypeError):
        parse_key(asking({"label": "x"}, "text/plain"))

    assert parse_key(asking({"label": "x"}, "application/vnd.api+json; charset=utf-8")).label == "x"


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_brings_its_bounds_to_a_new_account_and_to_a_changed_one(plan):
    account = parse_account(asking({"email": "a@example.com", "plan": plan}))
    changes = parse_changes(asking({"plan": plan}))

    for name in ("requests_per_second", "monthly_quota", "billing_model", "usage_unit"):
        assert getattr(account, name) == changes[name] == getattr(PLANS[plan], name)


def test_the_bounds_of_an_account_have_bounds():
    fine = {"requests_per_second": MAX_RATE, "monthly_quota": MAX_QUOTA}
    assert parse_changes(asking(fine)) == fine

    for name, value in (("requests_per_second", MAX_RATE + 1), ("monthly_quota", MAX_QUOTA + 1), ("monthly_quota", -1)):
        with pytest.raises(InvalidOptionError):
            parse_changes(asking({name: value}))


def test_only_a_quota_can_be_taken_away():
    body = {"monthly_quota": None, "requests_per_second": None, "plan": None, "email": None, "training_opt_in": None}

    assert parse_changes(asking(body)) == {"monthly_quota": None}


@pytest.mark.parametrize("status", SUBSCRIPTION_STATUSES)
def test_every_subscription_status_can_be_given(status):
    assert parse_changes(asking({"subscription_status": status})) == {"subscription_status": status}


@pytest.mark.parametrize(
    "fingerprint", ["", "tok_fp_", "tok_fp_0123456789AB", "tok_fp_0123456789abc", "x\n", "tok_fp_\uff1012345678901"]
)
def test_what_no_key_can_be_called_is_not_found_without_asking(fingerprint):
    with pytest.raises(NotFoundError):
        fingerprint_of(Request("DELETE", "/", "/", path_parameters={"fingerprint": fingerprint}))


@pytest.mark.parametrize(
    "account_id", ["", "acct_", "acct_#", "acct_a#PROFILE", "ACCT_1", "acct_" + "a" * 65, "acct_ä"]
)
def test_what_no_account_can_be_called_is_not_found_without_asking(account_id):
    with pytest.raises(NotFoundError):
        account_id_of(Request("GET", "/", "/", path_parameters={"id": account_id}))


def test_a_page_begins_where_its_cursor_says():
    query = {"limit": ("7",), "cursor": ("acct_1",)}

    assert parse_account_page(Request("GET", "/", "/", query=query)) == (7, "acct_1")
    assert parse_account_page(Request("GET", "/", "/", query={"limit": ("",), "cursor": ("",)})) == (20, None)
    with pytest.raises(InvalidOptionError):
        parse_account_page(Request("GET", "/", "/", query={"limit": ("7", "8")}))


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
names = (
    st.sampled_from(["mode", "label", "email", "plan", "monthly_quota", "requests_per_second", "grace_s"]) | st.text()
)
documents = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=8)


@pytest.mark.parametrize("parse", [parse_key, parse_account, parse_changes, lambda request: parse_grace(request, 60)])
@given(body=st.binary() | documents.map(lambda document: json.dumps(document).encode()))
def test_whatever_is_sent_is_understood_or_refused_below_500(parse, body):
    refusal = None
    try:
        parse(asking(body))
    except CutoutError as error:
        refusal = error

    assert refusal is None or status_of(refusal) < 500
