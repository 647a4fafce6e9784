"""The guard of speed that noise cannot fool: instructions of fixed work, within a twentieth of what is recorded."""

import os
import shutil

import pytest

from tests.performance.instructions import TOLERANCE, count, environment, ratios, recorded


def test_our_work_takes_no_more_instructions_than_recorded():
    if shutil.which("valgrind") is None:
        if os.environ.get("CUTOUT_REQUIRE_VALGRIND"):
            pytest.fail("valgrind is not installed")
        pytest.skip("valgrind is not installed, which counts instructions")
    expected = recorded()
    if expected is None:
        pytest.skip(f"no counts of {environment()} are recorded: make record-instructions")

    found = ratios(count())

    assert found == {name: pytest.approx(ratio, rel=TOLERANCE) for name, ratio in expected.items()}, (
        "slower: mend it; faster, or worth it: make record-instructions"
    )
