from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.authentication import hash_key
from cutout.aws import telemetry
from cutout.errors import (
    AccountSuspendedError,
    InvalidApiKeyError,
    MissingApiKeyError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)
from cutout.services.access import Access
from cutout.services.quota import QuotaCheck
from cutout.usage import Admission, Charge, RateState, Usage
from tests.support.key_stores import MemoryKeyStore
from tests.support.usage_stores import MemoryUsageStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FREE = Account.on_plan("acct_1", "a@example.com", PLANS["free"])


class Limiter:
    """Admits ``limit`` requests of each account, then no more."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}

    def consume(self, account_id: str, limit: int) -> RateState:
        taken = self.taken[account_id] = self.taken.get(account_id, 0) + 1
        return RateState(limit, max(limit - taken, 0), 1_001, admitted=taken <= limit)


@pytest.fixture
def access() -> SimpleNamespace:
    keys, usage, limiter = MemoryKeyStore(), MemoryUsageStore(), Limiter()
    keys.create_account(FREE)
    keys.create_key("acct_1", "raw", KeyMode.LIVE)
    time = SimpleNamespace(now=NOON)
    parts = SimpleNamespace(keys=keys, usage=usage, limiter=limiter, time=time, open_account=None)
    gate = QuotaCheck(usage, pytest.fail, lambda: time.now)
    tested = Access(
        keys, limiter, gate, observer=telemetry, open_account=lambda: parts.open_account, now=lambda: time.now
    )

    def admit(raw_key: str | None, *, keyless: bool = False, allow_suspended: bool = False) -> Admission:
        admission = parts.last = tested.authenticate(raw_key, keyless=keyless)
        tested.authorize(admission, allow_suspended=allow_suspended)
        return admission

    parts.admit, parts.require_quota, parts.last = admit, tested.require_quota, None
    return parts


def test_a_good_key_is_let_in_and_every_answer_will_tell_the_rate(access):
    admission = access.admit("raw")

    assert admission.caller.account == FREE
    assert admission.rate == RateState(2, 1, 1_001)
    assert access.last.rate.headers == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "1001",
    }


@pytest.mark.parametrize(("raw_key", "error"), [(None, MissingApiKeyError), ("wrong", InvalidApiKeyError)])
def test_who_has_no_good_key_is_neither_counted_nor_told_of_any_rate(access, raw_key, error):
    with pytest.raises(error):
        access.admit(raw_key)

    assert access.last is None
    assert access.limiter.taken == {}


def test_beyond_the_rate_a_request_is_refused_and_its_answer_tells_the_rate_too(access):
    for _ in range(2):
        access.admit("raw")
    with pytest.raises(RateLimitedError):
        access.admit("raw")

    assert access.last.rate.headers["x-ratelimit-remaining"] == "0"


def test_all_keys_of_an_account_share_its_rate(access):
    access.keys.create_key("acct_1", "other", KeyMode.SYNTHETIC)
    access.admit("raw")
    access.admit("other")

    with pytest.raises(RateLimitedError):
        access.admit("raw")


@pytest.mark.parametrize("status", ["suspended", "canceled", "past_due", ""])
def test_an_account_that_is_not_active_may_not_work_but_may_look_at_itself(access, status):
    access.keys.accounts["acct_1"] = replace(FREE, subscription_status=status)

    with pytest.raises(AccountSuspendedError) as refused:
        access.admit("raw")

    assert refused.value.details == {"subscription_status": status}
    assert access.admit("raw", allow_suspended=True).caller.account.subscription_status == status


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_a_trial_is_as_good_as_a_subscription(access, status):
    access.keys.accounts["acct_1"] = replace(FREE, subscription_status=status)

    access.admit("raw")


def test_a_rotated_key_opens_until_its_time_and_not_at_it(access):
    key_hash = hash_key("raw")
    access.keys.keys[key_hash] = replace(access.keys.keys[key_hash], valid_until=NOON + timedelta(hours=1))

    access.time.now = NOON + timedelta(minutes=59, seconds=59)
    access.admit("raw")
    access.time.now = NOON + timedelta(hours=1)
    with pytest.raises(InvalidApiKeyError):
        access.admit("raw")


def test_a_key_store_that_is_away_is_a_503_of_ours(access, monkeypatch):
    def away(_: str) -> None:
        raise ServiceUnavailableError("away")

    monkeypatch.setattr(access.keys, "find", away)

    with pytest.raises(ServiceUnavailableError):
        access.admit("raw")


def test_without_a_key_the_open_account_answers_for_the_request_where_the_contract_has_no_keys(access):
    access.open_account = FREE
    admission = access.admit(None, keyless=True)

    assert admission.caller.account == FREE
    assert (admission.caller.key.mode, admission.caller.key.fingerprint) == (KeyMode.LIVE, "none")
    assert access.last.rate.headers["x-ratelimit-remaining"] == "1"


def test_the_open_account_has_its_rate_too(access):
    access.open_account = FREE
    for _ in range(2):
        access.admit(None, keyless=True)

    with pytest.raises(RateLimitedError):
        access.admit(None, keyless=True)


def test_an_open_account_must_be_active(access):
    access.open_account = replace(FREE, subscription_status="suspended")

    with pytest.raises(AccountSuspendedError):
        access.admit(None, keyless=True)


def test_a_contract_with_keys_asks_for_one_although_there_is_an_open_account(access):
    access.open_account = FREE

    with pytest.raises(MissingApiKeyError):
        access.admit(None)


def test_a_contract_without_keys_asks_for_one_where_there_is_no_open_account(access):
    with pytest.raises(MissingApiKeyError):
        access.admit(None, keyless=True)


def test_a_key_that_is_sent_must_be_good_wherever_none_is_needed(access):
    access.open_account = replace(FREE, id="acct_2")

    assert access.admit("raw", keyless=True).caller.account.id == "acct_1"
    with pytest.raises(InvalidApiKeyError):
        access.admit("wrong", keyless=True)


def test_an_exhausted_quota_stops_live_and_admin_keys_and_no_synthetic_one(access):
    access.usage.record(Charge("req_1", "acct_1", Usage(images=50), NOON))

    for mode in (KeyMode.LIVE, KeyMode.ADMIN):
        with pytest.raises(QuotaExceededError):
            access.require_quota(FREE, mode)
    access.require_quota(FREE, KeyMode.SYNTHETIC)
