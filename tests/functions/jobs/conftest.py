"""Every test begins with nothing known, a second account, and a synthetic key; moto is behind the functions."""

from collections.abc import Iterator

import pytest

from cutout import container as warm
from cutout.accounts import PLANS, Account, KeyMode
from local import ROOT
from local.resources import Template
from tests.functions.jobs.asking import OTHER_KEY, SYNTHETIC_KEY, A, kept


@pytest.fixture(autouse=True)
def _fresh(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh warm state, the loaded model excepted; a second account, and a synthetic key."""
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(ROOT / "models"))
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    for value in kept():
        value.cache_clear()
    warm.accounts().create_account(Account.on_plan("acct_other", "b@example.com", PLANS["unlimited"]))
    warm.accounts().create_key("acct_other", OTHER_KEY, KeyMode.LIVE)
    warm.accounts().create_key(A, SYNTHETIC_KEY, KeyMode.SYNTHETIC)
    yield
    for value in kept():
        value.cache_clear()
