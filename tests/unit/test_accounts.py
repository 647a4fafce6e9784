import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.accounts import PLANS, Account, KeyMode, new_account_id
from cutout.authentication import MAX_KEY_CHARS, authenticate, fingerprint_key, hash_key, new_key
from cutout.errors import CutoutError, InvalidApiKeyError, MissingApiKeyError
from tests.support.key_stores import MemoryKeyStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def store() -> MemoryKeyStore:
    store = MemoryKeyStore()
    store.create_account(Account.on_plan("acct_1", "a@example.com", PLANS["metered"]))
    return store


@pytest.mark.parametrize("mode", KeyMode)
def test_a_new_key_has_the_documented_form(mode):
    assert re.fullmatch(rf"ct_{mode.value}_[A-Za-z0-9_-]{{43}}", new_key(mode))


def test_no_two_new_keys_or_accounts_are_alike():
    assert len({new_key(KeyMode.LIVE) for _ in range(100)}) == 100
    assert len({new_account_id() for _ in range(100)}) == 100
    assert re.fullmatch(r"acct_[0-9a-f]{16}", new_account_id())


def test_the_hash_is_the_sha256_of_the_key_and_the_fingerprint_its_beginning():
    key_hash = hash_key("local-development-key")

    assert key_hash == hashlib.sha256(b"local-development-key").hexdigest()
    assert fingerprint_key(key_hash) == "tok_fp_" + key_hash[:12]


@pytest.mark.parametrize("raw_key", [None, ""])
def test_without_a_key_the_answer_says_that_one_is_missing(store, raw_key):
    with pytest.raises(MissingApiKeyError):
        authenticate(raw_key, store)


@pytest.mark.parametrize("mode", KeyMode)
def test_an_active_key_leads_to_its_account(store, mode):
    raw_key = new_key(mode)
    key = store.create_key("acct_1", raw_key, mode, "laptop")

    caller = authenticate(raw_key, store, NOON)

    assert caller.account == store.accounts["acct_1"]
    assert caller.key == key


def test_a_key_without_our_prefix_works_too(store):
    store.create_key("acct_1", "local-development-key", KeyMode.LIVE)

    assert authenticate("local-development-key", store).account.id == "acct_1"


@pytest.mark.parametrize(
    "raw_key",
    [
        "unknown",
        "ct_live_" + "A" * 43,
        "k" * (MAX_KEY_CHARS + 1),
        "k" * 1_000_000,
        "schlüssel",
        "\udcff",
        "\x00",
        " ",
        "🔑" * 10,
    ],
)
def test_a_key_that_nobody_has_is_invalid(store, raw_key):
    with pytest.raises(InvalidApiKeyError):
        authenticate(raw_key, store)


def test_a_revoked_key_is_refused_in_the_words_for_an_unknown_one(store):
    key = store.create_key("acct_1", "old", KeyMode.LIVE)
    store.revoke("acct_1", key.fingerprint)

    with pytest.raises(InvalidApiKeyError) as revoked:
        authenticate("old", store)
    with pytest.raises(InvalidApiKeyError) as unknown:
        authenticate("never was", store)

    assert revoked.value.message == unknown.value.message
    assert revoked.value.details == unknown.value.details == {}


def test_a_key_differing_in_one_letter_or_in_case_is_another_key(store):
    store.create_key("acct_1", "Key", KeyMode.LIVE)

    for raw_key in ("key", "Key ", "Keys", "Ke"):
        with pytest.raises(InvalidApiKeyError):
            authenticate(raw_key, store)


def test_the_day_of_use_is_noted_and_never_goes_back(store):
    store.create_key("acct_1", "key", KeyMode.LIVE)

    authenticate("key", store, NOON)
    authenticate("key", store, NOON - timedelta(days=1))

    assert store.keys[hash_key("key")].last_used_day == NOON.date()


def test_the_use_of_a_revoked_key_is_not_noted(store):
    key = store.create_key("acct_1", "key", KeyMode.LIVE)
    store.revoke("acct_1", key.fingerprint)

    with pytest.raises(InvalidApiKeyError):
        authenticate("key", store, NOON)

    assert store.keys[hash_key("key")].last_used_day is None


def test_an_error_never_repeats_the_key(store):
    with pytest.raises(InvalidApiKeyError) as error:
        authenticate("ct_live_secretsecret", store)

    assert "secret" not in error.value.message + repr(error.value.details)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_an_account_takes_its_plan_s_bounds_and_no_leave_to_train(plan):
    account = Account.on_plan("acct_2", "b@example.com", plan)

    assert (account.plan, account.billing_model, account.usage_unit) == (plan.name, plan.billing_model, plan.usage_unit)
    assert (account.requests_per_second, account.monthly_quota) == (plan.requests_per_second, plan.monthly_quota)
    assert account.subscription_status == "active"
    assert account.training_opt_in is False


@given(st.text())
def test_whatever_is_sent_as_a_key_is_answered_by_an_error_of_ours(raw_key):
    with pytest.raises(CutoutError):
        authenticate(raw_key, MemoryKeyStore())
