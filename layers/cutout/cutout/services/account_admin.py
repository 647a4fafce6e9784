"""Keys as they are managed over the API, by their owners and by administrators: who may do what to which."""

from collections.abc import Callable
from datetime import UTC, datetime

from cutout.accounts import ACTIVE_STATUSES, Actor, Caller, new_key, require_admin, require_manager, require_mode
from cutout.api.accounts import (
    account_id_of,
    accounts_answer,
    fingerprint_of,
    key_answer,
    keys_answer,
    managed_account_answer,
    new_key_answer,
    parse_account,
    parse_changes,
    parse_grace,
    parse_key,
    parse_listing,
)
from cutout.api.request import Request, Response
from cutout.aws.dynamodb.accounts import DynamoAccountStore
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.errors import ConflictError, NotFoundError
from cutout.usage import UsageStore, month_of


class KeyDesk:
    """Answers requests about keys: of the account in the path, for administrators, or else of the caller's own.

    grace_s: longest time for which a rotated key may go on to open. now: UTC. Every method raises ForbiddenError for a
    key that may not, NotFoundError for an unknown account or key, ServiceUnavailableError; those that change something
    raise InvalidApiKeyError when the acting key is closed meanwhile.
    """

    def __init__(
        self, keys: DynamoKeyStore, grace_s: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = keys
        self._grace_s = grace_s
        self._now = now

    def show(self, caller: Caller, request: Request) -> Response:
        """All keys of an account, closed ones too."""
        account_id = _account_of(caller, request)
        if account_id != caller.account.id and self._keys.find_account(account_id) is None:
            raise NotFoundError(f"There is no account {account_id}.")
        return keys_answer(self._keys.list_keys(account_id), self._now())

    def make(self, caller: Caller, request: Request) -> Response:
        """Make a key of an account. Raises ConflictError when it has too many, InvalidOptionError."""
        account_id = _account_of(caller, request)
        require_manager(caller.key)
        wish = parse_key(request)
        require_mode(caller.key, wish.mode)
        raw_key = new_key(wish.mode)
        key = self._keys.create_key(account_id, raw_key, wish.mode, wish.label, actor(caller, request))
        return new_key_answer(raw_key, key, self._now())

    def revoke(self, caller: Caller, request: Request) -> Response:
        """Close a key for good, though not the acting one: whoever closes keys holds one that works.

        So neither the last key of all nor the last admin key can be lost. Raises ConflictError.
        """
        account_id = _account_of(caller, request)
        require_manager(caller.key)
        key = self._keys.find_key(account_id, fingerprint_of(request))
        require_mode(caller.key, key.mode)
        if (key.account_id, key.fingerprint) == (caller.key.account_id, caller.key.fingerprint):
            raise ConflictError("A key cannot revoke itself; revoke it with another one, or rotate it with grace_s 0.")
        return key_answer(self._keys.revoke(account_id, key.fingerprint, actor(caller, request)), self._now())

    def rotate(self, caller: Caller, request: Request) -> Response:
        """Make a successor of a key, which itself opens for a while more. The acting key may be rotated too.

        Raises ConflictError for a key that is revoked or was rotated before, InvalidOptionError.
        """
        account_id = _account_of(caller, request)
        require_manager(caller.key)
        grace_s = parse_grace(request, self._grace_s)
        old = self._keys.find_key(account_id, fingerprint_of(request))
        require_mode(caller.key, old.mode)
        raw_key = new_key(old.mode)
        key = self._keys.rotate(account_id, old.fingerprint, raw_key, actor(caller, request), grace_s)
        closed = self._keys.find_key(account_id, old.fingerprint)
        return new_key_answer(raw_key, key, self._now(), closed)


def actor(caller: Caller, request: Request) -> Actor:
    """Who acts by a request, for the audit."""
    return Actor(caller.key.fingerprint, caller.account.id, request.request_id)


def _account_of(caller: Caller, request: Request) -> str:
    if "id" not in request.path_parameters:
        return caller.account.id
    require_admin(caller.key)
    return account_id_of(request)


class AccountDesk:
    """Answers requests of administrators. now: UTC.

    Every method raises ForbiddenError for a key that may not, and ServiceUnavailableError.
    """

    def __init__(
        self,
        accounts: DynamoAccountStore,
        usage: UsageStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._usage = usage
        self._now = now

    def show_all(self, caller: Caller, request: Request) -> Response:
        """A page of all accounts, by id."""
        require_admin(caller.key)
        page = self._accounts.page(*parse_listing(request))
        return accounts_answer(page.accounts, page.after)

    def show(self, caller: Caller, request: Request) -> Response:
        """One account, with what it used this month. Raises NotFoundError."""
        require_admin(caller.key)
        account = self._accounts.find(account_id_of(request))
        month = month_of(self._now())
        return managed_account_answer(account, month, self._usage.total(account.id, month))

    def make(self, caller: Caller, request: Request) -> Response:
        """A new account, without keys. Raises InvalidOptionError."""
        require_admin(caller.key)
        require_manager(caller.key)
        account = parse_account(request)
        self._accounts.create(account, actor(caller, request))
        month = month_of(self._now())
        return managed_account_answer(account, month, self._usage.total(account.id, month), 201)

    def change(self, caller: Caller, request: Request) -> Response:
        """Change an account; suspending it stops its keys within a minute, and is undone by ``active``.

        Raises NotFoundError, InvalidOptionError, ConflictError for the acting key's own account: so that no
        administrator is locked out by the last step of his own.
        """
        require_admin(caller.key)
        require_manager(caller.key)
        account_id = account_id_of(request)
        changes = parse_changes(request)
        suspended = changes.get("subscription_status", "active") not in ACTIVE_STATUSES
        if suspended and account_id == caller.account.id:
            raise ConflictError("A key cannot suspend its own account; use an admin key of another one.")
        account = self._accounts.change(account_id, changes, actor(caller, request))
        month = month_of(self._now())
        return managed_account_answer(account, month, self._usage.total(account.id, month))
