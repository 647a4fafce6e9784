from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cutout.accounts import PLANS, Account, KeyMode, hash_key
from cutout.api.request import Request
from cutout.errors import (
    AccountSuspendedError,
    InvalidApiKeyError,
    MissingApiKeyError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)
from cutout.services.access import Door
from cutout.services.quota import QuotaGate
from cutout.usage import Charge, RateState, Usage
from tests.support.key_stores import MemoryKeyStore
from tests.support.usage_stores import MemoryUsageStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FREE = Account.on_plan("acct_1", "a@example.com", PLANS["free"])


class Limiter:
    """Admits ``limit`` requests of each account, then no more."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}

    def take(self, account_id: str, limit: int) -> RateState:
        taken = self.taken[account_id] = self.taken.get(account_id, 0) + 1
        return RateState(limit, max(limit - taken, 0), 1_001, admitted=taken <= limit)


@pytest.fixture
def door() -> SimpleNamespace:
    keys, usage, limiter = MemoryKeyStore(), MemoryUsageStore(), Limiter()
    keys.create_account(FREE)
    keys.create_key("acct_1", "raw", KeyMode.LIVE)
    time = SimpleNamespace(now=NOON)
    parts = SimpleNamespace(keys=keys, usage=usage, limiter=limiter, time=time, open_account=None)
    gate = QuotaGate(usage, pytest.fail, lambda: time.now)
    door = Door(keys, limiter, gate, lambda: time.now, lambda: parts.open_account)
    parts.admit, parts.require_quota = door.admit, door.require_quota
    return parts


def request() -> Request:
    return Request("POST", "/v2", "/v2")


def test_a_good_key_is_let_in_and_every_answer_will_tell_the_rate(door):
    asked = request()

    admission = door.admit(asked, "raw")

    assert admission.caller.account == FREE
    assert admission.rate == RateState(2, 1, 1_001)
    assert asked.answer_headers == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "1001",
    }


@pytest.mark.parametrize(("raw_key", "error"), [(None, MissingApiKeyError), ("wrong", InvalidApiKeyError)])
def test_who_has_no_good_key_is_neither_counted_nor_told_of_any_rate(door, raw_key, error):
    asked = request()

    with pytest.raises(error):
        door.admit(asked, raw_key)

    assert asked.answer_headers == {}
    assert door.limiter.taken == {}


def test_beyond_the_rate_a_request_is_refused_and_its_answer_tells_the_rate_too(door):
    for _ in range(2):
        door.admit(request(), "raw")
    asked = request()

    with pytest.raises(RateLimitedError):
        door.admit(asked, "raw")

    assert asked.answer_headers["x-ratelimit-remaining"] == "0"


def test_all_keys_of_an_account_share_its_rate(door):
    door.keys.create_key("acct_1", "other", KeyMode.SYNTHETIC)
    door.admit(request(), "raw")
    door.admit(request(), "other")

    with pytest.raises(RateLimitedError):
        door.admit(request(), "raw")


@pytest.mark.parametrize("status", ["suspended", "canceled", "past_due", ""])
def test_an_account_that_is_not_active_may_not_work_but_may_look_at_itself(door, status):
    door.keys.accounts["acct_1"] = replace(FREE, subscription_status=status)

    with pytest.raises(AccountSuspendedError) as refused:
        door.admit(request(), "raw")

    assert refused.value.details == {"subscription_status": status}
    assert door.admit(request(), "raw", suspended_too=True).caller.account.subscription_status == status


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_a_trial_is_as_good_as_a_subscription(door, status):
    door.keys.accounts["acct_1"] = replace(FREE, subscription_status=status)

    door.admit(request(), "raw")


def test_a_rotated_key_opens_until_its_time_and_not_at_it(door):
    key_hash = hash_key("raw")
    door.keys.keys[key_hash] = replace(door.keys.keys[key_hash], valid_until=NOON + timedelta(hours=1))

    door.time.now = NOON + timedelta(minutes=59, seconds=59)
    door.admit(request(), "raw")
    door.time.now = NOON + timedelta(hours=1)
    with pytest.raises(InvalidApiKeyError):
        door.admit(request(), "raw")


def test_a_key_store_that_is_away_is_a_503_of_ours(door, monkeypatch):
    def away(_: str) -> None:
        raise ServiceUnavailableError("away")

    monkeypatch.setattr(door.keys, "find", away)

    with pytest.raises(ServiceUnavailableError):
        door.admit(request(), "raw")


def test_without_a_key_the_open_account_answers_for_the_request_where_the_contract_has_no_keys(door):
    door.open_account = FREE
    asked = request()

    admission = door.admit(asked, None, keyless=True)

    assert admission.caller.account == FREE
    assert (admission.caller.key.mode, admission.caller.key.fingerprint) == (KeyMode.LIVE, "none")
    assert asked.answer_headers["x-ratelimit-remaining"] == "1"


def test_the_open_account_has_its_rate_too(door):
    door.open_account = FREE
    for _ in range(2):
        door.admit(request(), None, keyless=True)

    with pytest.raises(RateLimitedError):
        door.admit(request(), None, keyless=True)


def test_an_open_account_must_be_active(door):
    door.open_account = replace(FREE, subscription_status="suspended")

    with pytest.raises(AccountSuspendedError):
        door.admit(request(), None, keyless=True)


def test_a_contract_with_keys_asks_for_one_although_there_is_an_open_account(door):
    door.open_account = FREE

    with pytest.raises(MissingApiKeyError):
        door.admit(request(), None)


def test_a_contract_without_keys_asks_for_one_where_there_is_no_open_account(door):
    with pytest.raises(MissingApiKeyError):
        door.admit(request(), None, keyless=True)


def test_a_key_that_is_sent_must_be_good_wherever_none_is_needed(door):
    door.open_account = replace(FREE, id="acct_2")

    assert door.admit(request(), "raw", keyless=True).caller.account.id == "acct_1"
    with pytest.raises(InvalidApiKeyError):
        door.admit(request(), "wrong", keyless=True)


def test_an_exhausted_quota_stops_live_and_admin_keys_and_no_synthetic_one(door):
    door.usage.record(Charge("req_1", "acct_1", Usage(images=50), NOON))

    for mode in (KeyMode.LIVE, KeyMode.ADMIN):
        with pytest.raises(QuotaExceededError):
            door.require_quota(FREE, mode)
    door.require_quota(FREE, KeyMode.SYNTHETIC)
