from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.authentication import authenticate, fingerprint_key, hash_key
from cutout.errors import InvalidApiKeyError, ServiceUnavailableError
from cutout.services.access import CachedKeyStore
from tests.support.key_stores import MemoryKeyStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT = Account.on_plan("acct_1", "a@example.com", PLANS["free"])


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def cached() -> SimpleNamespace:
    clock = Clock()
    memory = MemoryKeyStore()
    memory.create_account(ACCOUNT)
    return SimpleNamespace(store=CachedKeyStore(memory, clock=clock, max_entries=3), behind=memory, clock=clock)


def test_a_revoked_key_stops_working_within_the_time_to_live(cached):
    key = cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    authenticate("raw", cached.store)
    cached.behind.revoke("acct_1", key.fingerprint)

    cached.clock.now_s += 59.9
    authenticate("raw", cached.store)
    cached.clock.now_s += 0.1
    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", cached.store)


def test_a_suspended_account_is_known_as_such_within_the_time_to_live(cached):
    cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    authenticate("raw", cached.store)
    suspended = replace(ACCOUNT, subscription_status="suspended", training_opt_in=True)
    cached.behind.accounts["acct_1"] = suspended

    cached.clock.now_s += 59.9
    assert authenticate("raw", cached.store).account == ACCOUNT
    cached.clock.now_s += 0.1
    assert authenticate("raw", cached.store).account == suspended


def test_a_remembered_key_that_was_rotated_closes_at_its_time_not_when_it_is_forgotten(cached):
    key = cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    end = NOON + timedelta(seconds=30)
    cached.behind.keys[hash_key("raw")] = replace(key, valid_until=end)

    authenticate("raw", cached.store, NOON)
    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", cached.store, end)


def test_use_does_not_make_the_cache_keep_a_key_longer(cached):
    key = cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    authenticate("raw", cached.store)
    cached.behind.revoke("acct_1", key.fingerprint)

    for _ in range(59):
        cached.clock.now_s += 1
        authenticate("raw", cached.store, NOON + timedelta(days=1))
    cached.clock.now_s += 1

    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", cached.store)


def test_a_new_key_works_within_seconds_though_it_was_tried_before(cached):
    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", cached.store)
    cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)

    with pytest.raises(InvalidApiKeyError):
        authenticate("raw", cached.store)
    cached.clock.now_s += 5

    assert authenticate("raw", cached.store).account == ACCOUNT


def test_a_remembered_key_works_while_the_store_is_away(cached, monkeypatch):
    cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    authenticate("raw", cached.store)

    def away(_: str) -> None:
        raise ServiceUnavailableError("away")

    monkeypatch.setattr(cached.behind, "find", away)

    assert authenticate("raw", cached.store).account == ACCOUNT
    cached.clock.now_s += 60
    with pytest.raises(ServiceUnavailableError):
        authenticate("raw", cached.store)


def test_the_cache_is_bounded_and_forgets_the_oldest(cached):
    cached.behind.create_key("acct_1", "old", KeyMode.LIVE)
    authenticate("old", cached.store)
    cached.behind.revoke("acct_1", fingerprint_key(hash_key("old")))
    authenticate("old", cached.store)  # from memory

    for number in range(3):
        cached.store.find(hash_key(f"guess-{number}"))

    with pytest.raises(InvalidApiKeyError):
        authenticate("old", cached.store)


def test_the_day_of_use_is_remembered_with_the_key(cached):
    cached.behind.create_key("acct_1", "raw", KeyMode.LIVE)
    authenticate("raw", cached.store, NOON)
    cached.behind.keys.clear()

    assert authenticate("raw", cached.store, NOON).key.last_used_day == NOON.date()
