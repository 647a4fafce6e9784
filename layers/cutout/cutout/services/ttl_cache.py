"""A bounded cache whose entries expire, each after a time of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    expires_s: float


class TtlCache(Generic[K, V]):
    """Remembers values; the oldest go first when there are too many. Not for use by several threads at once.

    Args:
        max_entries: Values remembered at most.
        clock: Monotonic seconds.
    """

    def __init__(self, max_entries: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}

    def get_or_load(self, key: K, load: Callable[[], V], ttl_s: Callable[[V], float]) -> V:
        """Give a remembered value, or load and remember it.

        Args:
            key: The value's name.
            load: Loads the value; what it raises is raised, and nothing is remembered.
            ttl_s: Seconds for which a loaded value is remembered, counted from before it was asked for.

        Returns:
            The value.
        """
        asked_s = self._clock()
        entry = self._entries.get(key)
        if entry is not None and asked_s < entry.expires_s:
            return entry.value
        value = load()
        self._entries.pop(key, None)  # so that the dictionary's order is that of age
        while len(self._entries) >= self._max_entries:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(value, asked_s + ttl_s(value))
        return value

    def replace(self, key: K, change: Callable[[V], V]) -> None:
        """Change a remembered value without prolonging its life; nothing happens where there is none."""
        if entry := self._entries.get(key):
            entry.value = change(entry.value)

    def forget(self, key: K) -> None:
        """Drop a value, if it is remembered."""
        self._entries.pop(key, None)
