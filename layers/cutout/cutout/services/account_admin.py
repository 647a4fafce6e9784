"""Accounts, keys and webhook secrets as they are managed over the API, by their owners and by administrators."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cutout.accounts import Account, Actor, Caller
from cutout.api.account_documents import (
    account_answer,
    accounts_answer,
    daily_usage_answer,
    key_answer,
    keys_answer,
    managed_account_answer,
    new_key_answer,
    webhook_secret_answer,
)
from cutout.api.accounts import (
    account_id_of,
    fingerprint_of,
    parse_account,
    parse_account_page,
    parse_changes,
    parse_grace,
    parse_key,
    parse_month,
    parse_own_changes,
)
from cutout.api.request import Request, Response
from cutout.authentication import ACTIVE_STATUSES, new_key, require_admin, require_manager, require_mode
from cutout.errors import ConflictError, NotFoundError
from cutout.ids import AccountId
from cutout.services.ports import AccountStore, ManagedKeyStore, WebhookSecretStore
from cutout.usage import UsageStore, month_of
from cutout.webhooks import WebhookSecret


class KeyService:
    """Answers requests about keys: of the account in the path, for administrators, or else of the caller's own.

    Every method raises ForbiddenError for a key that may not, NotFoundError for an unknown account or key,
    ServiceUnavailableError; those that change something raise InvalidApiKeyError when the acting key is revoked
    meanwhile.

    Args:
        keys: Where keys are managed.
        grace_s: The longest time, in seconds, for which a rotated key may still work.
        now: The current time, UTC.
    """

    def __init__(
        self, keys: ManagedKeyStore, grace_s: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = keys
        self._grace_s = grace_s
        self._now = now

    def list(self, caller: Caller, request: Request) -> Response:
        """List all keys of an account, closed ones too."""
        account_id = _account_of(caller, request)
        if account_id != caller.account.id and self._keys.find_account(account_id) is None:
            raise NotFoundError(f"There is no account {account_id}.")
        return keys_answer(self._keys.list_keys(account_id), self._now())

    def create(self, caller: Caller, request: Request) -> Response:
        """Make a key of an account. Raises ConflictError when it has too many, InvalidOptionError."""
        account_id = _account_of(caller, request)
        require_manager(caller.key)
        wanted = parse_key(request)
        require_mode(caller.key, wanted.mode)
        raw_key = new_key(wanted.mode)
        key = self._keys.create_key(account_id, raw_key, wanted.mode, wanted.label, actor(caller, request))
        return new_key_answer(raw_key, key, self._now())

    def revoke(self, caller: Caller, request: Request) -> Response:
        """Revoke a key for good, though not the acting one, so that the revoking caller holds one that works.

        Neither the last key of all nor the last admin key can be lost that way. Raises ConflictError.
        """
        account_id = _account_of(caller, request)
        require_manager(caller.key)
        key = self._keys.find_key(account_id, fingerprint_of(request))
        require_mode(caller.key, key.mode)
        if (key.account_id, key.fingerprint) == (caller.key.account_id, caller.key.fingerprint):
            raise ConflictError("A key cannot revoke itself; revoke it with another one, or rotate it with grace_s 0.")
        return key_answer(self._keys.revoke(account_id, key.fingerprint, actor(caller, request)), self._now())

    def rotate(self, caller: Caller, request: Request) -> Response:
        """Make a successor of a key, which itself works for a while more. The acting key may be rotated too.

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
    """Name who acts by a request, for the audit."""
    return Actor(caller.key.fingerprint, caller.account.id, request.request_id)


def _account_of(caller: Caller, request: Request) -> AccountId:
    if "id" not in request.path_parameters:
        return caller.account.id
    require_admin(caller.key)
    return account_id_of(request)


class AccountService:
    """Answers requests of owners about their account, and of administrators about all.

    Every method raises ServiceUnavailableError; those for administrators raise ForbiddenError for another key.

    Args:
        accounts: Where accounts are managed.
        usage: Where usage is counted.
        secrets: Where webhook secrets are kept.
        now: The current time, UTC.
    """

    def __init__(
        self,
        accounts: AccountStore,
        usage: UsageStore,
        secrets: WebhookSecretStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._usage = usage
        self._secrets = secrets
        self._now = now

    def show_own(self, caller: Caller, request: Request) -> Response:  # noqa: ARG002 - as all handlers
        """Show what the caller may know about the key, its account as it is now, and the usage of the month."""
        return self._own(caller, self._accounts.find(caller.account.id))

    def change_own(self, caller: Caller, request: Request) -> Response:
        """Change what an owner may: whether images are kept for training. Raises ForbiddenError, InvalidOptionError."""
        require_manager(caller.key)
        changes = parse_own_changes(request)
        return self._own(caller, self._accounts.change(caller.account.id, changes, actor(caller, request)))

    def _own(self, caller: Caller, account: Account) -> Response:
        month = month_of(self._now())
        return account_answer(replace(caller, account=account), month, self._usage.total(account.id, month))

    def show_daily_usage(self, caller: Caller, request: Request) -> Response:
        """Show the usage of a month by day and key. Raises InvalidOptionError."""
        month = parse_month(request) or month_of(self._now())
        return daily_usage_answer(month, self._usage.daily(caller.account.id, month))

    def show_webhook_secret(self, caller: Caller, request: Request) -> Response:  # noqa: ARG002 - as all handlers
        """Show what signs the account's webhooks, made when first asked for. Raises ForbiddenError."""
        require_manager(caller.key)
        return _secret_answer(self._secrets.find(caller.account.id), 200)

    def rotate_webhook_secret(self, caller: Caller, request: Request) -> Response:
        """Make a new webhook secret; the old one signs for a while too. Raises ForbiddenError, ConflictError."""
        require_manager(caller.key)
        return _secret_answer(self._secrets.rotate(caller.account.id, actor(caller, request)), 201)

    def list(self, caller: Caller, request: Request) -> Response:
        """List all accounts by id, a page at a time."""
        require_admin(caller.key)
        page = self._accounts.page(*parse_account_page(request))
        return accounts_answer(page.accounts, page.after)

    def show(self, caller: Caller, request: Request) -> Response:
        """Show one account, with its usage of the month. Raises NotFoundError."""
        require_admin(caller.key)
        account = self._accounts.find(account_id_of(request))
        month = month_of(self._now())
        return managed_account_answer(account, month, self._usage.total(account.id, month))

    def create(self, caller: Caller, request: Request) -> Response:
        """Add an account, without keys. Raises InvalidOptionError."""
        require_admin(caller.key)
        require_manager(caller.key)
        account = parse_account(request)
        self._accounts.create(account, actor(caller, request))
        month = month_of(self._now())
        return managed_account_answer(account, month, self._usage.total(account.id, month), 201)

    def change(self, caller: Caller, request: Request) -> Response:
        """Change an account; suspending it stops its keys within a minute, and is undone by ``active``.

        Raises NotFoundError, InvalidOptionError, ConflictError for the acting key's own account: so that no
        administrator is locked out by a step of their own.
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


def _secret_answer(secret: WebhookSecret, status: int) -> Response:
    return webhook_secret_answer(secret.current, secret.created_at, secret.previous_until, status)
