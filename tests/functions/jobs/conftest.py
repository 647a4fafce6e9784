"""Every test begins with nothing known, a second account, and a synthetic key; moto is behind the functions."""

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.container import container
from local.resources import Template
from tests.functions.jobs.asking import OTHER_KEY, SYNTHETIC_KEY, A


@pytest.fixture(autouse=True)
def _fresh(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing known, the loaded model excepted; a second account, and a synthetic key."""
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    container().keys.create_account(Account.on_plan("acct_other", "b@example.com", PLANS["unlimited"]))
    container().keys.create_key("acct_other", OTHER_KEY, KeyMode.LIVE)
    container().keys.create_key(A, SYNTHETIC_KEY, KeyMode.SYNTHETIC)
