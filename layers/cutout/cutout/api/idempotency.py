"""The header Idempotency-Key: a client's name for one request, so that sending it again does nothing twice.

Source: IETF draft "The Idempotency-Key HTTP Header Field" (httpapi working group); its quotes are optional here, since
most clients leave them out. Knows neither jobs nor AWS.
"""

import hashlib
import json
import re
from typing import Final

from cutout.api.request import Request
from cutout.errors import InvalidRequestError

MAX_KEY_CHARS: Final = 255
REPLAYED: Final = {"idempotency-replayed": "true"}
"""The header of an answer that was made for an earlier request."""
_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY_CHARS}}}")


def idempotency_key(request: Request) -> str | None:
    """The key as sent; None: there is no such header. Raises InvalidRequestError for one that cannot protect."""
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    if not _KEY.fullmatch(value.strip()):
        raise InvalidRequestError(
            f"Idempotency-Key must be 1 to {MAX_KEY_CHARS} printable ASCII characters without spaces."
        )
    return value.strip()


def fingerprint(purpose: str, wish: object) -> str:
    """Name what a request asks for, 64 hex digits: the same wish, however it was encoded, has the same name.

    purpose: tells apart doors that share a client's keys. wish: JSON-serialisable; bytes by their own hash.
    """
    text = json.dumps([purpose, wish], sort_keys=True, default=_hash_of)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no name")
    return hashlib.sha256(value).hexdigest()
