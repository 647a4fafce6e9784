"""The account that answers for requests without a key, where a contract knows none and the owner has named one."""

import logging
import time
from collections.abc import Callable

from cutout.accounts import Account

logger = logging.getLogger(__name__)


class OpenAccount:
    """Looks the account up, and remembers it for ``ttl_s``, as long as keys are remembered.

    find: looks up an account by its id; raises ServiceUnavailableError when it cannot. account_id: empty for none.
    clock: monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[str], Account | None],
        account_id: str,
        ttl_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._id = account_id
        self._ttl_s = ttl_s
        self._clock = clock
        self._known: Account | None = None
        self._expires_s = float("-inf")

    def __call__(self) -> Account | None:
        """The account as it was within the last ``ttl_s``; None where none is named, or none of that name exists."""
        if self._id and self._expires_s <= (asked_s := self._clock()):
            self._known = self._find(self._id)
            self._expires_s = asked_s + self._ttl_s
            if self._known is None:
                logger.warning("CUTOUT_OPEN_ACCOUNT names no account: %s", self._id)
        return self._known
