"""Writers of accounts and keys as their owners and administrators see them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

from cutout.accounts import Account, ApiKey, Caller, KeyStatus
from cutout.api.answers import json_answer
from cutout.api.request import Response
from cutout.usage import DailyUsage, Usage, usage_report


def account_answer(caller: Caller, month: str, usage: Usage) -> Response:
    """Write the facts of the caller's key, account and usage; never the key itself.

    Args:
        caller: The caller.
        month: The current month, ``yyyy-mm``.
        usage: The account's usage of the month.

    Returns:
        The response.
    """
    account = caller.account
    return json_answer(
        {
            "status": "ok",
            "api_key": {"valid": True, "mode": caller.key.mode, "fingerprint": caller.key.fingerprint},
            "account": {
                "email": account.email,
                "plan": account.plan,
                "subscription_status": account.subscription_status,
                "billing_model": account.billing_model,
                "usage_unit": account.usage_unit,
                "training_opt_in": account.training_opt_in,
            },
            "usage": usage_report(month, usage, account.monthly_quota),
        }
    )


def daily_usage_answer(month: str, days: Iterable[DailyUsage]) -> Response:
    """Write an account's usage of a month (``yyyy-mm``) by day and key.

    Args:
        month: The month.
        days: The usage, sorted by day and key.

    Returns:
        The response; a key is null for images that were put into the uploads bucket.
    """
    rows = [
        {
            "day": each.day,
            "key": each.key or None,
            "images": each.usage.images,
            "megapixels": each.usage.pixels / 1_000_000,
        }
        for each in days
    ]
    return json_answer({"period": month, "days": rows})


def managed_account_answer(account: Account, month: str, usage: Usage, status: int = 200) -> Response:
    """Write an account for its administrators.

    Args:
        account: The account.
        month: The current month, ``yyyy-mm``.
        usage: The account's usage of the month.
        status: The HTTP status.

    Returns:
        The response.
    """
    return json_answer(asdict(account) | {"usage": usage_report(month, usage, account.monthly_quota)}, status)


def accounts_answer(accounts: Iterable[Account], cursor: str | None) -> Response:
    """Write a page of accounts; ``next_cursor`` is null on the last page."""
    return json_answer({"accounts": [asdict(account) for account in accounts], "next_cursor": cursor})


def key_document(key: ApiKey, now: datetime) -> dict[str, object]:
    """Write the facts of a key as JSON, without the key itself.

    Args:
        key: The facts.
        now: The current time (UTC).

    Returns:
        The document. Its ``status`` is active, expired (rotated, and the grace period is over) or revoked.
    """
    status = "expired" if key.status is KeyStatus.ACTIVE and not key.is_valid_at(now) else key.status.value
    return {
        "fingerprint": key.fingerprint,
        "mode": key.mode.value,
        "label": key.label,
        "status": status,
        "created_at": key.created_at.isoformat(),
        "last_used_day": key.last_used_day.isoformat() if key.last_used_day else None,
        "valid_until": key.valid_until.isoformat() if key.valid_until else None,
    }


def keys_answer(keys: Iterable[ApiKey], now: datetime) -> Response:
    """Write all keys of an account, as of a time (UTC)."""
    return json_answer({"keys": [key_document(key, now) for key in keys]})


def key_answer(key: ApiKey, now: datetime) -> Response:
    """Write one key, as of a time (UTC)."""
    return json_answer(key_document(key, now))


def new_key_answer(raw_key: str, key: ApiKey, now: datetime, replaces: ApiKey | None = None) -> Response:
    """Write a new key (201), which is shown only this once.

    Args:
        raw_key: The key itself.
        key: Its facts.
        now: The current time (UTC).
        replaces: The rotated key that it replaces.

    Returns:
        The response, which must not be cached.
    """
    document = {"key": raw_key, **key_document(key, now)}
    if replaces:
        document["replaces"] = key_document(replaces, now)
    return _secret_answer(document, 201)


def webhook_secret_answer(
    secret: str, created_at: datetime, previous_until: datetime | None, status: int = 200
) -> Response:
    """Write the secret that signs an account's webhooks.

    Args:
        secret: The secret.
        created_at: When it was made (UTC).
        previous_until: The end (UTC) of the time in which the previous secret signs too.
        status: The HTTP status.

    Returns:
        The response, which must not be cached.
    """
    until = previous_until.isoformat() if previous_until else None
    document = {"secret": secret, "created_at": created_at.isoformat(), "previous_valid_until": until}
    return _secret_answer(document, status)


def _secret_answer(document: Mapping[str, object], status: int) -> Response:
    return json_answer(document, status).with_headers({"cache-control": "no-store"})
