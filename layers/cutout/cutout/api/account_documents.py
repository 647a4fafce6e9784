"""Accounts, keys and webhook secrets as JSON. A raw key or a secret is shown where it is made, and marked no-store."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime

from cutout.accounts import Account, ApiKey, Caller, KeyStatus
from cutout.api.answers import json_answer
from cutout.api.request import Response
from cutout.metering import Usage, usage_report


def account_answer(caller: Caller, month: str, usage: Usage) -> Response:
    """What a caller may know about the key, its account and the usage of the month; never the key itself."""
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
            },
            "usage": usage_report(month, usage, account.monthly_quota),
        }
    )


def managed_account_answer(account: Account, month: str, usage: Usage, status: int = 200) -> Response:
    """An account as its administrators see it."""
    return json_answer(asdict(account) | {"usage": usage_report(month, usage, account.monthly_quota)}, status)


def accounts_answer(accounts: Iterable[Account], cursor: str | None) -> Response:
    """A page of accounts; ``next_cursor`` asks for the next one and is null on the last."""
    return json_answer({"accounts": [asdict(account) for account in accounts], "next_cursor": cursor})


def key_document(key: ApiKey, now: datetime) -> dict[str, object]:
    """A key without the key. ``status``: active, expired (rotated, and its grace is over) or revoked."""
    status = "expired" if key.status is KeyStatus.ACTIVE and not key.opens(now) else key.status.value
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
    """All keys of an account."""
    return json_answer({"keys": [key_document(key, now) for key in keys]})


def key_answer(key: ApiKey, now: datetime) -> Response:
    """One key."""
    return json_answer(key_document(key, now))


def new_key_answer(raw_key: str, key: ApiKey, now: datetime, replaces: ApiKey | None = None) -> Response:
    """201: a new key, shown this once. replaces: the one that it was made for."""
    document = {"key": raw_key, **key_document(key, now)}
    if replaces:
        document["replaces"] = key_document(replaces, now)
    return _secret_answer(document, 201)


def webhook_secret_answer(
    secret: str, created_at: datetime, previous_until: datetime | None, status: int = 200
) -> Response:
    """The secret that signs an account's webhooks. previous_until: for so long its predecessor signs too."""
    until = previous_until.isoformat() if previous_until else None
    document = {"secret": secret, "created_at": created_at.isoformat(), "previous_valid_until": until}
    return _secret_answer(document, status)


def _secret_answer(document: Mapping[str, object], status: int) -> Response:
    return replace(json_answer(document, status), headers={"cache-control": "no-store"})
