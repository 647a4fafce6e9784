"""The page about odd pictures and requests names tests that are there."""

import re

import pytest

from local import ROOT

ROWS = re.findall(r"`(tests/\S+\.py)` `(test_\w+)` \|$", (ROOT / "docs/pictures.md").read_text(), re.MULTILINE)


def test_the_page_has_every_case():
    assert len(ROWS) == len(set(ROWS)) > 40


@pytest.mark.parametrize(("file", "name"), ROWS)
def test_a_named_test_is_there(file: str, name: str):
    assert re.search(rf"def {name}\(", (ROOT / file).read_text())
