"""Whether an account has images left this month, read as rarely as the answer allows.

A count that was read stays good for as long as the account could not have used up the rest, and an exhausted quota
stays exhausted. Images that are being made while the last one is counted may still come on top. Where the count cannot
be read, the request passes: usage is counted all the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cutout.accounts import Account
from cutout.errors import ServiceUnavailableError
from cutout.services.ttl_cache import TtlCache
from cutout.usage import Usage, UsageStore, check_quota, month_of

LONGEST_S: Final = 60.0
"""The longest time for which a count is good: a change of the account's quota is known after it."""
FASTEST_PER_S: Final = 1_000
"""Images per second that one account is assumed to make at most: uploads to the bucket know no rate limit."""
MAX_ACCOUNTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Count:
    """What an account had used in a month, beside the quota that was in force."""

    usage: Usage
    month: str
    quota: int


class QuotaCheck:
    """Checks an account's usage against its monthly quota.

    Args:
        usage: Where usage is counted.
        not_checked: Hears of every count that could not be read, whose request passes.
        now: The current time, UTC.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        usage: UsageStore,
        not_checked: Callable[[Exception], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usage = usage
        self._not_checked = not_checked
        self._now = now
        self._cache: TtlCache[tuple[str, str, int], _Count] = TtlCache(MAX_ACCOUNTS, clock)

    def check(self, account: Account) -> None:
        """Let an account with images left pass. Raises QuotaExceededError."""
        if count := self._count(account):
            check_quota(count.usage, count.quota, count.month)

    def remaining(self, account: Account) -> int | None:
        """Count the images left this month, as far as is known; None: no quota, or it could not be read."""
        count = self._count(account)
        return None if count is None else max(count.quota - count.usage.images, 0)

    def _count(self, account: Account) -> _Count | None:
        quota = account.monthly_quota
        if quota is None:
            return None
        month = month_of(self._now())

        def load() -> _Count:
            return _Count(self._usage.total(account.id, month), month, quota)

        def ttl_s(count: _Count) -> float:
            left = quota - count.usage.images
            fastest_per_s = max(account.requests_per_second, FASTEST_PER_S)
            return LONGEST_S if left <= 0 else min(left / fastest_per_s, LONGEST_S)

        try:
            return self._cache.get_or_load((account.id, month, quota), load, ttl_s)
        except ServiceUnavailableError as error:
            self._not_checked(error)
            return None
