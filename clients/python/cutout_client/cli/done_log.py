"""What is done already: a log in the output folder, one JSON line for each file that was made.

A line is written when its file lies whole in its place, so a run that was ended at any moment can be gone on with.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cutout_client.cli.sources import Item
from cutout_client.images import is_url

LOG_NAME = ".cutout-done.jsonl"


def settings_name(settings: Mapping[str, Any]) -> str:
    """Return a short name of everything that decides what a picture looks like."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


class DoneLog:
    """The logs of all output folders of a run. Threads may share it."""

    def __init__(self, settings: Mapping[str, Any], *, force: bool = False) -> None:
        """Begin with nothing read.

        Args:
            settings: All that decides what a picture looks like.
            force: Nothing counts as done; what is made is noted all the same.
        """
        self._force = force
        self._settings = settings_name(settings)
        self._known: dict[Path, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def is_done(self, item: Item) -> bool:
        """Whether the file was made of this very image with these settings, and still lies there."""
        if self._force:
            return False
        with self._lock:
            if item.log_folder not in self._known:
                self._known[item.log_folder] = _read(item.log_folder / LOG_NAME)
            entry = self._known[item.log_folder].get(_name(item))
        try:
            there = item.target.stat().st_size
            return entry is not None and entry == {**self._entry(item), "made_bytes": there}
        except OSError:
            return False

    def note(self, item: Item) -> None:
        """Write that an item is done. Raises OSError."""
        entry = {**self._entry(item), "made_bytes": item.target.stat().st_size}
        with self._lock, (item.log_folder / LOG_NAME).open("a", encoding="utf-8") as log:
            log.write(json.dumps({"file": _name(item), **entry}) + "\n")

    def _entry(self, item: Item) -> dict[str, Any]:
        entry: dict[str, Any] = {"source": item.source, "settings": self._settings}
        if is_url(item.source):
            return entry
        found = Path(item.source).stat()
        return {**entry, "source": os.path.realpath(item.source), "bytes": found.st_size, "time_ns": found.st_mtime_ns}


def _name(item: Item) -> str:
    return Path(os.path.relpath(item.target, item.log_folder)).as_posix()


def _read(log: Path) -> dict[str, Any]:
    """Entries by file, the last of each; a line that was cut off by a crash counts as not written."""
    entries: dict[str, Any] = {}
    try:
        lines = log.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return entries
    for line in lines:
        entry = _parsed(line)
        if entry is not None:
            entries[entry.pop("file")] = entry
    return entries


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "file" in entry else None
