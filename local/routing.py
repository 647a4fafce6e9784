"""The routes of a REST API: a method and a path select a function.

Source: API Gateway developer guide, "Resources for REST APIs" (literal segments win over ``{name}``, those over the
greedy ``{name+}``; a method of its own wins over ANY).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from local.resources import Route


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its path parameters, percent-decoded."""

    route: Route
    path_parameters: Mapping[str, str]


class RouteTable:
    """The routes of an API in the order of precedence."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=_precedence)

    def match(self, method: str, path: str) -> Match | None:
        """Find the route of a request.

        Args:
            method: The HTTP method.
            path: As in the request line; a slash at the end is ignored, as API Gateway does.

        Returns:
            The route with its path parameters; None where no route fits.
        """
        segments = _segments(path)
        for route in self._routes:
            if route.method in {method, "ANY"}:
                parameters = _path_parameters(_segments(route.path), segments)
                if parameters is not None:
                    return Match(route, parameters)
        return None


def _segments(path: str) -> list[str]:
    stripped = path.strip("/")
    return stripped.split("/") if stripped else []


def _precedence(route: Route) -> tuple[list[int], bool]:
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in _segments(route.path)]
    return kinds, route.method == "ANY"


def _path_parameters(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for position, part in enumerate(pattern):
        rest = segments[position:]
        if not rest:
            return None
        if part.endswith("+}"):
            return {**parameters, part[1:-2]: unquote("/".join(rest))}
        if part.startswith("{"):
            parameters[part[1:-1]] = unquote(rest[0])
        elif part != unquote(rest[0]):
            return None
    return parameters if len(pattern) == len(segments) else None
