from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cutout.accounts import PLANS, Account
from cutout.errors import QuotaExceededError, ServiceUnavailableError
from cutout.services.quota import LONGEST_S, QuotaCheck
from cutout.usage import Charge, Usage
from tests.support.usage_stores import MemoryUsageStore

FREE = Account.on_plan("acct_1", "a@example.com", PLANS["free"])
LARGE = replace(FREE, id="acct_2", monthly_quota=1_000_000)
END_OF_NOVEMBER = datetime(2026, 11, 30, 23, 59, 0, tzinfo=UTC)


@pytest.fixture
def gate() -> SimpleNamespace:
    store = MemoryUsageStore()
    time = SimpleNamespace(s=0.0)
    failures: list[Exception] = []
    gate = QuotaCheck(
        store, failures.append, lambda: END_OF_NOVEMBER + timedelta(seconds=time.s), lambda: 5_000 + time.s
    )
    return SimpleNamespace(check=gate.check, remaining=gate.remaining, store=store, time=time, failures=failures)


def use(gate: SimpleNamespace, account: Account, images: int) -> None:
    name = f"req_{len(gate.store.charges)}"
    at = END_OF_NOVEMBER + timedelta(seconds=gate.time.s)
    gate.store.record(Charge(name, account.id, Usage(images=images), at))


def test_the_quota_th_image_is_let_in_and_the_next_is_not(gate):
    for _ in range(50):
        gate.check(FREE)
        use(gate, FREE, 1)
        gate.time.s += 0.1

    with pytest.raises(QuotaExceededError) as refused:
        gate.check(FREE)
    assert refused.value.details == {"period": "2026-11", "quota": 50, "used": 50}


def test_an_account_without_bound_is_never_asked_about(gate):
    use(gate, FREE, 10_000)

    gate.check(replace(FREE, monthly_quota=None))

    assert gate.store.asked == 0


def test_a_count_far_from_the_quota_is_asked_for_once_in_a_while(gate):
    for _ in range(599):
        gate.check(LARGE)
        gate.time.s += LONGEST_S / 600
    assert gate.store.asked == 1

    gate.time.s += LONGEST_S
    gate.check(LARGE)
    assert gate.store.asked == 2


def test_what_an_account_could_use_up_meanwhile_is_asked_for_sooner(gate):
    use(gate, LARGE, 1_000_000 - 5_000)  # five seconds at the fastest
    gate.check(LARGE)
    gate.time.s += 4.9
    gate.check(LARGE)
    assert gate.store.asked == 1

    gate.time.s += 0.2
    use(gate, LARGE, 5_000)
    with pytest.raises(QuotaExceededError):
        gate.check(LARGE)


def test_an_exhausted_quota_is_not_asked_about_at_every_request(gate):
    use(gate, FREE, 50)
    for _ in range(100):
        with pytest.raises(QuotaExceededError):
            gate.check(FREE)
        gate.time.s += 0.1

    assert gate.store.asked == 1


def test_a_new_month_begins_at_midnight_utc_with_nothing_used(gate):
    use(gate, FREE, 50)
    gate.time.s = 59.9
    with pytest.raises(QuotaExceededError):
        gate.check(FREE)

    gate.time.s = 60.0
    gate.check(FREE)

    use(gate, FREE, 50)
    gate.time.s = 61.0
    with pytest.raises(QuotaExceededError) as refused:
        gate.check(FREE)
    assert refused.value.details["period"] == "2026-12"


def test_a_raised_quota_lets_in_as_soon_as_it_is_known(gate):
    use(gate, FREE, 50)
    with pytest.raises(QuotaExceededError):
        gate.check(FREE)

    gate.check(replace(FREE, monthly_quota=51))


def test_a_store_that_is_away_stops_nobody_but_who_is_known_to_have_used_all_and_is_asked_again(gate, monkeypatch):
    used_up = replace(FREE, id="acct_3")
    use(gate, used_up, 50)
    with pytest.raises(QuotaExceededError):
        gate.check(used_up)
    total = gate.store.total

    def away(*_: object) -> Usage:
        raise ServiceUnavailableError("away")

    monkeypatch.setattr(gate.store, "total", away)
    gate.check(FREE)
    assert len(gate.failures) == 1
    with pytest.raises(QuotaExceededError):
        gate.check(used_up)

    monkeypatch.setattr(gate.store, "total", total)
    use(gate, FREE, 50)
    with pytest.raises(QuotaExceededError):
        gate.check(FREE)


def test_what_remains_is_told_as_far_as_it_is_known(gate):
    use(gate, FREE, 20)
    assert gate.remaining(FREE) == 30
    use(gate, FREE, 90)
    gate.time.s += 1
    assert gate.remaining(FREE) == 0
    assert gate.remaining(replace(FREE, monthly_quota=None)) is None


def test_what_cannot_be_asked_is_not_known_to_remain(gate, monkeypatch):
    monkeypatch.setattr(gate.store, "total", lambda *_: (_ for _ in ()).throw(ServiceUnavailableError("away")))
    assert gate.remaining(FREE) is None
    assert len(gate.failures) == 1
