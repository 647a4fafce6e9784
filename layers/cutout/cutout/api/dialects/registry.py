"""The discovery of dialects: every file or folder beside this one that defines ``DIALECT``."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cutout.api import dialects
from cutout.api.dialects.base import Counter, Dialect, Page, Route
from cutout.api.dialects.context import Clerk, Window


@cache
def every_dialect() -> tuple[Dialect, ...]:
    """All dialects in this package, by name."""
    modules = (import_module(f"{dialects.__name__}.{module.name}") for module in iter_modules(dialects.__path__))
    return tuple(module.DIALECT for module in modules if hasattr(module, "DIALECT"))


def removals() -> Iterator[tuple[Route, Dialect]]:
    """The routes by which images come in."""
    return ((route, dialect) for dialect in every_dialect() for route in sorted(dialect.routes))


def pages() -> Iterator[tuple[Route, Dialect, Page]]:
    """The routes that need no key."""
    return ((route, dialect, page) for dialect in every_dialect() for route, page in dialect.pages.items())


def counters() -> Iterator[tuple[Route, Dialect, Counter]]:
    """The routes that tell an account something."""
    return ((route, dialect, counter) for dialect in every_dialect() for route, counter in dialect.counters.items())


def clerks() -> Iterator[tuple[Route, Dialect, Clerk]]:
    """The routes about an account's jobs and uploads."""
    return ((route, dialect, clerk) for dialect in every_dialect() for route, clerk in dialect.clerks.items())


def windows() -> Iterator[tuple[Route, Dialect, Window]]:
    """The routes that need no key, but something that is stored."""
    return ((route, dialect, window) for dialect in every_dialect() for route, window in dialect.windows.items())


def find_dialect(name: str) -> Dialect | None:
    """The dialect of a name; None: there is none (any more)."""
    return next((dialect for dialect in every_dialect() if dialect.name == name), None)


def methods_of(path: str) -> set[str]:
    """The methods by which dialects are called at a path of the template, HEAD and OPTIONS apart."""
    routes = (route for dialect in every_dialect() for route in dialect.every_route())
    return {method for method, route in routes if route == path}
