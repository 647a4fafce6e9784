"""Whether an account has images left this month, asked as rarely as the answer allows.

A count that was read stays good for as long as the account could not have used up the rest, and an exhausted quota
stays exhausted. Images that are being made while the last one is counted may still come on top, and what cannot be
asked just now is let pass: usage is counted all the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cutout.accounts import Account
from cutout.errors import ServiceUnavailableError
from cutout.usage import Usage, UsageStore, check_quota, month_of

LONGEST_S: Final = 60.0
"""For so long an answer is good at most: as long as a change of the account's quota takes to be known."""
FASTEST_PER_S: Final = 1_000
"""Images per second that one account is taken to make at most: uploads to the bucket know no rate limit."""
MAX_ACCOUNTS: Final = 10_000
"""Accounts remembered; then all are forgotten."""


@dataclass(frozen=True, slots=True)
class _Known:
    usage: Usage
    month: str
    quota: int
    expires_s: float


class QuotaGate:
    """Asks the usage store. failed: told of every question that was not answered and let its request pass.

    now: UTC; clock: monotonic seconds. Not for use by several threads at once.
    """

    def __init__(
        self,
        usage: UsageStore,
        failed: Callable[[Exception], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usage = usage
        self._failed = failed
        self._now = now
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def check(self, account: Account) -> None:
        """Let an account with images left pass. Raises QuotaExceededError."""
        if known := self._find(account):
            check_quota(known.usage, known.quota, known.month)

    def remaining(self, account: Account) -> int | None:
        """How many images are left this month, as far as is known; None: no bound, or it could not be asked."""
        known = self._find(account)
        return None if known is None else max(known.quota - known.usage.images, 0)

    def _find(self, account: Account) -> _Known | None:
        quota = account.monthly_quota
        if quota is None:
            return None
        month = month_of(self._now())
        known = self._known.get(account.id)
        if known is None or (known.month, known.quota) != (month, quota) or self._clock() >= known.expires_s:
            try:
                known = self._ask(account, quota, month)
            except ServiceUnavailableError as error:
                self._failed(error)
                return None
        return known

    def _ask(self, account: Account, quota: int, month: str) -> _Known:
        asked_s = self._clock()
        usage = self._usage.total(account.id, month)
        left = quota - usage.images
        good_s = LONGEST_S if left <= 0 else min(left / max(account.requests_per_second, FASTEST_PER_S), LONGEST_S)
        if len(self._known) >= MAX_ACCOUNTS:
            self._known.clear()
        known = self._known[account.id] = _Known(usage, month, quota, asked_s + good_s)
        return known
