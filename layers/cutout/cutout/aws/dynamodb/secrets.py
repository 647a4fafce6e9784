"""The secrets that sign an account's webhooks (Standard Webhooks), one per account and, for a while, its predecessor.

The first one is made when it is first needed. They are kept as they are, for signing needs them: in a table that is
encrypted at rest, and in no log.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cutout.accounts import Actor, AuditEntry
from cutout.aws.dynamodb.account_items import Item, profile_id, webhook_id
from cutout.aws.dynamodb.audited_transaction import AuditedTransaction
from cutout.errors import ConflictError, NotFoundError
from cutout.webhooks import WebhookSecret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
from functools import cached_property
from typing import TYPE_CHECKING

from cutout.aws.dynamodb.account_items import service_key_id
from cutout.aws.dynamodb.audited_transaction import UNAVAILABLE
from cutout.errors import ServiceUnavailableError

SECRET_BYTES: Final = 32
"""Within the 24 to 64 that the specification asks for."""


class DynamoWebhookSecrets:
    """The table ``Accounts``. grace_s: for so long a rotated secret still signs.

    Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        grace_s: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        audited: Callable[[AuditEntry], None] = lambda _: None,
    ) -> None:
        self._transaction = AuditedTransaction(client, table, now, audited)
        self._grace_s = grace_s

    def signing(self, account_id: str, now: datetime) -> tuple[str, ...]:
        """The secrets of an account that are good at this time, the newest first."""
        return self.find(account_id).signing(now)

    def find(self, account_id: str) -> WebhookSecret:
        """The secret of an account; made now if there was none. Raises NotFoundError when there is no such account."""
        found = self._transaction.get(webhook_id(account_id))
        if found is None:
            self._make_first(account_id)
            found = self._transaction.get(webhook_id(account_id))
        if found is None:
            raise NotFoundError(f"There is no account {account_id}.")
        return _to_secret(found)

    def rotate(self, account_id: str, actor: Actor) -> WebhookSecret:
        """Put a new secret in the place of the current one, which signs too for the time of grace.

        Raises ConflictError when somebody else does so at the same time.
        """
        old = self.find(account_id)
        now = self._transaction.now().replace(microsecond=0)
        values = {
            ":new": {"S": _new_secret()},
            ":old": {"S": old.current},
            ":now": {"S": now.isoformat()},
            ":until": {"S": (now + timedelta(seconds=self._grace_s)).isoformat()},
        }
        change = self._transaction.update(
            webhook_id(account_id),
            "SET secret = :new, previous = :old, created_at = :now, previous_until = :until",
            "secret = :old",
            ExpressionAttributeValues=values,
        )
        lost = ConflictError("The secret was rotated by another request just now.")
        self._transaction.commit(
            [(change, lost)], AuditEntry(account_id, "webhook_secret.rotate", account_id, actor, now)
        )
        return self.find(account_id)

    def _make_first(self, account_id: str) -> None:
        """Nobody acts here, so there is nothing to audit. The first writer wins, the others read what it wrote."""
        if self._transaction.get(profile_id(account_id)) is None:
            return
        now = self._transaction.now().replace(microsecond=0)
        item = webhook_id(account_id) | {"secret": {"S": _new_secret()}, "created_at": {"S": now.isoformat()}}
        self._transaction.add_if_absent(item)


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
    """The table ``Accounts``. Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now.

    The key is read once: it never changes.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._transaction = AuditedTransaction(client, table)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        from cutout import signing  # noqa: PLC0415 - loads cryptography, which most functions do without

        return signing.sign(self._seed, message)

    def public(self) -> bytes:
        """The key by which signatures are verified, 32 bytes."""
        from cutout import signing  # noqa: PLC0415

        return signing.public_key(self._seed)

    @cached_property
    def _seed(self) -> bytes:
        """The first writer wins, the others read what it wrote."""
        from cutout import signing  # noqa: PLC0415

        found = self._transaction.get(service_key_id())
        if found is None:
            self._transaction.add_if_absent(service_key_id() | {"seed": {"B": signing.new_seed()}})
            found = self._transaction.get(service_key_id())
        if found is None:
            raise ServiceUnavailableError(UNAVAILABLE)
        return bytes(found["seed"]["B"])
