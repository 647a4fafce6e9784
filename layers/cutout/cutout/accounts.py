"""Accounts, API keys and plans, and the rules for a valid key. Knows neither HTTP nor AWS.

A raw key is known only to its owner; every store holds its :func:`hash_key`. The key has 256 random bits, so one round
of SHA-256 without salt protects it (a slow hash protects guessable passwords, which these keys are not).
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
"""A longer key is refused before it is hashed; keys made here have 51 to 56 characters."""
KEY_BYTES = 32
"""The random bytes of a key: 43 characters of unpadded URL-safe base64."""

KEYLESS_FINGERPRINT = "none"
"""The fingerprint of a caller without a key."""

SUBSCRIPTION_STATUSES = ("active", "trialing", "past_due", "suspended", "canceled")
"""All subscription statuses of an account."""
ACTIVE_STATUSES = frozenset({"active", "trialing"})
"""The subscription statuses with which an account may use the service."""


class KeyMode(StrEnum):
    """The purpose of a key; part of the key's text and of the answer of ``/v2/account``."""

    LIVE = "live"
    ADMIN = "admin"
    SYNTHETIC = "synthetic"
    """For monitoring and tests: works like a live key, and is never charged."""


class KeyStatus(StrEnum):
    """The status of a key. A revoked key never becomes active again."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Plan:
    """The default limits of an account.

    Attributes:
        name: The plan's name.
        billing_model: The billing model's name.
        requests_per_second: For all keys of the account together, above zero.
        monthly_quota: Images per calendar month (UTC); None: unlimited.
        usage_unit: The unit that is billed.
    """

    name: str
    billing_model: str
    requests_per_second: int
    monthly_quota: int | None
    usage_unit: str = "image"


PLANS: Mapping[str, Plan] = MappingProxyType({
    plan.name: plan
    for plan in (
        Plan("free", billing_model="none", requests_per_second=2, monthly_quota=50),
        Plan("metered", billing_model="metered_monthly", requests_per_second=1_000, monthly_quota=None),
        Plan("unlimited", billing_model="none", requests_per_second=1_000, monthly_quota=None),
    )
})  # fmt: skip
"""All plans by name. An account copies the limits when it is made, so a later change does not affect it."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account. Nothing here is secret from its owner.

    Attributes:
        id: ``acct_`` and 16 hex digits.
        email: The owner's address.
        plan: The plan's name.
        subscription_status: One of SUBSCRIPTION_STATUSES.
        billing_model: The billing model's name.
        usage_unit: The unit that is billed.
        requests_per_second: For all keys together, above zero.
        monthly_quota: Images per calendar month (UTC); None: unlimited.
        training_opt_in: Whether the owner allows that images are retained for training.
    """

    id: str
    email: str
    plan: str
    subscription_status: str
    billing_model: str
    usage_unit: str
    requests_per_second: int
    monthly_quota: int | None
    training_opt_in: bool

    @classmethod
    def on_plan(cls, account_id: str, email: str, plan: Plan) -> "Account":
        """Make an active account with a plan's limits, which has not opted in to training.

        Args:
            account_id: The id.
            email: The owner's address.
            plan: The plan.

        Returns:
            The account.
        """
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
    """The facts of an API key, without the key itself. Times are UTC, in whole seconds.

    Attributes:
        account_id: The owner.
        mode: The purpose.
        fingerprint: The public name, as :func:`fingerprint_key` makes it.
        status: The status.
        created_at: When the key was made.
        last_used_day: The last day of use (UTC); None: never used.
        label: The owner's name for it.
        valid_until: The end of a rotated key's grace period; None: not rotated.
    """

    account_id: str
    mode: KeyMode
    fingerprint: str
    status: KeyStatus
    created_at: datetime
    last_used_day: date | None
    label: str
    valid_until: datetime | None = None

    def is_valid_at(self, now: datetime) -> bool:
        """Report whether the key is valid at a time (UTC)."""
        return self.status is KeyStatus.ACTIVE and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: an account, and the key that it used."""

    account: Account
    key: ApiKey


def keyless_caller(account: Account, now: datetime) -> Caller:
    """Make the caller of requests without a key, by a placeholder that is in no store.

    Args:
        account: The account that pays for such requests.
        now: The current time (UTC).

    Returns:
        The caller.
    """
    key = ApiKey(
        account.id,
        KeyMode.LIVE,
        KEYLESS_FINGERPRINT,
        KeyStatus.ACTIVE,
        now.replace(microsecond=0),
        None,
        "without a key",
    )
    return Caller(account, key)


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change to accounts or keys.

    Attributes:
        name: The fingerprint of the acting key, or the name of a tool.
        account_id: The account of the acting key; None for a tool.
        request_id: The request that makes the change; empty for a tool.
    """

    name: str
    account_id: str | None = None
    request_id: str = ""


OPERATOR = Actor("operator")
"""An operator with rights to the table itself, as the tools have."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A change to an account. Holds no key and no secret.

    Attributes:
        account_id: The account.
        action: The kind of change, such as ``key.create``.
        target: The fingerprint of the key, or the account's id.
        actor: The author.
        at: The time (UTC).
        changes: The changed fields with their new values.
    """

    account_id: str
    action: str
    target: str
    actor: Actor
    at: datetime
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of the list of accounts.

    Attributes:
        accounts: The accounts, ordered by id.
        after: The id after which the next page begins; None on the last page.
    """

    accounts: tuple[Account, ...]
    after: str | None


