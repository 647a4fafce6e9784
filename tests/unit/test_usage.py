from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.accounts import PLANS, Account, KeyMode
from cutout.errors import QuotaExceededError, RateLimitedError
from cutout.usage import (
    MAX_SHARDS,
    Charge,
    RateState,
    Usage,
    charge_for,
    check_quota,
    check_rate,
    month_of,
    usage_report,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT = Account.on_plan("acct_1", "a@example.com", PLANS["metered"])
IMAGE = Usage.of_image(4_000, 3_000, 2_000_000, 900_000)


def at_rate(requests_per_second: int) -> Account:
    fields: Any = {name: getattr(ACCOUNT, name) for name in Account.__slots__}
    return Account(**fields | {"requests_per_second": requests_per_second})


def test_an_image_is_counted_with_the_pixels_of_its_source():
    assert Usage(images=1, pixels=12_000_000, bytes_in=2_000_000, bytes_out=900_000) == IMAGE


@given(st.lists(st.tuples(*[st.integers(0, 10**15)] * 4), max_size=20))
def test_sums_of_usage_are_exact(parts):
    total = sum((Usage(*part) for part in parts), Usage())

    assert total == Usage(*(sum(column) for column in zip(*parts, strict=True))) if parts else Usage()


@pytest.mark.parametrize("mode", [KeyMode.LIVE, KeyMode.ADMIN])
def test_a_success_of_an_account_is_charged_under_its_id_and_moment(mode):
    charge = charge_for(ACCOUNT, mode, "req_1", IMAGE, NOON)

    assert charge == Charge("req_1", "acct_1", IMAGE, NOON, MAX_SHARDS)
    assert charge.month == "2026-11"


def test_a_synthetic_key_is_never_charged():
    assert charge_for(ACCOUNT, KeyMode.SYNTHETIC, "req_1", IMAGE, NOON) is None


@pytest.mark.parametrize(
    ("rate", "shards"), [(1, 1), (2, 1), (19, 1), (20, 2), (500, 50), (1_000, 100), (100_000, 100)]
)
def test_usage_is_spread_over_the_more_counters_the_faster_an_account_may_go(rate, shards):
    charge = charge_for(at_rate(rate), KeyMode.LIVE, "req_1", IMAGE, NOON)

    assert charge is not None
    assert charge.shards == shards


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC), "2026-11"),
        (datetime(2026, 12, 1, tzinfo=UTC), "2026-12"),
        (datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-12"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-1))), "2027-01"),
    ],
)
def test_months_are_those_of_utc(moment, month):
    assert month_of(moment) == month


def test_the_last_image_of_a_quota_passes_and_the_next_does_not():
    check_quota(Usage(images=49), 50, "2026-11")

    for used in (50, 51):
        with pytest.raises(QuotaExceededError) as refused:
            check_quota(Usage(images=used), 50, "2026-11")
        assert refused.value.details == {"period": "2026-11", "quota": 50, "used": used}


def test_a_quota_of_nothing_lets_nothing_pass():
    with pytest.raises(QuotaExceededError):
        check_quota(Usage(), 0, "2026-11")


def test_the_report_tells_megapixels_to_the_pixel_and_what_is_left():
    usage = Usage(images=3, pixels=12_345_678, bytes_in=1, bytes_out=1)

    assert usage_report("2026-11", usage, 50) == {
        "period": "2026-11",
        "images": 3,
        "megapixels": 12.345678,
        "quota": 50,
        "remaining": 47,
    }
    assert usage_report("2026-11", Usage(images=60), 50)["remaining"] == 0
    unbound = usage_report("2026-11", usage, None)
    assert (unbound["quota"], unbound["remaining"]) == (None, None)


def test_a_refused_request_is_told_when_to_come_back():
    check_rate(RateState(2, 0, 1_001, admitted=True))

    with pytest.raises(RateLimitedError) as refused:
        check_rate(RateState(2, 0, 1_001, admitted=False))

    assert refused.value.details == {"retry_after_s": 1, "limit": 2, "remaining": 0, "reset": 1_001}


@pytest.mark.parametrize(
    ("frames", "per_image", "images"), [(1, 10, 1), (10, 10, 1), (11, 10, 2), (100, 10, 10), (5, 1, 5)]
)
def test_frames_are_counted_by_images_begun(frames, per_image, images):
    usage = Usage.of_image(40, 30, 5_000, 4_000, frames=frames, frames_per_image=per_image)
    assert usage == Usage(images, 40 * 30 * frames, 5_000, 4_000)
