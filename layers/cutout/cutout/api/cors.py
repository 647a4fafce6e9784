"""What browsers need to hear before scripts of other sites may call us: CORS, the same for every route and contract.

Whoever holds a key may use it, from any page, so every origin is allowed; there are no cookies, and no answer allows
credentials. Headers are told by name, in both directions: ``*`` would not cover ``Authorization``, and browsers of some
years ago do not know it. Source: the Fetch standard, "CORS protocol".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from cutout.api.request import Request, Response

MAX_AGE_S: Final = 86_400
"""For so long a browser need not ask again (Firefox takes a day at most, Chrome two hours)."""
MAX_NAMES: Final = 50
"""Header names of one preflight that are allowed; browsers send a handful."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,64}")
"""A field name (RFC 9110, section 5.1), in lower case."""
_ALWAYS_READABLE: Final = frozenset(
    ("cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma")
)
"""Response headers that a script may read anyway (Fetch standard, "CORS-safelisted response-header name")."""


def preflight(request: Request, methods: Iterable[str]) -> Response:
    """The answer to OPTIONS: these methods, with whatever headers the page wants to send. Asks for no key."""
    allowed = ", ".join(sorted(methods))
    headers = {
        "allow": allowed,
        "access-control-allow-methods": allowed,
        "access-control-max-age": str(MAX_AGE_S),
        "vary": "access-control-request-headers",
    }
    if names := _wanted(request):
        headers["access-control-allow-headers"] = ", ".join(names)
    return Response(204, "text/plain", b"", headers)


def sharing(names: Iterable[str]) -> Mapping[str, str]:
    """The headers that open an answer to every page, with all of its own headers (``names``) to be read there."""
    own = {name.lower() for name in names} - _ALWAYS_READABLE
    exposed = sorted(name for name in own if not name.startswith("access-control-"))
    return {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(exposed)}


def _wanted(request: Request) -> list[str]:
    """The header names that the page asks for; what cannot be a name is left out."""
    asked = request.headers.get("access-control-request-headers", "").lower().split(",")
    return [name for name in map(str.strip, asked) if _NAME.fullmatch(name)][:MAX_NAMES]
