"""Who calls: accounts, API keys, plans, and the rule that tells a good key from a bad one.

Knows neither HTTP nor AWS; where keys are kept is a :class:`KeyStore`. A raw key exists only in the hands of its owner
and on its way through :func:`hash_key`: it has 256 random bits, so one round of SHA-256 without salt hides it
(a slow hash defends guessable passwords, which keys made here are not).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from cutout.errors import AccountSuspendedError, ForbiddenError, InvalidApiKeyError, MissingApiKeyError

MAX_KEY_CHARS = 256
"""A longer key is refused unread; those made here have 51 to 56 characters."""
KEY_BYTES = 32
"""Random bytes of a key: 43 characters of unpadded URL-safe base64."""

NO_KEY = "none"
"""What stands for the fingerprint of a key where none was sent."""

SUBSCRIPTION_STATUSES = ("active", "trialing", "past_due", "suspended", "canceled")
"""What an account's subscription may be."""
ACTIVE_STATUSES = frozenset({"active", "trialing"})
"""Subscription statuses with which an account may work."""


class KeyMode(StrEnum):
    """What a key is for; it is part of the key's text and of the answer of ``/v2/account``."""

    LIVE = "live"
    ADMIN = "admin"
    SYNTHETIC = "synthetic"
    """Monitoring and tests: works like a live key, is never charged."""


class KeyStatus(StrEnum):
    """Whether a key still opens the door. A revoked key never becomes active again."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an account may do unless its profile says otherwise."""

    name: str
    billing_model: str
    requests_per_second: int
    """Over all keys of the account, above zero."""
    monthly_quota: int | None
    """Images per calendar month (UTC); None: no bound."""
    usage_unit: str = "image"