class KeyStore(Protocol):
    """A store of API keys. Its methods raise ServiceUnavailableError while the store is unavailable."""

    def find(self, key_hash: str) -> Caller | None:
        """Look up a key, active or revoked, by its hash.

        Args:
            key_hash: The :func:`hash_key` of the raw key.

        Returns:
            The key and its account; None when either is unknown.
        """

    def touch(self, key_hash: str, day: date) -> None:
        """Record that a key was used on a day (UTC). Best effort: does not raise while the store is unavailable."""


def new_key(mode: KeyMode) -> str:
    """Make a raw key, ``ct_<mode>_`` and 43 URL-safe characters, which is shown to its owner only once."""
    return f"ct_{mode.value}_{secrets.token_urlsafe(KEY_BYTES)}"


def new_account_id() -> str:
    """Make an account's id, ``acct_`` and 16 hex digits."""
    return f"acct_{secrets.token_hex(8)}"


def hash_key(raw_key: str) -> str:
    """Hash a raw key.

    Args:
        raw_key: The key as sent.

    Returns:
        SHA-256, 64 lower-case hex digits.

    Raises:
        InvalidApiKeyError: No key can look like this.
    """
    if not raw_key or len(raw_key) > MAX_KEY_CHARS or not raw_key.isascii():
        raise _invalid()
    return hashlib.sha256(raw_key.encode("ascii")).hexdigest()


def fingerprint_key(key_hash: str) -> str:
    """Make a key's public name from its hash, for answers and logs: ``tok_fp_`` and the first 12 hex digits."""
    return f"tok_fp_{key_hash[:12]}"


def authenticate(raw_key: str | None, store: KeyStore, now: datetime | None = None) -> Caller:
    """Identify the caller by its key, and record the day of use.

    Args:
        raw_key: The key as sent; None or empty: none was sent.
        store: The store of keys.
        now: The time of use (UTC), by default the current time.

    Returns:
        The caller.

    Raises:
        MissingApiKeyError: No key was sent.
        InvalidApiKeyError: The key is malformed, unknown, revoked or expired. The message is the same in each case,
            so that it does not reveal which keys exist.
        ServiceUnavailableError: The store is unavailable.
    """
    if not raw_key:
        raise MissingApiKeyError("An API key is required: send it in the header x-api-key.")
    key_hash = hash_key(raw_key)
    caller = store.find(key_hash)
    now = now or datetime.now(UTC)
    if caller is None or not caller.key.is_valid_at(now):
        raise _invalid()
    day = now.date()
    if caller.key.last_used_day is None or caller.key.last_used_day < day:
        store.touch(key_hash, day)
    return caller


def require_active(account: Account) -> None:
    """Require an account with an active or trial subscription.

    Raises:
        AccountSuspendedError: The subscription has another status.
    """
    if account.subscription_status not in ACTIVE_STATUSES:
        details = {"subscription_status": account.subscription_status}
        raise AccountSuspendedError(f"The account is not active: {account.subscription_status}.", details)


def require_manager(key: ApiKey) -> None:
    """Require a key that may change the account's keys and secrets.

    A synthetic key is stored in the configuration of a monitoring system and must not give access to other keys; a
    rotated key has a successor.

    Raises:
        ForbiddenError: The key is synthetic or rotated.
    """
    if key.mode is KeyMode.SYNTHETIC:
        raise ForbiddenError("A synthetic key cannot manage an account's keys and secrets.")
    if key.valid_until is not None:
        raise ForbiddenError("This key was rotated; manage the account's keys and secrets with its successor.")


def require_mode(key: ApiKey, mode: KeyMode) -> None:
    """Require a key that may make or manage other keys of a mode.

    Synthetic keys are never charged and admin keys control all accounts, so only an admin key manages them.

    Args:
        key: The acting key.
        mode: The mode of the other key.

    Raises:
        ForbiddenError: The mode needs an admin key.
    """
    if mode is not KeyMode.LIVE and key.mode is not KeyMode.ADMIN:
        raise ForbiddenError(f"Only an admin key can make or manage {mode} keys.")


def require_admin(key: ApiKey) -> None:
    """Require an admin key. Raises ForbiddenError."""
    if key.mode is not KeyMode.ADMIN:
        raise ForbiddenError("This needs an admin key.")


def _invalid() -> InvalidApiKeyError:
    return InvalidApiKeyError("The API key is not valid.")
