"""Which code answers which route, and what it answers when it cannot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from cutout.api.cors import preflight
from cutout.api.dialects import methods_of
from cutout.api.problems import write_problem
from cutout.api.request import Request, Response
from cutout.errors import CutoutError, MethodNotAllowedError, NotFoundError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one route. ``problem`` writes errors in the shape that the route's callers expect."""

    method: str
    route: str
    handle: Callable[[Request], Response]
    problem: Callable[[CutoutError, Request], Response] = write_problem


def find_endpoint(endpoints: Iterable[Endpoint], request: Request) -> Endpoint:
    """The endpoint of a request; HEAD is answered as GET. A refusal is an endpoint too, one that raises.

    OPTIONS is answered for every route. What it, or a refusal, says to be allowed includes the methods of the same
    route that the gateway gives to another function.
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
