"""Accounts as administrators manage them over the API."""

from collections.abc import Callable
from datetime import UTC, datetime

from cutout.accounts import ACTIVE_STATUSES, Caller, require_admin, require_manager
from cutout.api.account_documents import accounts_answer, managed_account_answer
from cutout.api.account_orders import account_id_of, parse_account, parse_changes, parse_listing
from cutout.api.request import Request, Response
from cutout.aws.account_store import DynamoAccountStore
from cutout.aws.key_desk import actor
from cutout.errors import ConflictError
from cutout.metering import UsageStore, month_of


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
