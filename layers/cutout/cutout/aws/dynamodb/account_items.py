"""The items of the table ``Accounts``, from values and back; the layout itself is in the design's table.

Items are in the wire form of DynamoDB's low-level client. Knows no client and raises nothing: what stands in the table
was written by this module.
"""

import json
from datetime import date, datetime
from typing import Any

from cutout.accounts import Account, Actor, ApiKey, AuditEntry, KeyMode, KeyStatus

Item = dict[str, Any]
"""``{"name": {"S": "value"}, ...}``; Any, because the stubs' own type is a union of every kind of attribute."""


def key_id(key_hash: str) -> Item:
    """Make the primary key of the item that tells whether a key is good."""
    return {"pk": {"S": f"KEY#{key_hash}"}, "sk": {"S": "KEY"}}


def profile_id(account_id: str) -> Item:
    """Make the primary key of an account's profile."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": "PROFILE"}}


def listing_id(account_id: str, fingerprint: str) -> Item:
    """Make the primary key of an account's pointer to one of its keys; with an empty fingerprint the prefix of all."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": f"KEY#{fingerprint}"}}


def webhook_id(account_id: str) -> Item:
    """Make the primary key of the secrets that sign an account's webhooks."""
    return {"pk": {"S": f"ACCOUNT#{account_id}"}, "sk": {"S": "WEBHOOK"}}


def service_key_id() -> Item:
    """Make the primary key of the key by which the service itself signs."""
    return {"pk": {"S": "SERVICE"}, "sk": {"S": "SIGNING_KEY"}}


def audit_item(entry: AuditEntry, nonce: str) -> Item:
    """Write an entry of the audit. nonce: tells entries of the same microsecond apart."""
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


def audit_prefix(account_id: str) -> Item:
    """Make the hash key of an account's entries, and what their range keys begin with: in order of time."""
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


def key_item(key_hash: str, key: ApiKey) -> Item:
    """Write a key as an item. An empty label and times that are not set are left out."""
    item = key_id(key_hash) | {
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
"""Value of ``listed`` in every profile: the hash key of the index ``accounts``, which holds profiles only."""


def profile_fields(account: Account) -> Item:
    """Write what may change in an account; a quota without bound is left out."""
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
    return profile_id(account.id) | names | profile_fields(account)


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
