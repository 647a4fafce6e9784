"""The raw API key of a request, in all the spellings of the contract. Whether it is good is for ``accounts``."""

from typing import Final

from cutout.api.fields import Fields
from cutout.api.request import Request

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
