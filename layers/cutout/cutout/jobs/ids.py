"""The ids of jobs: random, or derived from work that must be done only once."""

import hashlib
import re
import secrets
from typing import Final, TypeGuard

from cutout.ids import AccountId, JobId

_ID: Final = re.compile(r"job_[0-9a-f]{32}")


def new_job_id() -> JobId:
    """Make an id that nobody can guess: ``job_`` and 32 hex digits."""
    return JobId(f"job_{secrets.token_hex(16)}")


def is_job_id(text: str) -> TypeGuard[JobId]:
    """Report whether a text has the form of a job's id."""
    return _ID.fullmatch(text) is not None


def object_job_id(bucket: str, key: str, version: str) -> JobId:
    """Derive the id of the only job for one version of an object.

    Args:
        bucket: The bucket.
        key: The object's key.
        version: Distinguishes this object from others of the same key.

    Returns:
        The id.
    """
    return _derived("object", bucket, key, version)


def idempotent_job_id(account_id: AccountId, idempotency_key: str) -> JobId:
    """Derive the id of the only job for an account's Idempotency-Key.

    Args:
        account_id: The account.
        idempotency_key: The key as sent.

    Returns:
        The id.
    """
    return _derived("idempotency", account_id, idempotency_key)


def _derived(*parts: str) -> JobId:
    text = "".join(f"{len(part)}:{part}" for part in parts)  # lengths, so that no two lists of parts look the same
    return JobId(f"job_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}")
