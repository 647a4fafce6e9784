"""Every dialect in the running server: a picture, and a refusal. The image's test sends the same (tests/sam)."""

import pytest

from cutout.api.dialects.registry import every_dialect
from tests.server.contracts import CONTRACTS, Contract, reference
from tests.server.instance import KEY, started


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with started(tmp_path_factory.mktemp("state")) as server:
        yield str(server.api.base_url).rstrip("/")


@pytest.fixture(scope="module")
def alpha(url):
    return reference(url, KEY)


def test_no_dialect_is_left_out():
    assert {contract.dialect for contract in CONTRACTS} == {dialect.name for dialect in every_dialect()}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.dialect)
def test_a_picture_comes_by_every_dialect_and_so_does_a_refusal(url, alpha, contract: Contract):
    contract.check(url, KEY, alpha)
