"""The authentication of API keys, and the rights of an account and a key. Knows neither HTTP nor AWS.

A raw key is known only to its owner; every store holds its :func:`hash_key`. The key has 256 random bits, so one round
of SHA-256 without salt protects it (a slow hash protects guessable passwords, which these keys are not).
"""

import hashlib
import secrets
from datetime import UTC, date, datetime
from typing import Protocol

from cutout.accounts import Account, ApiKey, Caller, KeyMode, KeyStatus
from cutout.errors import AccountSuspendedError, ForbiddenError, InvalidApiKeyError, MissingApiKeyError
from cutout.ids import KeyFingerprint, KeyHash

MAX_KEY_CHARS = 256
"""A longer key is refused before it is hashed; keys made here have 51 to 56 characters."""
KEY_BYTES = 32
"""The random bytes of a key: 43 characters of unpadded URL-safe base64."""
KEYLESS_FINGERPRINT = KeyFingerprint("none")
"""The fingerprint of a caller without a key."""
ACTIVE_STATUSES = frozenset({"active", "trialing"})
"""The subscription statuses with which an account may use the service."""


class KeyStore(Protocol):
    """A store of API keys. Its methods raise ServiceUnavailableError while the store is unavailable."""

    def find(self, key_hash: KeyHash) -> Caller | None:
        """Look up a key, active or revoked, by its hash.

        Args:
            key_hash: The :func:`hash_key` of the raw key.

        Returns:
            The key and its account; None when either is unknown.
        """

    def touch(self, key_hash: KeyHash, day: date) -> None:
        """Record that a key was used on a day (UTC). Best effort: does not raise while the store is unavailable."""


def new_key(mode: KeyMode) -> str:
    """Make a raw key, ``ct_<mode>_`` and 43 URL-safe characters, which is shown to its owner only once."""
    return f"ct_{mode.value}_{secrets.token_urlsafe(KEY_BYTES)}"


def hash_key(raw_key: str) -> KeyHash:
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
    return KeyHash(hashlib.sha256(raw_key.encode("ascii")).hexdigest())


def fingerprint_key(key_hash: KeyHash) -> KeyFingerprint:
    """Make a key's public name from its hash, for answers and logs: ``tok_fp_`` and the first 12 hex digits."""
    return KeyFingerprint(f"tok_fp_{key_hash[:12]}")


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
