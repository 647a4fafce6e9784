"""The marker ``covers``: which dialect a test is about, and what of it (see tools/matrix.py)."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from local import ROOT
from tools.matrix import KINDS

_DIALECTS = ROOT / "layers" / "cutout" / "cutout" / "api" / "dialects"


def covered(path: Path, marks: Iterable[pytest.Mark]) -> set[tuple[str, str]]:
    """Dialect and kind of all that a test in this file covers; those in tests/clients cover their client."""
    if path.parent.name not in {"dialects", "clients"}:
        return set()
    own = _dialect_of(path)
    found = {_pair(own, *mark.args, **mark.kwargs) for mark in marks}
    return found or ({(own, "clients")} if own and path.parent.name == "clients" else set())


def _pair(own: str | None, kind: str, dialect: str | None = None) -> tuple[str, str]:
    name = dialect or own
    if kind not in KINDS or name is None:
        raise pytest.UsageError(f"covers({kind!r}, {dialect!r}): the kinds are {', '.join(KINDS)}, of a known dialect")
    return name, kind


def _dialect_of(path: Path) -> str | None:
    """``test_fal_queue.py`` is about fal."""
    stem = path.stem.removeprefix("test_")
    names = {child.stem for child in _DIALECTS.iterdir() if not child.name.startswith("_")}
    return max((name for name in names if f"{stem}_".startswith(f"{name}_")), key=len, default=None)
