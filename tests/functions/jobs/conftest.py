"""Every test begins with nothing known, a second account, and a synthetic key; moto is behind the functions."""

from collections.abc import Iterator

import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.container import container
from local import ROOT
from local.resources import Template
from tests.functions.jobs.asking import OTHER_KEY, SYNTHETIC_KEY, A
from tests.support.process_state import forget_everything


@pytest.fixture(autouse=True)
def _fresh(cloud: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing known, the loaded model excepted; a second account, and a synthetic key."""
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(ROOT / "models"))
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    forget_everything()
    container().keys.create_account(Account.on_plan("acct_other", "b@example.com", PLANS["unlimited"]))
    container().keys.create_key("acct_other", OTHER_KEY, KeyMode.LIVE)
    container().keys.create_key(A, SYNTHETIC_KEY, KeyMode.SYNTHETIC)
    yield
    forget_everything()
