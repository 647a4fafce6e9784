"""How tests are shared between processes (pytest-xdist, ``--dist loadgroup``): what stays together, and what begins.

A file stays together, since its fixtures are made for all of it; so does all that needs Docker. The longest begin, so
that no process is left alone with one of them at the end.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from local import ROOT

TOGETHER: Mapping[str, str] = {"sam": "docker"}
"""Folders of tests that share one thing outside of them, and its name."""
FIRST: Sequence[str] = (
    "chaos",
    "sam",
    "server",
    "model",
    "load",
    "clients",
    "contract",
    "browser",
    "dialects",
    "local",
)
"""Folders of tests, by how long their slowest files take."""


def group_of(path: Path) -> str:
    """The group of a test file."""
    inside = _inside(path)
    return TOGETHER.get(inside.parts[0], inside.as_posix())


def turn_of(path: Path) -> int:
    """When a test file has its turn: the lower, the earlier."""
    folder = _inside(path).parts[0]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


def _inside(path: Path) -> Path:
    """Where a file lies below ``tests/``, or below the top for tests that are kept beside what they test."""
    top = ROOT / "tests"
    return path.relative_to(top if path.is_relative_to(top) else ROOT)
