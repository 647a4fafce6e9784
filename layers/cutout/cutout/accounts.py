"""Accounts, API keys and plans as values. Their keys are checked in ``authentication.py``."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from cutout.ids import AccountId, KeyFingerprint

SUBSCRIPTION_STATUSES = ("active", "trialing", "past_due", "suspended", "canceled")
"""All subscription statuses of an account."""


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

    id: AccountId
    email: str
    plan: str
    subscription_status: str
    billing_model: str
    usage_unit: str
    requests_per_second: int
    monthly_quota: int | None
    training_opt_in: bool

    @classmethod
    def on_plan(cls, account_id: AccountId, email: str, plan: Plan) -> "Account":
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

    account_id: AccountId
    mode: KeyMode
    fingerprint: KeyFingerprint
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


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change to accounts or keys.

    Attributes:
        name: The fingerprint of the acting key, or the name of a tool.
        account_id: The account of the acting key; None for a tool.
        request_id: The request that makes the change; empty for a tool.
    """

    name: str
    account_id: AccountId | None = None
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

    account_id: AccountId
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
    after: AccountId | None


def new_account_id() -> AccountId:
    """Make an account's id, ``acct_`` and 16 hex digits."""
    return AccountId(f"acct_{secrets.token_hex(8)}")
