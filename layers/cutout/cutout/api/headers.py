"""Parsers of request headers: the API key, Accept, Prefer and Idempotency-Key."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cutout.api.body.fields import form_fields
from cutout.api.request import Request
from cutout.errors import InvalidRequestError

_SCHEMES: Final = frozenset({"bearer", "token", "api-key", "key"})
LEGACY_NAMES: Final = ("api_key", "apikey", "x-api-key", "key", "token")
"""Names by which old integrations send the key in the query string or in a field of the body."""


def header_key(request: Request) -> str | None:
    """Find the key in ``x-api-key`` or ``Authorization: Bearer|Token|Api-Key|Key KEY`` (or the bare key), or None."""
    if key := request.headers.get("x-api-key", "").strip():
        return key
    authorization = request.headers.get("authorization", "").strip()
    scheme, _, key = authorization.partition(" ")
    return (key.strip() if scheme.lower() in _SCHEMES else authorization) or None


def request_key(request: Request, *, legacy: bool) -> str | None:
    """Find the raw API key of a request.

    Args:
        request: The request.
        legacy: Whether to search the query string and the fields of the body too.

    Returns:
        The key as sent, or None.
    """
    return header_key(request) or (legacy_key(request) if legacy else None)


def legacy_key(request: Request) -> str | None:
    """Find the raw API key in the less safe places of old integrations, if the settings allow it.

    Args:
        request: The request.

    Returns:
        The key as sent in the query string or in a field of a form or of JSON, or None.

    Raises:
        InvalidRequestError: The body is malformed.
    """
    query = {name.lower(): next(filter(None, values), "") for name, values in request.query.items()}
    if key := next(filter(None, map(query.get, LEGACY_NAMES)), None):
        return key
    return next(filter(None, map(form_fields(request).text, LEGACY_NAMES)), None)


@dataclass(frozen=True, slots=True)
class _Range:
    """One element of the header Accept.

    Attributes:
        kind: ``image/webp``, ``image/*`` or ``*/*``.
        weight: 0 to 1.
        place: The index in the header.
    """

    kind: str
    weight: float
    place: int

    def precision(self, offer: str) -> int:
        """Rate how precisely this element matches an offer: 0 not, 1 by ``*/*``, 2 by its type, 3 by its full name."""
        family = f"{offer.partition('/')[0]}/*"
        return {"*/*": 1, "*": 1, family: 2, offer: 3}.get(self.kind, 0)


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """Select the media type that the header Accept prefers (RFC 9110, section 12.5.1).

    Among equal weights, a named type precedes one that a wildcard covers, then the order of the header decides, then
    the order of the offers. A malformed weight counts as 1.

    Args:
        accept: The value of the header; empty: anything is accepted.
        offers: Media types in lower case, the best first.

    Returns:
        One of the offers; None: the header accepts none of them.
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
    weight_text = next((value for name, _, value in (part.partition("=") for part in parameters) if name == "q"), "1")
    try:
        weight = float(weight_text)
    except ValueError:
        weight = 1.0
    return _Range(kind, weight if 0 <= weight <= 1 else 1.0, place)


APPLIED: Final = {"preference-applied": "respond-async"}
"""The header of an answer that honours the preference (RFC 7240, section 3)."""
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def wants_async(request: Request) -> bool:
    """Report whether the client prefers a job to a long wait (RFC 7240); a malformed header is ignored."""
    values = _QUOTED.sub("", request.headers.get("prefer", ""))  # a comma may stand inside quotes
    names = (preference.split(";", 1)[0].strip().lower() for preference in values.split(","))
    return "respond-async" in names


MAX_KEY_CHARS: Final = 255
REPLAYED: Final = {"idempotency-replayed": "true"}
"""The header of an answer that repeats the answer to an earlier request."""
_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY_CHARS}}}")


def idempotency_key(request: Request) -> str | None:
    """Read the header Idempotency-Key, or None. Raises InvalidRequestError for a malformed key."""
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    if not _KEY.fullmatch(value.strip()):
        raise InvalidRequestError(
            f"Idempotency-Key must be 1 to {MAX_KEY_CHARS} printable ASCII characters without spaces."
        )
    return value.strip()


def request_fingerprint(purpose: str, content: object) -> str:
    """Hash the meaning of a request, so that two encodings of the same request have the same fingerprint.

    Args:
        purpose: Distinguishes routes that share a client's Idempotency-Keys.
        content: The parsed request: JSON-serialisable, with bytes, which count by their own hash.

    Returns:
        64 hex digits.
    """
    text = json.dumps([purpose, content], sort_keys=True, default=_hash_of)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no name")
    return hashlib.sha256(value).hexdigest()
