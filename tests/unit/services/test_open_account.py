from types import SimpleNamespace

import pytest

from cutout.accounts import PLANS, Account
from cutout.errors import ServiceUnavailableError
from cutout.services.access import OpenAccount

OPEN = Account.on_plan("acct_1", "a@example.com", PLANS["free"])


@pytest.fixture
def world() -> SimpleNamespace:
    """An account store that notes what it was asked, and a clock."""
    world = SimpleNamespace(accounts={"acct_1": OPEN}, asked=[], now_s=0.0)

    def find(account_id: str) -> Account | None:
        world.asked.append(account_id)
        return world.accounts.get(account_id)

    world.open = lambda account_id: OpenAccount(find, account_id, ttl_s=60, clock=lambda: world.now_s)
    return world


def test_the_account_is_looked_up_once_a_minute(world):
    find_open = world.open("acct_1")
    assert [find_open(), find_open()] == [OPEN, OPEN]
    world.now_s = 60.0
    world.accounts.clear()
    assert find_open() is None
    assert world.asked == ["acct_1", "acct_1"]


def test_where_none_is_named_nobody_is_asked(world):
    assert world.open("")() is None
    assert world.asked == []


def test_a_name_that_is_no_accounts_is_logged_and_opens_nothing(world, caplog):
    assert world.open("acct_typo")() is None
    assert "acct_typo" in caplog.text


def test_a_store_that_is_away_is_asked_again_by_the_next_request(world):
    answers = iter([ServiceUnavailableError("away"), OPEN])

    def find(_: str) -> Account:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    find_open = OpenAccount(find, "acct_1")
    with pytest.raises(ServiceUnavailableError):
        find_open()
    assert find_open() == OPEN