PLANS: Mapping[str, Plan] = MappingProxyType({
    plan.name: plan
    for plan in (
        Plan("free", billing_model="none", requests_per_second=2, monthly_quota=50),
        Plan("metered", billing_model="metered_monthly", requests_per_second=1_000, monthly_quota=None),
        Plan("unlimited", billing_model="none", requests_per_second=1_000, monthly_quota=None),
    )
})  # fmt: skip
"""The only place of the plans' defaults; an account copies them when it is made, so a later change leaves it alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. Nothing here is secret to its owner."""

    id: str
    email: str
    plan: str
    subscription_status: str
    billing_model: str
    usage_unit: str
    requests_per_second: int
    monthly_quota: int | None
    """Images per calendar month (UTC); None: no bound."""
    training_opt_in: bool
    """Whether the owner allows that images are kept for training; False unless asked for."""

    @classmethod
    def on_plan(cls, account_id: str, email: str, plan: Plan) -> "Account":
        """Make an active account with the plan's defaults and no leave to train on its images."""
        return cls(
            id=account_id,
            email=email,
            plan=plan.name,
            subscription_status="active",
            billing_model=plan.billing_model,
            usage_unit=plan.usage_unit,
            requests_per_second=plan.requests_per_second,
            monthly_quota=plan.monthly_quota,
            training_opt_in=False,
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, the key itself excepted."""

    account_id: str
    mode: KeyMode
    fingerprint: str
    status: KeyStatus
    created_at: datetime
    """UTC, whole seconds."""
    last_used_day: date | None
    """UTC; None: never used."""
    label: str
    valid_until: datetime | None = None
    """UTC, whole seconds: when a key that was rotated ceases to open; None: no such time is set."""

    def opens(self, now: datetime) -> bool:
        """Whether the key is good at this moment (UTC)."""
        return self.status is KeyStatus.ACTIVE and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, and with which of the account's keys."""

    account: Account
    key: ApiKey


def without_key(account: Account, now: datetime) -> Caller:
    """Who sends requests for which a key is not asked: the account that answers for them, by a key that opens nothing.

    now: UTC.
    """
    key = ApiKey(account.id, KeyMode.LIVE, NO_KEY, KeyStatus.ACTIVE, now.replace(microsecond=0), None, "without a key")
    return Caller(account, key)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes accounts or keys. By a key: its account, its fingerprint and the request; by a tool: no account."""

    name: str
    account_id: str | None = None
    request_id: str = ""


OPERATOR = Actor("operator")
"""Somebody with rights to the table itself, as the tools have."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done to an account, when (UTC) and by whom. Holds no key and no secret.

    action: such as ``key.create``. target: the fingerprint, or the account's id. changes: fields and their new values.
    """

    account_id: str
    action: str
    target: str
    actor: Actor
    at: datetime
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A part of all accounts, ordered by id. after: the id after which the next page begins; None on the last."""

    accounts: tuple[Account, ...]
    after: str | None


class KeyStore(Protocol):
    """Where keys are looked up. Raises ServiceUnavailableError when it cannot be asked."""

    def find(self, key_hash: str) -> Caller | None:
        """Look up the owner of a key, be it active or revoked; None when the key, or its account, is unknown."""

    def touch(self, key_hash: str, day: date) -> None:
        """Note that the key was used on this day (UTC). Best effort: never raises for a store that is away."""


def new_key(mode: KeyMode) -> str:
    """Make a raw key, ``ct_<mode>_`` and 43 URL-safe characters; to be shown to its owner once."""
    return f"ct_{mode.value}_{secrets.token_urlsafe(KEY_BYTES)}"


def new_account_id() -> str:
    """Make an account's id, ``acct_`` and 16 hex digits."""
    return f"acct_{secrets.token_hex(8)}"


def hash_key(raw_key: str) -> str:
    """SHA-256 of a raw key, 64 lower-case hex digits. Raises InvalidApiKeyError when no key can look like this."""
    if not raw_key or len(raw_key) > MAX_KEY_CHARS or not raw_key.isascii():
        raise _invalid()
    return hashlib.sha256(raw_key.encode("ascii")).hexdigest()


def fingerprint(key_hash: str) -> str:
    """Name a key in a way that may be shown and logged: ``tok_fp_`` and the first 12 hex digits of the hash."""
    return f"tok_fp_{key_hash[:12]}"


def authenticate(raw_key: str | None, store: KeyStore, now: datetime | None = None) -> Caller:
    """Tell whose key this is.

    raw_key: as sent, None or empty when none was. now: the time of use (UTC), by default the current one.
    Raises MissingApiKeyError, or InvalidApiKeyError for a malformed, unknown, revoked or outlived key, always in the
    same words: the answer must not tell such a key from one that never was. ServiceUnavailableError comes from the
    store.
    """
    if not raw_key:
        raise MissingApiKeyError("An API key is required: send it in the header x-api-key.")
    key_hash = hash_key(raw_key)
    caller = store.find(key_hash)
    now = now or datetime.now(UTC)
    if caller is None or not caller.key.opens(now):
        raise _invalid()
    day = now.date()
    if caller.key.last_used_day is None or caller.key.last_used_day < day:
        store.touch(key_hash, day)
    return caller


def require_active(account: Account) -> None:
    """Let an account pass whose subscription runs or is on trial. Raises AccountSuspendedError."""
    if account.subscription_status not in ACTIVE_STATUSES:
        details = {"subscription_status": account.subscription_status}
        raise AccountSuspendedError(f"The account is not active: {account.subscription_status}.", details)


def require_manager(key: ApiKey) -> None:
    """Let a key pass that may change the account's keys and secrets. Raises ForbiddenError.

    A synthetic key lies in some monitoring's configuration and must not lead to others; a key that was rotated is on
    its way out and has a successor.
    """
    if key.mode is KeyMode.SYNTHETIC:
        raise ForbiddenError("A synthetic key cannot manage an account's keys and secrets.")
    if key.valid_until is not None:
        raise ForbiddenError("This key was rotated; manage the account's keys and secrets with its successor.")


def require_mode(key: ApiKey, mode: KeyMode) -> None:
    """Let a key make or manage another one of this mode. Raises ForbiddenError.

    Synthetic keys are never charged and admin keys rule all accounts, so both are for admin keys to give.
    """
    if mode is not KeyMode.LIVE and key.mode is not KeyMode.ADMIN:
        raise ForbiddenError(f"Only an admin key can make or manage {mode} keys.")


def require_admin(key: ApiKey) -> None:
    """Let an admin key pass. Raises ForbiddenError."""
    if key.mode is not KeyMode.ADMIN:
        raise ForbiddenError("This needs an admin key.")


def _invalid() -> InvalidApiKeyError:
    return InvalidApiKeyError("The API key is not valid.")
