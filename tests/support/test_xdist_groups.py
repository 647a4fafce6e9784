"""Tests that rest on what a whole file shares are shared out by file."""

import pytest

from tests.support.xdist_groups import group_of


def test_the_tests_of_a_file_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads the group off the node id; where it cannot write it there, tests scatter without a word."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("one process runs all tests (JOBS=0)")
    assert request.node.nodeid.endswith(f"@{group_of(request.path)}")
