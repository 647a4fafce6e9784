"""Where the time of a test run goes, folder by folder, beside the budget of its tier."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pytest


def folder_of(nodeid: str) -> str:
    """The folder whose tests share a budget line: ``tests/unit/imaging``, ``tests/dialects``, ``training/tests``."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parts
    depth = 3 if parts[:2] == ("tests", "unit") else 2
    return "/".join(parts[: min(depth, len(parts) - 1)])


def seconds_by_folder(reports: Iterable[pytest.TestReport]) -> Mapping[str, float]:
    """Seconds of set-up, call and tear-down of all tests, by folder."""
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds[folder_of(report.nodeid)] += report.duration  # type: ignore[assignment]
    return seconds


def summary(reports: Iterable[pytest.TestReport], elapsed_s: float, budget_minutes: float) -> list[str]:
    """The lines that end a run: the tier's budget, and the folders that take most of the time."""
    spent = seconds_by_folder(reports)
    total = sum(spent.values()) or 1.0
    lines = [f"{elapsed_s / 60:.1f} minutes" + (f" of {budget_minutes:g}" if budget_minutes else "")]
    if budget_minutes and elapsed_s > budget_minutes * 60:
        lines[0] += ": above the budget (a slow or busy machine counts too; see the folders)"
    slowest = sorted(spent.items(), key=lambda item: -item[1])[:12]
    return lines + [f"{seconds:8.1f} s {seconds / total:4.0%}  {folder}" for folder, seconds in slowest]
