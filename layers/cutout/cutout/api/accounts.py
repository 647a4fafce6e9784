"""The parsers of requests about accounts and keys. The writers of their answers are in ``account_documents.py``."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from cutout.accounts import PLANS, SUBSCRIPTION_STATUSES, Account, KeyMode, new_account_id
from cutout.api.body.json_body import JsonBody
from cutout.api.request import Request
from cutout.errors import InvalidOptionError, NotFoundError
from cutout.ids import AccountId, KeyFingerprint

MAX_LABEL_CHARS: Final = 100
MAX_EMAIL_CHARS: Final = 254
"""RFC 5321, section 4.5.3.1.3, without the angle brackets."""
MAX_RATE: Final = 100_000
MAX_QUOTA: Final = 1_000_000_000
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_ACCOUNT_ID: Final = re.compile(r"acct_[A-Za-z0-9_-]{1,64}", re.ASCII)
_FINGERPRINT: Final = re.compile(r"tok_fp_[0-9a-f]{12}")
_MONTH: Final = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_LIMITS: Final = ("plan", "requests_per_second", "monthly_quota", "training_opt_in")


@dataclass(frozen=True, slots=True)
class CreateKeyRequest:
    """A request for a new key.

    Attributes:
        mode: The purpose of the key.
        label: Up to MAX_LABEL_CHARS printable characters; may be empty.
    """

    mode: KeyMode
    label: str


class AccountPageRequest(NamedTuple):
    """A request for a page of the list of accounts.

    Attributes:
        limit: The most accounts, 1 to MAX_PAGE.
        after: The page begins after this id; None: at the first account.
    """

    limit: int
    after: AccountId | None


def parse_key(request: Request) -> CreateKeyRequest:
    """Parse a request for a new key; by default a live key without a label.

    Args:
        request: The request.

    Returns:
        The key's mode and label.

    Raises:
        ClientFaultError: As :class:`~cutout.api.body.json_body.JsonBody`.
    """
    body = JsonBody(request, ("mode", "label"))
    mode = body.choice("mode", [mode.value for mode in KeyMode])
    return CreateKeyRequest(KeyMode(mode or KeyMode.LIVE), body.text("label", MAX_LABEL_CHARS) or "")


def parse_grace(request: Request, longest_s: int) -> int:
    """Parse the grace period of a rotated key.

    Args:
        request: The request.
        longest_s: The longest grace period in seconds, and the default.

    Returns:
        Seconds, 0 to ``longest_s``.

    Raises:
        ClientFaultError: As :class:`~cutout.api.body.json_body.JsonBody`.
    """
    grace_s = JsonBody(request, ("grace_s",)).integer("grace_s", 0, longest_s)
    return longest_s if grace_s is None else grace_s


def parse_account(request: Request) -> Account:
    """Parse a request for a new account.

    Args:
        request: The request. The body names the email, a plan (by default ``free``), and limits that differ from it.

    Returns:
        The account.

    Raises:
        ClientFaultError: As :class:`~cutout.api.body.json_body.JsonBody`.
    """
    body = JsonBody(request, ("email", *_LIMITS))
    email = _email(body)
    if not email:
        raise InvalidOptionError("email is required.", {"option": "email"})
    account = Account.on_plan(new_account_id(), email, PLANS[body.choice("plan", list(PLANS)) or "free"])
    return replace(account, **_bounds(body))


def parse_changes(request: Request) -> dict[str, Any]:
    """Parse a request to change an account.

    Args:
        request: The request. Another plan sets its own limits, unless the body has others. ``monthly_quota`` null:
            unlimited.

    Returns:
        New values by field of :class:`~cutout.accounts.Account`.

    Raises:
        ClientFaultError: As :class:`~cutout.api.body.json_body.JsonBody`.
    """
    body = JsonBody(request, ("email", "subscription_status", *_LIMITS))
    changes: dict[str, Any] = {}
    if plan := body.choice("plan", list(PLANS)):
        of_plan = Account.on_plan(AccountId(""), "", PLANS[plan])
        names = ("plan", "billing_model", "usage_unit", "requests_per_second", "monthly_quota")
        changes |= {name: getattr(of_plan, name) for name in names}
    if email := _email(body):
        changes["email"] = email
    if status := body.choice("subscription_status", SUBSCRIPTION_STATUSES):
        changes["subscription_status"] = status
    return changes | _bounds(body)


def parse_own_changes(request: Request) -> dict[str, bool]:
    """Parse a request of an owner to change the account.

    Args:
        request: The request; an owner may change ``training_opt_in`` alone.

    Returns:
        New values by field of :class:`~cutout.accounts.Account`.

    Raises:
        ClientFaultError: As :class:`~cutout.api.body.json_body.JsonBody`, and for nothing to change.
    """
    opt_in = JsonBody(request, ("training_opt_in",)).flag("training_opt_in")
    if opt_in is None:
        raise InvalidOptionError("training_opt_in is required: true or false.", {"option": "training_opt_in"})
    return {"training_opt_in": opt_in}


def parse_account_page(request: Request) -> AccountPageRequest:
    """Parse the query of a request for a page of accounts. Raises InvalidOptionError."""
    text = _single(request, "limit") or str(DEFAULT_PAGE)
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= MAX_PAGE:
        details = {"option": "limit", "minimum": 1, "maximum": MAX_PAGE}
        raise InvalidOptionError(f"limit must be a number from 1 to {MAX_PAGE}.", details)
    after = _single(request, "cursor")
    if after and not _ACCOUNT_ID.fullmatch(after):
        raise InvalidOptionError("cursor must be one that a page of the list gave.", {"option": "cursor"})
    return AccountPageRequest(int(text), AccountId(after) if after else None)


def parse_month(request: Request) -> str | None:
    """Parse the month whose usage is wanted, ``yyyy-mm``; None: the current one. Raises InvalidOptionError."""
    month = _single(request, "month")
    if month and not _MONTH.fullmatch(month):
        raise InvalidOptionError("month must be written as yyyy-mm.", {"option": "month"})
    return month or None


def account_id_of(request: Request) -> AccountId:
    """Read the account's id in the path. Raises NotFoundError for text of another form."""
    account_id = request.path_parameters.get("id", "")
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise NotFoundError("There is no such account.")
    return AccountId(account_id)


def fingerprint_of(request: Request) -> KeyFingerprint:
    """Read the key's fingerprint in the path. Raises NotFoundError for text of another form."""
    fingerprint = request.path_parameters.get("fingerprint", "")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise NotFoundError("The account has no such key.")
    return KeyFingerprint(fingerprint)


def _bounds(body: JsonBody) -> dict[str, Any]:
    """Read the limits that differ from the plan's."""
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
