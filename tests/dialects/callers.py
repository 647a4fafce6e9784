"""Accounts as dialects meet them: without images left, suspended, beyond their rate; and what they were charged.

For use with the fixture ``api``; an account is new with every call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from unittest.mock import patch

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.authentication import new_key
from cutout.aws import clients
from cutout.aws.dynamodb.rate_limiter import DynamoRateLimiter
from cutout.container import container
from cutout.usage import Charge, Usage, month_of

LOCAL = "acct_local"
"""The account of LIVE_KEY."""

_number = count(1)


def customer(
    plan: str = "metered", *, mode: KeyMode = KeyMode.LIVE, used: int = 0, status: str = "active", rate: int = 1_000
) -> tuple[str, str]:
    """A new account and its one key, raw. used: images made this month; rate: requests per second."""
    account_id, raw_key = f"acct_caller_{next(_number)}", new_key(mode)
    account = Account.on_plan(account_id, "c@example.com", PLANS[plan])
    container().keys.create_account(replace(account, subscription_status=status, requests_per_second=rate))
    container().keys.create_key(account_id, raw_key, mode)
    if used:
        container().usage.record(Charge(f"{account_id}-used", account_id, Usage(images=used), datetime.now(UTC)))
    return account_id, raw_key


def images_of(account_id: str = LOCAL) -> int:
    """Images that the account was charged this month."""
    return container().usage.total(account_id, month_of(datetime.now(UTC))).images


@contextmanager
def second_stands_still() -> Iterator[None]:
    """All requests fall into one second of the rate."""
    limiter = DynamoRateLimiter(
        clients.counting_client(), container().settings.accounts_table, pytest.fail, lambda: 1_000
    )
    with patch.object(container().access, "_limiter", limiter):
        yield
