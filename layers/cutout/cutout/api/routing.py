"""Endpoints, the routing of requests to them, and cross-origin resource sharing (CORS).

CORS (Fetch standard, "CORS protocol") is the same for every route and contract: a key may be used from any page, so
every origin is allowed; there are no cookies, and no answer allows credentials. Headers are listed by name in both
directions, because ``*`` does not cover ``Authorization``, and older browsers do not support it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from cutout.api.dialects.registry import methods_of
from cutout.api.problems import write_problem
from cutout.api.request import Request, Response
from cutout.errors import CutoutError, MethodNotAllowedError, NotFoundError
from cutout.usage import Admission, RateState


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one route that needs no key.

    Attributes:
        method: In capitals.
        route: As the template names it.
        handle: Answers a request.
        problem: Writes errors in the shape that the route's callers expect.
    """

    method: str
    route: str
    handle: Callable[[Request], Response]
    problem: Callable[[CutoutError, Request], Response] = write_problem


@dataclass(frozen=True, slots=True)
class KeyedEndpoint:
    """One method of one route that needs a key.

    Attributes:
        method: In capitals.
        route: As the template names it.
        handle: Answers a request of an authorized caller.
        authenticate: Identifies the caller. Raises a CutoutError.
        authorize: Requires that the caller may use the route. Raises a CutoutError.
        problem: Writes errors in the shape that the route's callers expect.
        rate_headers: Makes the headers of every answer to an identified caller.
    """

    method: str
    route: str
    handle: Callable[[Admission, Request], Response]
    authenticate: Callable[[Request], Admission]
    authorize: Callable[[Admission], None]
    problem: Callable[[CutoutError, Request], Response] = write_problem
    rate_headers: Callable[[RateState], Mapping[str, str]] = lambda rate: rate.headers


AnyEndpoint = Endpoint | KeyedEndpoint


def find_endpoint(endpoints: Iterable[AnyEndpoint], request: Request) -> AnyEndpoint:
    """Find the endpoint of a request; HEAD is answered as GET.

    Args:
        endpoints: Those of this function.
        request: The request; its body does not matter.

    Returns:
        The endpoint. OPTIONS has one for every route. Where there is none, an endpoint that raises
        MethodNotAllowedError or NotFoundError; the methods that it names include those of the same route that the
        gateway gives to another function.
    """
    of_route = {endpoint.method: endpoint for endpoint in endpoints if endpoint.route == request.route}
    if "GET" in of_route:
        of_route.setdefault("HEAD", of_route["GET"])
    if request.method in of_route:
        return of_route[request.method]
    allowed = sorted({*of_route, *methods_of(request.route)}) if of_route else []
    if request.method == "OPTIONS" and allowed:
        return Endpoint("OPTIONS", request.route, partial(preflight, methods=allowed))
    first = next(iter(of_route.values()), None)
    return Endpoint(request.method, request.route, _refusal(allowed), first.problem if first else write_problem)


def _refusal(allowed: list[str]) -> Callable[[Request], Response]:
    def refuse(request: Request) -> Response:
        if not allowed:
            raise NotFoundError("There is no such route.")
        allow = ", ".join(allowed)
        raise MethodNotAllowedError(f"{request.method} is not allowed here; use {allow}.", {"allow": allow})

    return refuse


MAX_AGE_S: Final = 86_400
"""Seconds for which a browser may cache a preflight (Firefox: one day at most, Chrome: two hours)."""
MAX_NAMES: Final = 50
"""The most header names of one preflight; browsers send a few."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,64}")
"""A field name (RFC 9110, section 5.1), in lower case."""
_ALWAYS_READABLE: Final = frozenset(
    ("cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma")
)
"""Response headers that a script may always read (Fetch standard, "CORS-safelisted response-header name")."""


def preflight(request: Request, methods: Iterable[str]) -> Response:
    """Answer OPTIONS, without a key.

    Args:
        request: The request.
        methods: The methods of the route.

    Returns:
        204, which allows these methods and the headers that the page has requested.
    """
    allowed = ", ".join(sorted(methods))
    headers = {
        "allow": allowed,
        "access-control-allow-methods": allowed,
        "access-control-max-age": str(MAX_AGE_S),
        "vary": "access-control-request-headers",
    }
    if names := _requested_headers(request):
        headers["access-control-allow-headers"] = ", ".join(names)
    return Response(204, "text/plain", b"", headers)


def sharing(names: Iterable[str]) -> Mapping[str, str]:
    """Make the CORS headers by which every page may read an answer and its headers (``names``)."""
    own = {name.lower() for name in names} - _ALWAYS_READABLE
    exposed = sorted(name for name in own if not name.startswith("access-control-"))
    return {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(exposed)}


def _requested_headers(request: Request) -> list[str]:
    """Read the header names that the page requests; malformed names are ignored."""
    requested = request.headers.get("access-control-request-headers", "").lower().split(",")
    return [name for name in map(str.strip, requested) if _NAME.fullmatch(name)][:MAX_NAMES]
