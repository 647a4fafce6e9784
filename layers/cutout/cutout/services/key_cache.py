"""The cache in front of the key store: most requests of a busy caller cost no read. Knows nothing of what is behind."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from cutout.accounts import Caller, KeyStore


@dataclass(slots=True)
class _Cached:
    caller: Caller | None
    expires_s: float


class CachedKeyStore:
    """A key store that remembers: a key for ``ttl_s``, that there is none for ``miss_ttl_s``. Errors are not kept.

    A revocation is therefore effective after at most ``ttl_s``, a new key works after at most ``miss_ttl_s``.
    clock: monotonic seconds. Not for use by several threads at once.
    """

    def __init__(
        self,
        store: KeyStore,
        ttl_s: float = 60.0,
        miss_ttl_s: float = 5.0,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ttl_s = ttl_s
        self._miss_ttl_s = miss_ttl_s
        self._max_entries = max_entries
        self._clock = clock
        self._entries: dict[str, _Cached] = {}

    def find(self, key_hash: str) -> Caller | None:
        """As the store, from memory where that is fresh."""
        asked_s = self._clock()  # the age of an answer counts from before the question
        entry = self._entries.get(key_hash)
        if entry is not None and asked_s < entry.expires_s:
            return entry.caller
        caller = self._store.find(key_hash)
        self._entries.pop(key_hash, None)  # so that the dictionary's order is that of age
        while len(self._entries) >= self._max_entries:
            del self._entries[next(iter(self._entries))]
        self._entries[key_hash] = _Cached(caller, asked_s + (self._ttl_s if caller else self._miss_ttl_s))
        return caller

    def touch(self, key_hash: str, day: date) -> None:
        """As the store, and remembered, so that the store hears of it once while the key is remembered."""
        self._store.touch(key_hash, day)
        entry = self._entries.get(key_hash)
        if entry is not None and entry.caller is not None:
            entry.caller = replace(entry.caller, key=replace(entry.caller.key, last_used_day=day))
