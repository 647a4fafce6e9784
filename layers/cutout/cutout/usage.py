"""Metering: usage, charges, quotas and rates. Knows neither HTTP nor AWS.

An image is counted when it is made, by a charge with the id of its request or job; a charge is counted once, however
often it is recorded. All counts are integers, so that sums are exact; megapixels are computed for display only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from cutout.accounts import Account, Caller, KeyMode
from cutout.errors import QuotaExceededError, RateLimitedError
from cutout.ids import AccountId

MAX_SHARDS: Final = 100
"""The most counters of one account's month; a reader has to sum them all."""
FRAMES_PER_IMAGE: Final = 10
"""Frames of an animation that are charged as one image: they take about as long as three photos."""
UNLIMITED_CREDITS: Final = 1_000_000
"""The credits of an account without a quota, in contracts that need a number."""
RATE_PER_SHARD: Final = 10
"""Images per second for each counter: a charge locks its counter for about 10 ms."""


@dataclass(frozen=True, slots=True)
class Usage:
    """An amount of usage. All numbers are at least 0.

    Attributes:
        images: Images made.
        pixels: Pixels of their sources.
        bytes_in: Bytes of the sources.
        bytes_out: Bytes of the results.
    """

    images: int = 0
    pixels: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @classmethod
    def of_image(
        cls, width: int, height: int, bytes_in: int, bytes_out: int, *, frames: int = 1, frames_per_image: int = 1
    ) -> "Usage":
        """Make the usage of one image, or of an animation.

        Args:
            width: Of the source, in pixels.
            height: Of the source, in pixels.
            bytes_in: Bytes of the source.
            bytes_out: Bytes of the result.
            frames: Frames that were cut out, at least 1.
            frames_per_image: So many frames, or less at the end, count as one image.

        Returns:
            The usage.
        """
        images = -(-frames // frames_per_image)
        return cls(images=images, pixels=width * height * frames, bytes_in=bytes_in, bytes_out=bytes_out)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.images + other.images,
            self.pixels + other.pixels,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """Usage that is to be counted once.

    Attributes:
        id: The id of the request or the job; globally unique.
        account_id: The account that pays.
        usage: The usage.
        at: The time (UTC), whose month is charged.
        shards: The number of counters of the account's month, 1 to MAX_SHARDS.
        key: The fingerprint of the key that ordered the image; empty: it was put into the uploads bucket.
    """

    id: str
    account_id: AccountId
    usage: Usage
    at: datetime
    shards: int = 1
    key: str = ""

    def with_result(self, size: int) -> "Charge":
        """Say how many bytes the result has, which may be known only once it is sent."""
        return replace(self, usage=replace(self.usage, bytes_out=size))

    @property
    def month(self) -> str:
        """The month that is charged, ``yyyy-mm``."""
        return month_of(self.at)

    @property
    def day(self) -> str:
        """The day (UTC) that is charged, ``yyyy-mm-dd``."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """What one key has used on one day.

    Attributes:
        day: The day (UTC), ``yyyy-mm-dd``.
        key: The fingerprint of the key; empty: images that were put into the uploads bucket.
        usage: The usage.
    """

    day: str
    key: str
    usage: Usage


def charge_for(
    account: Account, mode: KeyMode, charge_id: str, usage: Usage, at: datetime, *, key: str = ""
) -> Charge | None:
    """Make the charge for one result.

    Args:
        account: The account that pays.
        mode: The mode of the key.
        charge_id: The id of the request or the job.
        usage: The usage.
        at: The time (UTC).
        key: The fingerprint of the key; empty for an image that was put into the uploads bucket.

    Returns:
        The charge; None for a synthetic key, which is never charged.
    """
    if mode is KeyMode.SYNTHETIC:
        return None
    shards = min(max(account.requests_per_second // RATE_PER_SHARD, 1), MAX_SHARDS)
    return Charge(charge_id, account.id, usage, at, shards, key)


def month_of(at: datetime) -> str:
    """Return the calendar month (UTC) of a timezone-aware time, ``yyyy-mm``."""
    return at.astimezone(UTC).strftime("%Y-%m")


def usage_report(month: str, usage: Usage, quota: int | None) -> dict[str, object]:
    """Write an account's usage of a month for its owner.

    Args:
        month: The month, ``yyyy-mm``.
        usage: The usage.
        quota: Images per month; None: unlimited.

    Returns:
        JSON: the images, the source megapixels (exact), the quota and its remainder.
    """
    return {
        "period": month,
        "images": usage.images,
        "megapixels": usage.pixels / 1_000_000,
        "quota": quota,
        "remaining": None if quota is None else max(quota - usage.images, 0),
    }


def check_quota(usage: Usage, quota: int, month: str) -> None:
    """Require usage below a quota.

    Args:
        usage: The usage of the month.
        quota: Images per month.
        month: The month, ``yyyy-mm``.

    Raises:
        QuotaExceededError: The quota is used up.
    """
    if usage.images >= quota:
        details = {"period": month, "quota": quota, "used": usage.images}
        raise QuotaExceededError(f"The quota of {quota} images for {month} is used up.", details)


@dataclass(frozen=True, slots=True)
class RateState:
    """An account's rate in the current second.

    Attributes:
        limit: Requests per second.
        remaining: Requests left in this second; an estimate if the limit is spread over several counters.
        reset_epoch_s: When the next second begins, in seconds since the epoch.
        admitted: Whether this request was within the limit.
    """

    limit: int
    remaining: int
    reset_epoch_s: int
    admitted: bool = True

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every authenticated answer."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(self.reset_epoch_s),
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """An authenticated request: its caller, and the rate of the caller's account."""

    caller: Caller
    rate: RateState


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """An account's status, as contracts report it.

    Attributes:
        account: The account itself.
        mode: The mode of the caller's key.
        rate: The account's rate in the current second.
        credits_left: Images left this month, as of the last minute at most; ``UNLIMITED_CREDITS`` without a quota.
    """

    account: Account
    mode: KeyMode
    rate: RateState
    credits_left: int


def check_rate(state: RateState) -> None:
    """Require a request within its account's rate.

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
    """A store of usage. Its methods raise ServiceUnavailableError while the store is unavailable."""

    def record(self, charge: Charge) -> bool:
        """Count a charge; return False when it was counted before."""

    def total(self, account_id: AccountId, month: str) -> Usage:
        """Sum an account's usage of a month (``yyyy-mm``)."""

    def daily(self, account_id: AccountId, month: str) -> Sequence[DailyUsage]:
        """List an account's usage of a month (``yyyy-mm``) by day and key, in this order."""


class RateLimiter(Protocol):
    """A limit on an account's requests per second. Never raises."""

    def consume(self, account_id: AccountId, limit: int) -> RateState:
        """Count a request against a limit (requests per second, above zero); return the account's rate."""
