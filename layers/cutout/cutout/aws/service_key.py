"""The service's own signing key (Ed25519): one a stack, for contracts whose webhooks are verified by a public key.

It is made when it is first needed, and never leaves: who has it is told signatures and the public key. It is kept as it
is, for signing needs it: in a table that is encrypted at rest, and in no log.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from cutout import signing
from cutout.aws.account_items import service_key_id
from cutout.aws.ledger import AWAY, Ledger
from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoServiceKey:
    """The table ``Accounts``. Every method raises ServiceUnavailableError when DynamoDB cannot be asked just now.

    The key is read once: it never changes.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._ledger = Ledger(client, table)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return signing.sign(self._seed, message)

    def public(self) -> bytes:
        """The key by which signatures are verified, 32 bytes."""
        return signing.public_key(self._seed)

    @cached_property
    def _seed(self) -> bytes:
        """The first writer wins, the others read what it wrote."""
        found = self._ledger.get(service_key_id())
        if found is None:
            self._ledger.add_if_absent(service_key_id() | {"seed": {"B": signing.new_seed()}})
            found = self._ledger.get(service_key_id())
        if found is None:
            raise ServiceUnavailableError(AWAY)
        return bytes(found["seed"]["B"])
