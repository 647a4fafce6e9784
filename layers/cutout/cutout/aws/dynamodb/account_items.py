"""The items of the table ``Accounts``: values to items and back.

Items are in the wire form of DynamoDB's low-level client. This module makes no calls and raises nothing, because every
item in the table was written by it.
"""

import json
from datetime import date, datetime
from typing import Any

from cutout.accounts import Account, Actor, ApiKey, AuditEntry, KeyMode, KeyStatus
from cutout.ids import AccountId, KeyHash

Item = dict[str, Any]
"""``{"name": {"S": "value"}, ...}``; Any, because the stubs' own type is a union of every kind of attribute."""


def key_primary_key(key_hash: KeyHash) -> Item:
    """Make the primary key of an API key's own item, which alone decides whether the key is valid."""
    return {"pk": {"S": f"KEY#{key_hash}"}, "sk": {"S": "KEY"}}


def profile_primary_key(account_id: AccountId) -> Item:
    """Make the primary key of an account's profile."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": "PROFILE"}}


def key_pointer_primary_key(account_id: AccountId, fingerprint: str) -> Item:
    """Make the primary key of an account's pointer to one of its keys; an empty fingerprint gives the prefix of all."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": f"KEY#{fingerprint}"}}


def webhook_primary_key(account_id: AccountId) -> Item:
    """Make the primary key of the secrets that sign an account's webhooks."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": "WEBHOOK"}}


def service_key_primary_key() -> Item:
    """Make the primary key of the service's own signing key."""
    return {"pk": {"S": "SERVICE"}, "sk": {"S": "SIGNING_KEY"}}


def audit_item(entry: AuditEntry, nonce: str) -> Item:
    """Write an audit entry as an item.

    Args:
        entry: The entry.
        nonce: Distinguishes entries of the same microsecond.

    Returns:
        The item.
    """
    item = {
        "pk": {"S": f"ACCOUNT#{entry.account_id}"},
        "sk": {"S": f"AUDIT#{entry.at.isoformat(timespec='microseconds')}#{nonce}"},
        "action": {"S": entry.action},
        "target": {"S": entry.target},
        "actor": {"S": entry.actor.name},
    }
    if entry.actor.account_id:
        item["actor_account"] = {"S": entry.actor.account_id}
    if entry.actor.request_id:
        item["request_id"] = {"S": entry.actor.request_id}
    if entry.changes:
        item["changes"] = {"S": json.dumps(entry.changes)}
    return item


def audit_prefix(account_id: AccountId) -> Item:
    """Make the partition key of an account's audit entries, and the prefix of their sort keys, which order by time."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": "AUDIT#"}}


def to_audit(item: Item) -> AuditEntry:
    """Read what :func:`audit_item` wrote."""
    return AuditEntry(
        account_id=item["pk"]["S"].removeprefix("ACCOUNT#"),
        action=item["action"]["S"],
        target=item["target"]["S"],
        actor=Actor(
            item["actor"]["S"],
            item["actor_account"]["S"] if "actor_account" in item else None,
            item["request_id"]["S"] if "request_id" in item else "",
        ),
        at=datetime.fromisoformat(item["sk"]["S"].split("#")[1]),
        changes=json.loads(item["changes"]["S"]) if "changes" in item else {},
    )


def key_item(key_hash: KeyHash, key: ApiKey) -> Item:
    """Write an API key as an item.

    Args:
        key_hash: SHA-256 of the raw key, 64 hex digits.
        key: The key's facts.

    Returns:
        The item, without attributes for an empty label and for times that are not set.
    """
    item = key_primary_key(key_hash) | {
        "account_id": {"S": key.account_id},
        "mode": {"S": key.mode.value},
        "fingerprint": {"S": key.fingerprint},
        "status": {"S": key.status.value},
        "created_at": {"S": key.created_at.isoformat()},
    }
    if key.last_used_day:
        item["last_used_day"] = {"S": key.last_used_day.isoformat()}
    if key.label:
        item["label"] = {"S": key.label}
    if key.valid_until:
        item["valid_until"] = {"S": key.valid_until.isoformat()}
    return item


def to_key(item: Item) -> ApiKey:
    """Read what :func:`key_item` wrote."""
    day, until = item.get("last_used_day"), item.get("valid_until")
    return ApiKey(
        account_id=item["account_id"]["S"],
        mode=KeyMode(item["mode"]["S"]),
        fingerprint=item["fingerprint"]["S"],
        status=KeyStatus(item["status"]["S"]),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        last_used_day=date.fromisoformat(day["S"]) if day else None,
        label=item["label"]["S"] if "label" in item else "",
        valid_until=datetime.fromisoformat(until["S"]) if until else None,
    )


LISTED = "ACCOUNT"
"""The value of ``listed`` in every profile: the partition key of the index ``accounts``, which holds profiles only."""


def profile_fields(account: Account) -> Item:
    """Write the attributes of an account that may change; an unlimited quota is left out."""
    fields = {
        "email": {"S": account.email},
        "plan": {"S": account.plan},
        "subscription_status": {"S": account.subscription_status},
        "billing_model": {"S": account.billing_model},
        "usage_unit": {"S": account.usage_unit},
        "requests_per_second": {"N": str(account.requests_per_second)},
        "training_opt_in": {"BOOL": account.training_opt_in},
    }
    if account.monthly_quota is not None:
        fields["monthly_quota"] = {"N": str(account.monthly_quota)}
    return fields


def profile_item(account: Account) -> Item:
    """Write an account as an item."""
    names = {"account_id": {"S": account.id}, "listed": {"S": LISTED}}
    return profile_primary_key(account.id) | names | profile_fields(account)


def to_account(item: Item) -> Account:
    """Read what :func:`profile_item` wrote."""
    quota = item.get("monthly_quota")
    return Account(
        id=item["account_id"]["S"],
        email=item["email"]["S"],
        plan=item["plan"]["S"],
        subscription_status=item["subscription_status"]["S"],
        billing_model=item["billing_model"]["S"],
        usage_unit=item["usage_unit"]["S"],
        requests_per_second=int(item["requests_per_second"]["N"]),
        monthly_quota=int(quota["N"]) if quota else None,
        training_opt_in=item["training_opt_in"]["BOOL"],
    )
