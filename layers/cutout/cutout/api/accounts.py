"""What people ask of accounts and keys, read from requests. Whether they may is for ``accounts`` and the stores."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from cutout.accounts import PLANS, SUBSCRIPTION_STATUSES, Account, ApiKey, Caller, KeyMode, KeyStatus, new_account_id
from cutout.api.answers import json_answer
from cutout.api.body import JsonBody
from cutout.api.request import Request, Response
from cutout.errors import InvalidOptionError, NotFoundError
from cutout.usage import Usage, usage_report

MAX_LABEL_CHARS: Final = 100
MAX_EMAIL_CHARS: Final = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""
MAX_RATE: Final = 100_000
MAX_QUOTA: Final = 1_000_000_000
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_ACCOUNT_ID: Final = re.compile(r"acct_[A-Za-z0-9_-]{1,64}", re.ASCII)
_FINGERPRINT: Final = re.compile(r"tok_fp_[0-9a-f]{12}")
_LIMITS: Final = ("plan", "requests_per_second", "monthly_quota", "training_opt_in")


@dataclass(frozen=True, slots=True)
class CreateKeyRequest:
    """A key that somebody wants. label: up to MAX_LABEL_CHARS printable characters, or none."""

    mode: KeyMode
    label: str


class AccountListing(NamedTuple):
    """A part of the list of accounts. limit: 1..MAX_PAGE; after: the id before the first one, None for the start."""

    limit: int
    after: str | None


def parse_key(request: Request) -> CreateKeyRequest:
    """The key in the body of a request; by default a live one without label. Raises InvalidOptionError."""
    body = JsonBody(request, ("mode", "label"))
    mode = body.choice("mode", [mode.value for mode in KeyMode])
    return CreateKeyRequest(KeyMode(mode or KeyMode.LIVE), body.text("label", MAX_LABEL_CHARS) or "")


def parse_grace(request: Request, longest_s: int) -> int:
    """Seconds for which a rotated key goes on to open, 0 to ``longest_s``, which is the default."""
    grace_s = JsonBody(request, ("grace_s",)).integer("grace_s", 0, longest_s)
    return longest_s if grace_s is None else grace_s


def parse_account(request: Request) -> Account:
    """A new account on a plan (by default ``free``), with the bounds of its plan unless the body has others."""
    body = JsonBody(request, ("email", *_LIMITS))
    email = _email(body)
    if not email:
        raise InvalidOptionError("email is required.", {"option": "email"})
    account = Account.on_plan(new_account_id(), email, PLANS[body.choice("plan", list(PLANS)) or "free"])
    return replace(account, **_bounds(body))


def parse_changes(request: Request) -> dict[str, Any]:
    """New values by field of :class:`~cutout.accounts.Account`.

    Another plan brings its own bounds, unless the body has others. ``monthly_quota`` null: no bound.
    """
    body = JsonBody(request, ("email", "subscription_status", *_LIMITS))
    changes: dict[str, Any] = {}
    if plan := body.choice("plan", list(PLANS)):
        of_plan = Account.on_plan("", "", PLANS[plan])
        names = ("plan", "billing_model", "usage_unit", "requests_per_second", "monthly_quota")
        changes |= {name: getattr(of_plan, name) for name in names}
    if email := _email(body):
        changes["email"] = email
    if status := body.choice("subscription_status", SUBSCRIPTION_STATUSES):
        changes["subscription_status"] = status
    return changes | _bounds(body)


def parse_listing(request: Request) -> AccountListing:
    """The part of the list that a query asks for. Raises InvalidOptionError."""
    text = _single(request, "limit") or str(DEFAULT_PAGE)
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= MAX_PAGE:
        details = {"option": "limit", "minimum": 1, "maximum": MAX_PAGE}
        raise InvalidOptionError(f"limit must be a number from 1 to {MAX_PAGE}.", details)
    after = _single(request, "cursor")
    if after and not _ACCOUNT_ID.fullmatch(after):
        raise InvalidOptionError("cursor must be one that a page of the list gave.", {"option": "cursor"})
    return AccountListing(int(text), after)


def account_id_of(request: Request) -> str:
    """The id of the account in the path. Raises NotFoundError for what no account can be called."""
    account_id = request.path_parameters.get("id", "")
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise NotFoundError("There is no such account.")
    return account_id


def fingerprint_of(request: Request) -> str:
    """The fingerprint of the key in the path. Raises NotFoundError for what no key can have."""
    fingerprint = request.path_parameters.get("fingerprint", "")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise NotFoundError("The account has no such key.")
    return fingerprint


def _bounds(body: JsonBody) -> dict[str, Any]:
    """What an account may do apart from its plan's defaults."""
    rate = body.integer("requests_per_second", 1, MAX_RATE)
    quota = body.integer("monthly_quota", 0, MAX_QUOTA)
    opt_in = body.flag("training_opt_in")
    bounds: dict[str, Any] = {} if rate is None else {"requests_per_second": rate}
    if quota is not None or body.is_null("monthly_quota"):
        bounds["monthly_quota"] = quota
    return bounds if opt_in is None else bounds | {"training_opt_in": opt_in}


def _email(body: JsonBody) -> str | None:
    email = body.text("email", MAX_EMAIL_CHARS)
    if email is not None and not _EMAIL.fullmatch(email):
        raise InvalidOptionError("email must be an address with one @.", {"option": "email"})
    return email


def _single(request: Request, name: str) -> str | None:
    values = request.query.get(name, ())
    if len(values) > 1:
        raise InvalidOptionError(f"{name} was sent more than once.", {"option": name})
    return next(iter(values), "").strip() or None


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
