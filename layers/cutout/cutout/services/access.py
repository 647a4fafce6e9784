"""Who may send a request: key, rate, subscription and quota, checked in this order.

A key is looked up and the account's rate counted in :meth:`Access.authenticate`; what the account may then do is
checked in :meth:`Access.authorize`, so that a refusal still tells the caller its rate.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from cutout import authentication
from cutout.accounts import Account, Caller, KeyMode
from cutout.authentication import KeyStore
from cutout.ids import AccountId, KeyHash
from cutout.services.ports import Observer
from cutout.services.quota import QuotaCheck
from cutout.services.ttl_cache import TtlCache
from cutout.usage import UNLIMITED_CREDITS, AccountStatus, Admission, RateLimiter, check_rate

logger = logging.getLogger(__name__)


class Access:
    """Checks keys, rates, subscriptions and quotas.

    Args:
        keys: Where keys are looked up.
        limiter: Counts requests per second.
        quota: Checks the images of the month.
        observer: Hears who the caller is.
        open_account: Looks up the account of requests without a key; None: there is none.
        now: The current time, UTC.
    """

    def __init__(
        self,
        keys: KeyStore,
        limiter: RateLimiter,
        quota: QuotaCheck,
        *,
        observer: Observer,
        open_account: Callable[[], Account | None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._limiter = limiter
        self._quota = quota
        self._observer = observer
        self._open_account = open_account
        self._now = now

    def authenticate(self, raw_key: str | None, *, keyless: bool = False) -> Admission:
        """Identify the caller, and count the request against its rate.

        Args:
            raw_key: The key as sent; None when none was.
            keyless: Whether the open account answers for a request without a key, if there is one.

        Returns:
            The caller and its rate; whether it may go on is for :meth:`authorize` to say.

        Raises:
            MissingApiKeyError: No key was sent.
            InvalidApiKeyError: The key is unknown, malformed, revoked or expired.
            ServiceUnavailableError: The key cannot be looked up.
        """
        caller = self._open_caller() if keyless and not raw_key else None
        caller = caller or authentication.authenticate(raw_key, self._keys, self._now())
        self._observer.caller_identified(caller.account.id, caller.key.fingerprint, caller.key.mode)
        return Admission(caller, self._limiter.consume(caller.account.id, caller.account.requests_per_second))

    def authorize(self, admission: Admission, *, allow_suspended: bool = False) -> None:
        """Let an account go on that is within its rate and active.

        Args:
            admission: The caller, identified.
            allow_suspended: For what an owner may do with an account that is not active.

        Raises:
            RateLimitedError: The account has sent too many requests in this second.
            AccountSuspendedError: The account is not active.
        """
        check_rate(admission.rate)
        if not allow_suspended:
            authentication.require_active(admission.caller.account)

    def require_quota(self, account: Account, mode: KeyMode) -> None:
        """Let an account start work that will be charged. Raises QuotaExceededError."""
        if mode is not KeyMode.SYNTHETIC:
            self._quota.check(account)

    def status(self, admission: Admission) -> AccountStatus:
        """Collect what contracts report of an account."""
        account = admission.caller.account
        left = self._quota.remaining(account)
        credits_left = UNLIMITED_CREDITS if left is None else left
        return AccountStatus(account, admission.caller.key.mode, admission.rate, credits_left)

    def _open_caller(self) -> Caller | None:
        account = self._open_account()
        return authentication.keyless_caller(account, self._now()) if account else None


class OpenAccount:
    """Looks up the account that answers for requests without a key, and remembers it as long as keys are remembered.

    Args:
        find: Looks up an account by its id. Raises ServiceUnavailableError.
        account_id: The account that the owner has named; empty: none.
        ttl_s: Seconds for which the account is remembered.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[AccountId], Account | None],
        account_id: AccountId,
        ttl_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._id = account_id
        self._ttl_s = ttl_s
        self._cache: TtlCache[str, Account | None] = TtlCache(max_entries=1, clock=clock)

    def __call__(self) -> Account | None:
        """Give the account; None where none is named, or none of that name exists."""
        return self._cache.get_or_load(self._id, self._load, lambda _: self._ttl_s) if self._id else None

    def _load(self) -> Account | None:
        account = self._find(self._id)
        if account is None:
            logger.warning("CUTOUT_OPEN_ACCOUNT names no account: %s", self._id)
        return account


class CachedKeyStore:
    """A key store that remembers keys, and for a shorter time that there is none. Errors are not remembered.

    A revocation is therefore effective after at most ``ttl_s``, a new key works after at most ``miss_ttl_s``.

    Args:
        store: The key store behind.
        ttl_s: Seconds for which a key is remembered.
        miss_ttl_s: Seconds for which it is remembered that there is no such key.
        max_entries: Keys remembered at most.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: KeyStore,
        ttl_s: float = 60.0,
        miss_ttl_s: float = 5.0,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ttl_s = ttl_s
        self._miss_ttl_s = miss_ttl_s
        self._cache: TtlCache[str, Caller | None] = TtlCache(max_entries, clock)

    def find(self, key_hash: KeyHash) -> Caller | None:
        """Look a key up, from memory where that is fresh."""
        return self._cache.get_or_load(
            key_hash, lambda: self._store.find(key_hash), lambda caller: self._ttl_s if caller else self._miss_ttl_s
        )

    def touch(self, key_hash: KeyHash, day: date) -> None:
        """Note the day of use, in the store once for as long as the key is remembered."""
        self._store.touch(key_hash, day)
        self._cache.replace(
            key_hash, lambda caller: caller and replace(caller, key=replace(caller.key, last_used_day=day))
        )
