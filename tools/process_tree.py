"""Processor time and memory of a running service, by kind of process, from /proc; Linux alone."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROLES = {
    "durable_aws": "state in place of AWS",
    "aws_server": "state in place of AWS",
    "remove_background": "workers of removals",
    "local/runtime.py": "other workers",
}
"""What a command line holds, in this order, and what such a process does."""
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass
class ProcessTree:
    """A process and all that it has started.

    Attributes:
        root: The process.
    """

    root: int
    _begun: dict[int, float] = field(init=False)
    _memory: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._begun = {pid: seconds for pid, seconds, _, _ in self._processes()}

    def look(self) -> None:
        """Note the memory of each kind now: that of its largest process."""
        largest: dict[str, float] = defaultdict(float)
        for _, _, resident_mb, role in self._processes():
            largest[role] = max(largest[role], resident_mb)
        self._memory.append(largest)

    def report(self, requests: int) -> dict[str, Any]:
        """Sum up since the beginning.

        Args:
            requests: How many were answered meanwhile.

        Returns:
            By kind: ``cpu_ms``, milliseconds of processor time a request; ``memory_mb``, the most that one process had
            in each fifth of the looks.
        """
        used_s: dict[str, float] = defaultdict(float)
        for pid, seconds, _, role in self._processes():
            used_s[role] += seconds - self._begun.get(pid, 0.0)
        fifth = max(1, len(self._memory) // 5)
        parts = [self._memory[start : start + fifth] for start in range(0, fifth * 5, fifth)]
        return {
            role: {
                "cpu_ms": round(seconds / requests * 1000, 2),
                "memory_mb": [round(max(look[role] for look in part)) for part in parts if part],
            }
            for role, seconds in sorted(used_s.items())
        }

    def _processes(self) -> list[tuple[int, float, float, str]]:
        """List id, processor seconds, resident MB and kind of each."""
        found, parents = {}, {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                facts = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has ended meanwhile
                continue
            pid = int(entry.name)
            parents[pid] = int(facts[1])
            role = next((role for part, role in ROLES.items() if part in command), "front")
            found[pid] = (pid, (int(facts[11]) + int(facts[12])) * _TICK_S, int(facts[21]) * _PAGE_MB, role)
        return [facts for pid, facts in found.items() if self._is_mine(pid, parents)]

    def _is_mine(self, pid: int, parents: dict[int, int]) -> bool:
        while pid and pid != self.root:
            pid = parents.get(pid, 0)
        return pid == self.root
