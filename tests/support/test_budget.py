from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.budget import folder_of, summary


def report(nodeid: str, seconds: float) -> Any:
    return SimpleNamespace(nodeid=nodeid, duration=seconds)


@pytest.mark.parametrize(
    ("nodeid", "folder"),
    [
        ("tests/unit/imaging/codecs/test_png.py::test_it[a/b]", "tests/unit/imaging"),
        ("tests/unit/test_usage.py::test_it", "tests/unit"),
        ("tests/dialects/test_fal_queue.py::TestStatus::test_it", "tests/dialects"),
        ("training/tests/test_data.py::test_it", "training/tests"),
        ("tests/test_import_rules.py::test_it", "tests"),
    ],
)
def test_a_test_belongs_to_the_folder_that_a_person_would_name(nodeid, folder):
    assert folder_of(nodeid) == folder


def test_the_summary_names_the_budget_and_the_slowest_folders_first():
    reports = [report("tests/sam/test_a.py::x", 30), report("tests/unit/api/test_b.py::x", 10)]

    assert summary(reports, 90, 6) == [
        "1.5 minutes of 6",
        "    30.0 s  75%  tests/sam",
        "    10.0 s  25%  tests/unit/api",
    ]
    assert "above the budget" in summary(reports, 600, 6)[0]
    assert summary([], 60, 0) == ["1.0 minutes"]
