"""The cache in front of the key store: most requests of a busy caller cost no read."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from cutout.accounts import Caller
from cutout.authentication import KeyStore
from cutout.services.ttl_cache import TtlCache


class CachedKeyStore:
    """A key store that remembers keys, and for a shorter time that there is none. Errors are not remembered.

    A revocation is therefore effective after at most ``ttl_s``, a new key works after at most ``miss_ttl_s``.

    Args:
        store: The key store behind.
        ttl_s: Seconds for which a key is remembered.
        miss_ttl_s: Seconds for which it is remembered that there is no such key.
        max_entries: Keys remembered at most.
        clock: Monotonic seconds.
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
        self._cache: TtlCache[str, Caller | None] = TtlCache(max_entries, clock)

    def find(self, key_hash: str) -> Caller | None:
        """Look a key up, from memory where that is fresh."""
        return self._cache.get_or_load(
            key_hash, lambda: self._store.find(key_hash), lambda caller: self._ttl_s if caller else self._miss_ttl_s
        )

    def touch(self, key_hash: str, day: date) -> None:
        """Note the day of use, in the store once for as long as the key is remembered."""
        self._store.touch(key_hash, day)
        self._cache.replace(
            key_hash, lambda caller: caller and replace(caller, key=replace(caller.key, last_used_day=day))
        )
