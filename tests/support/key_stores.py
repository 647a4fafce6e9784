"""A key store in memory, which passes the same tests as the one on DynamoDB (tests/unit/aws/test_key_store.py)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from cutout.accounts import OPERATOR, Account, Actor, ApiKey, Caller, KeyMode, KeyStatus
from cutout.authentication import fingerprint_key, hash_key
from cutout.errors import ConflictError, InvalidRequestError, NotFoundError


class MemoryKeyStore:
    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, ApiKey] = {}
        self._now = now

    def find(self, key_hash: str) -> Caller | None:
        key = self.keys.get(key_hash)
        return Caller(self.accounts[key.account_id], key) if key else None

    def find_account(self, account_id: str) -> Account | None:
        return self.accounts.get(account_id)

    def touch(self, key_hash: str, day: date) -> None:
        key = self.keys.get(key_hash)
        if key and (key.last_used_day is None or key.last_used_day < day):
            self.keys[key_hash] = replace(key, last_used_day=day)

    def create_account(self, account: Account, by: Actor = OPERATOR) -> None:
        if account.id in self.accounts:
            raise InvalidRequestError("exists")
        self.accounts[account.id] = account

    def create_key(self, account_id: str, raw_key: str, mode: KeyMode, label: str = "", by: Actor = OPERATOR) -> ApiKey:
        key_hash = hash_key(raw_key)
        if account_id not in self.accounts:
            raise NotFoundError("no account")
        if key_hash in self.keys:
            raise InvalidRequestError("used")
        created_at = self._now().replace(microsecond=0)
        key = ApiKey(account_id, mode, fingerprint_key(key_hash), KeyStatus.ACTIVE, created_at, None, label)
        self.keys[key_hash] = key
        return key

    def list_keys(self, account_id: str) -> list[ApiKey]:
        keys = [key for key in self.keys.values() if key.account_id == account_id]
        return sorted(keys, key=lambda key: (key.created_at, key.fingerprint))

    def find_key(self, account_id: str, key_fingerprint: str) -> ApiKey:
        return self._of(account_id, key_fingerprint)[1]

    def revoke(self, account_id: str, key_fingerprint: str, by: Actor = OPERATOR) -> ApiKey:
        key_hash, key = self._of(account_id, key_fingerprint)
        self.keys[key_hash] = replace(key, status=KeyStatus.REVOKED)
        return self.keys[key_hash]

    def rotate(
        self, account_id: str, key_fingerprint: str, raw_key: str, by: Actor = OPERATOR, grace_s: int = 0
    ) -> ApiKey:
        old_hash, old = self._of(account_id, key_fingerprint)
        if old.status is not KeyStatus.ACTIVE or old.valid_until:
            raise ConflictError("closed")
        key = self.create_key(account_id, raw_key, old.mode, old.label)
        if grace_s:
            self.keys[old_hash] = replace(old, valid_until=key.created_at + timedelta(seconds=grace_s))
        else:
            self.revoke(account_id, key_fingerprint)
        return key

    def _of(self, account_id: str, key_fingerprint: str) -> tuple[str, ApiKey]:
        for key_hash, key in self.keys.items():
            if key.account_id == account_id and key.fingerprint == key_fingerprint:
                return key_hash, key
        raise NotFoundError("no key")
