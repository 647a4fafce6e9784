"""The secrets of webhooks in DynamoDB: each account's signing secret (Standard Webhooks), and the service's own key.

Each is made when it is first needed. They are stored unhashed, because signing needs them: in a table that is encrypted
at rest, and never in a log.
"""

import base64
import secrets
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from cutout.accounts import Actor, AuditEntry
from cutout.aws.dynamodb.account_items import Item, profile_primary_key, service_key_primary_key, webhook_primary_key
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE, AuditedTable
from cutout.errors import ConflictError, NotFoundError, ServiceUnavailableError
from cutout.ids import AccountId
from cutout.webhooks import WebhookSecret

SECRET_BYTES: Final = 32
"""Within the 24 to 64 bytes of Standard Webhooks 1.0."""


class DynamoWebhookSecrets:
    """The accounts' webhook secrets in the table ``Accounts``; rotations are audited.

    Every method raises ServiceUnavailableError while DynamoDB is unavailable.

    Args:
        table: The table.
        grace_s: Seconds for which a rotated secret still signs.
    """

    def __init__(self, table: AuditedTable, grace_s: int) -> None:
        self._table = table
        self._grace_s = grace_s

    def signing(self, account_id: AccountId, now: datetime) -> tuple[str, ...]:
        """Select the secrets of an account that sign at a time.

        Args:
            account_id: The account.
            now: The time (UTC).

        Returns:
            The secrets, the newest first.

        Raises:
            NotFoundError: There is no such account.
        """
        return self.find(account_id).signing(now)

    def find(self, account_id: AccountId) -> WebhookSecret:
        """Read the secret of an account, and make it if there is none.

        Args:
            account_id: The account.

        Returns:
            The secret.

        Raises:
            NotFoundError: There is no such account.
        """
        found = self._table.get(webhook_primary_key(account_id))
        if found is None:
            self._make_first(account_id)
            found = self._table.get(webhook_primary_key(account_id))
        if found is None:
            raise NotFoundError(f"There is no account {account_id}.")
        return _to_secret(found)

    def rotate(self, account_id: AccountId, actor: Actor) -> WebhookSecret:
        """Replace the secret of an account; the old one signs too during the grace period.

        Args:
            account_id: The account.
            actor: The author of the change.

        Returns:
            The new secret.

        Raises:
            NotFoundError: There is no such account.
            ConflictError: Another request rotates the secret at the same time.
        """
        old = self.find(account_id)
        now = self._table.now().replace(microsecond=0)
        values = {
            ":new": {"S": _new_secret()},
            ":old": {"S": old.current},
            ":now": {"S": now.isoformat()},
            ":until": {"S": (now + timedelta(seconds=self._grace_s)).isoformat()},
        }
        change = self._table.update(
            webhook_primary_key(account_id),
            "SET secret = :new, previous = :old, created_at = :now, previous_until = :until",
            "secret = :old",
            ExpressionAttributeValues=values,
        )
        lost = ConflictError("The secret was rotated by another request just now.")
        self._table.commit([(change, lost)], AuditEntry(account_id, "webhook_secret.rotate", account_id, actor, now))
        return self.find(account_id)

    def _make_first(self, account_id: AccountId) -> None:
        """Make the first secret, without an audit entry, because nobody has changed anything. The first writer wins."""
        if self._table.get(profile_primary_key(account_id)) is None:
            return
        now = self._table.now().replace(microsecond=0)
        item = webhook_primary_key(account_id) | {"secret": {"S": _new_secret()}, "created_at": {"S": now.isoformat()}}
        self._table.add_if_absent(item)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def _to_secret(item: Item) -> WebhookSecret:
    until = item.get("previous_until")
    return WebhookSecret(
        current=item["secret"]["S"],
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        previous=item["previous"]["S"] if "previous" in item else None,
        previous_until=datetime.fromisoformat(until["S"]) if until else None,
    )


class DynamoServiceKey:
    """The service's Ed25519 key in the table ``Accounts``. It never changes, so it is read once.

    Every method raises ServiceUnavailableError while DynamoDB is unavailable.

    Args:
        table: The table.
    """

    def __init__(self, table: AuditedTable) -> None:
        self._table = table

    def sign(self, message: bytes) -> bytes:
        """Sign a message; return the signature, 64 bytes."""
        from cutout import signing  # noqa: PLC0415 - loads cryptography, which most functions do without

        return signing.sign(self._seed, message)

    def public(self) -> bytes:
        """Return the public key that verifies the signatures, 32 bytes."""
        from cutout import signing  # noqa: PLC0415

        return signing.public_key(self._seed)

    @cached_property
    def _seed(self) -> bytes:
        """Read the private key, and make it if there is none. The first writer wins; the others read its key."""
        from cutout import signing  # noqa: PLC0415

        found = self._table.get(service_key_primary_key())
        if found is None:
            self._table.add_if_absent(service_key_primary_key() | {"seed": {"B": signing.new_seed()}})
            found = self._table.get(service_key_primary_key())
        if found is None:
            raise ServiceUnavailableError(UNAVAILABLE)
        return bytes(found["seed"]["B"])
