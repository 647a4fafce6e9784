"""The raw API key of a request, in all the spellings of the contract. Whether it is good is for ``accounts``."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cutout.api.body import Fields
from cutout.api.request import Request
from cutout.errors import InvalidRequestError

_SCHEMES: Final = frozenset({"bearer", "token", "api-key", "key"})
LEGACY_NAMES: Final = ("api_key", "apikey", "x-api-key", "key", "token")
"""Names under which old integrations send the key in the query string or in the JSON body."""


def header_key(request: Request) -> str | None:
    """The key from ``x-api-key`` or ``Authorization: Bearer|Token|Api-Key|Key KEY`` (or the bare key), or None."""
    if key := request.headers.get("x-api-key", "").strip():
        return key
    authorization = request.headers.get("authorization", "").strip()
    scheme, _, key = authorization.partition(" ")
    return (key.strip() if scheme.lower() in _SCHEMES else authorization) or None


def request_key(request: Request, *, legacy: bool) -> str | None:
    """The key from the headers; where ``legacy``, from the query string too; or None."""
    return header_key(request) or (legacy_key(request, Fields()) if legacy else None)


def legacy_key(request: Request, fields: Fields) -> str | None:
    """The key from the query string or from the fields of the body, or None. Only for stacks that allow it."""
    for name in LEGACY_NAMES:
        values = [value for given, values in request.query.items() if given.lower() == name for value in values]
        key = next(filter(None, values), None) or fields.text(name)
        if key:
            return key
    return None


@dataclass(frozen=True, slots=True)
class _Range:
    """One element of the header. kind: ``image/webp``, ``image/*`` or ``*/*``; weight: 0..1; place: its index."""

    kind: str
    weight: float
    place: int

    def precision(self, offer: str) -> int:
        """How closely it speaks of the offer: 0 not at all, 1 by ``*/*``, 2 by its family, 3 by name."""
        family = f"{offer.partition('/')[0]}/*"
        return {"*/*": 1, "*": 1, family: 2, offer: 3}.get(self.kind, 0)


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """The one of ``offers`` (media types in lower case, the best first) that the header wants most; None: none of them.

    An empty header takes what comes. Among equal weights what is named goes before what a wildcard covers, then what
    the header names first, then what is offered first. A weight that cannot be read counts as 1.
    """
    ranges = [_range(element, place) for place, element in enumerate(accept.lower().split(",")) if element.strip()]
    if not ranges:
        return offers[0]
    best: tuple[float, int, int, int] | None = None
    for index, offer in enumerate(offers):
        closest = max(ranges, key=lambda one, offer=offer: (one.precision(offer), -one.place))  # type: ignore[misc]
        if not closest.weight or not closest.precision(offer):
            continue
        rank = -closest.weight, -closest.precision(offer), closest.place, index
        best = min(best or rank, rank)
    return None if best is None else offers[best[-1]]


def _range(element: str, place: int) -> _Range:
    kind, *parameters = (part.strip() for part in element.split(";"))
    written = next((value for name, _, value in (part.partition("=") for part in parameters) if name == "q"), "1")
    try:
        weight = float(written)
    except ValueError:
        weight = 1.0
    return _Range(kind, weight if 0 <= weight <= 1 else 1.0, place)


APPLIED: Final = {"preference-applied": "respond-async"}
"""What an answer says that honours the preference (RFC 7240, section 3)."""
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def wants_async(request: Request) -> bool:
    """Whether the client prefers a job to a long wait. A malformed header prefers nothing."""
    values = _QUOTED.sub("", request.headers.get("prefer", ""))  # a comma may stand inside quotes
    names = (preference.split(";", 1)[0].strip().lower() for preference in values.split(","))
    return "respond-async" in names


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


def request_fingerprint(purpose: str, wanted: object) -> str:
    """Hash what a request asks for, so that the same request, however it was encoded, has the same fingerprint.

    Args:
        purpose: Tells apart routes that share a client's Idempotency-Keys.
        wanted: What is asked for: JSON-serialisable, or bytes, which count by their own hash.

    Returns:
        64 hex digits.
    """
    text = json.dumps([purpose, wanted], sort_keys=True, default=_hash_of)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no name")
    return hashlib.sha256(value).hexdigest()
