"""The one door: every function that needs a key asks here whether a request may come in.

In this order: is the key good, is the account within its rate, is it active. Work that makes an image asks for the
quota besides.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cutout import accounts
from cutout.accounts import Account, Caller, KeyMode, KeyStore
from cutout.api.dialects.base import UNMETERED_CREDITS, Standing
from cutout.api.request import Request
from cutout.aws import telemetry
from cutout.services.quota import QuotaGate
from cutout.usage import RateLimiter, RateState, check_rate


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was let in: who sent it, and where the account stands in the current second."""

    caller: Caller
    rate: RateState


class Door:
    """Keys, rate and quota of one environment. now: UTC. find_open: the account of requests without a key, if any."""

    def __init__(
        self,
        keys: KeyStore,
        limiter: RateLimiter,
        quota: QuotaGate,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        find_open: Callable[[], Account | None] = lambda: None,
    ) -> None:
        self._keys = keys
        self._find_open = find_open
        self._limiter = limiter
        self._quota = quota
        self._now = now

    def admit(
        self, request: Request, raw_key: str | None, *, suspended_too: bool = False, keyless: bool = False
    ) -> Admission:
        """Let a request in, or tell why not; from then on every answer to it carries the rate's headers.

        raw_key: as sent, None when none was. suspended_too: for what an owner may do with an account that is not
        active. keyless: where no key was sent, the open account answers for the request, if there is one.
        Raises MissingApiKeyError, InvalidApiKeyError, RateLimitedError, AccountSuspendedError, and
        ServiceUnavailableError when the key cannot be looked up.
        """
        caller = self._open_caller() if keyless and not raw_key else None
        caller = caller or accounts.authenticate(raw_key, self._keys, self._now())
        telemetry.caller_known(caller.account.id, caller.key.fingerprint, caller.key.mode)
        rate = self._limiter.take(caller.account.id, caller.account.requests_per_second)
        request.answer_headers.update(rate.headers)
        check_rate(rate)
        if not suspended_too:
            accounts.require_active(caller.account)
        return Admission(caller, rate)

    def _open_caller(self) -> Caller | None:
        account = self._find_open()
        return accounts.without_key(account, self._now()) if account else None

    def standing(self, admitted: Admission) -> Standing:
        """What dialects tell of an account."""
        account = admitted.caller.account
        left = self._quota.remaining(account)
        return Standing(account, admitted.caller.key.mode, admitted.rate, UNMETERED_CREDITS if left is None else left)

    def require_quota(self, account: Account, mode: KeyMode) -> None:
        """Let work begin that will be charged. Raises QuotaExceededError."""
        if mode is not KeyMode.SYNTHETIC:
            self._quota.check(account)


logger = logging.getLogger(__name__)


class OpenAccount:
    """Looks the account up, and remembers it for ``ttl_s``, as long as keys are remembered.

    find: looks up an account by its id; raises ServiceUnavailableError when it cannot. account_id: empty for none.
    clock: monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[str], Account | None],
        account_id: str,
        ttl_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._id = account_id
        self._ttl_s = ttl_s
        self._clock = clock
        self._known: Account | None = None
        self._expires_s = float("-inf")

    def __call__(self) -> Account | None:
        """The account as it was within the last ``ttl_s``; None where none is named, or none of that name exists."""
        if self._id and self._expires_s <= (asked_s := self._clock()):
            self._known = self._find(self._id)
            self._expires_s = asked_s + self._ttl_s
            if self._known is None:
                logger.warning("CUTOUT_OPEN_ACCOUNT names no account: %s", self._id)
        return self._known
