"""What was used and what may be used: usage, charges, quota, rate. Knows neither HTTP nor AWS.

An image counts once it is made, by a charge whose id (that of the request or of the job) is counted once, however often
it is recorded. Everything is an integer, so that sums stay exact; megapixels are for people and are made at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from cutout.accounts import Account, Caller, KeyMode
from cutout.errors import QuotaExceededError, RateLimitedError

MAX_SHARDS: Final = 100
"""Most counters that one account's month is spread over, and so what a reader has to add up."""
UNLIMITED_CREDITS: Final = 1_000_000
"""Credits that are reported of an account without a quota, where a contract wants a number."""
RATE_PER_SHARD: Final = 10
"""Images per second for which one more counter is used: a charge holds its counter for some 10 ms."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used: images made, pixels of their sources, bytes taken in and given out. All at least 0."""

    images: int = 0
    pixels: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @classmethod
    def of_image(cls, width: int, height: int, bytes_in: int, bytes_out: int) -> "Usage":
        """One image of this size as it was sent (pixels), with the bytes of the source and of the result."""
        return cls(images=1, pixels=width * height, bytes_in=bytes_in, bytes_out=bytes_out)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.images + other.images,
            self.pixels + other.pixels,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """Usage that has to be counted once.

    id: of the request or the job, unique for ever. at: UTC; its month is the one that is charged.
    shards: over how many counters the account's usage is spread, 1 to MAX_SHARDS.
    """

    id: str
    account_id: str
    usage: Usage
    at: datetime
    shards: int = 1

    @property
    def month(self) -> str:
        """The period that pays."""
        return month_of(self.at)


def charge_for(account: Account, mode: KeyMode, charge_id: str, usage: Usage, at: datetime) -> Charge | None:
    """The charge for a success of this account; None for a synthetic key, which pays nothing."""
    if mode is KeyMode.SYNTHETIC:
        return None
    shards = min(max(account.requests_per_second // RATE_PER_SHARD, 1), MAX_SHARDS)
    return Charge(charge_id, account.id, usage, at, shards)


def month_of(at: datetime) -> str:
    """The calendar month (UTC) of a moment that knows its time zone, ``yyyy-mm``."""
    return at.astimezone(UTC).strftime("%Y-%m")


def usage_report(month: str, usage: Usage, quota: int | None) -> dict[str, object]:
    """What an owner sees of a month: images, source megapixels (to the pixel), and what is left of the quota."""
    return {
        "period": month,
        "images": usage.images,
        "megapixels": usage.pixels / 1_000_000,
        "quota": quota,
        "remaining": None if quota is None else max(quota - usage.images, 0),
    }


def check_quota(usage: Usage, quota: int, month: str) -> None:
    """Let an account below its quota pass. Raises QuotaExceededError."""
    if usage.images >= quota:
        details = {"period": month, "quota": quota, "used": usage.images}
        raise QuotaExceededError(f"The quota of {quota} images for {month} is used up.", details)


@dataclass(frozen=True, slots=True)
class RateState:
    """Where an account stands in the current second.

    limit: requests per second. remaining: how many more the second takes; an estimate where the limit is spread over
    several counters. reset_epoch_s: when the next second begins. admitted: whether this request was still within.
    """

    limit: int
    remaining: int
    reset_epoch_s: int
    admitted: bool = True

    @property
    def headers(self) -> Mapping[str, str]:
        """What every authenticated answer says about it."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(self.reset_epoch_s),
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """A request whose key is good: its caller, and where the caller's account stands in the current second."""

    caller: Caller
    rate: RateState


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What contracts report of an account.

    Attributes:
        account: The account itself.
        mode: The mode of the key that asks.
        rate: Where the account stands in the current second.
        credits_left: Images left this month, as of the last minute at most; ``UNLIMITED_CREDITS`` without a quota.
    """

    account: Account
    mode: KeyMode
    rate: RateState
    credits_left: int


def check_rate(state: RateState) -> None:
    """Let a request within its account's rate pass.

    Raises:
        RateLimitedError: The account has sent too many requests; the next second begins within one.
    """
    if not state.admitted:
        details = {
            "retry_after_s": 1,
            "limit": state.limit,
            "remaining": state.remaining,
            "reset": state.reset_epoch_s,
        }
        raise RateLimitedError(f"More than {state.limit} requests per second; try again in a second.", details)


class UsageStore(Protocol):
    """Where usage is counted. Raises ServiceUnavailableError when it cannot be asked."""

    def record(self, charge: Charge) -> bool:
        """Count a charge; False when it was counted before."""

    def total(self, account_id: str, month: str) -> Usage:
        """All that was counted for an account in a month (``yyyy-mm``)."""


class RateLimiter(Protocol):
    """Who says how many requests per second an account may send. Never raises."""

    def consume(self, account_id: str, limit: int) -> RateState:
        """Count a request against ``limit`` per second, and report whether it was still within."""
