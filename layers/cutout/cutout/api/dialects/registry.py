"""The discovery of dialects: every module beside this one that defines ``DIALECT``."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cutout.api import dialects
from cutout.api.dialects.base import Dialect, PageHandler, Route, StatusHandler
from cutout.api.dialects.context import AccountHandler, PublicHandler


@cache
def every_dialect() -> tuple[Dialect, ...]:
    """Import all dialects, ordered by name."""
    modules = (import_module(f"{dialects.__name__}.{module.name}") for module in iter_modules(dialects.__path__))
    return tuple(module.DIALECT for module in modules if hasattr(module, "DIALECT"))


def removal_routes() -> Iterator[tuple[Route, Dialect]]:
    """List the routes that remove a background."""
    return ((route, dialect) for dialect in every_dialect() for route in sorted(dialect.routes))


def page_routes() -> Iterator[tuple[Route, Dialect, PageHandler]]:
    """List the routes without a key."""
    return ((route, dialect, page) for dialect in every_dialect() for route, page in dialect.pages.items())


def status_routes() -> Iterator[tuple[Route, Dialect, StatusHandler]]:
    """List the routes that report an account's credits."""
    return ((route, dialect, handle) for dialect in every_dialect() for route, handle in dialect.status_routes.items())


def account_routes() -> Iterator[tuple[Route, Dialect, AccountHandler]]:
    """List the routes about an account's jobs and uploads."""
    return ((route, dialect, handle) for dialect in every_dialect() for route, handle in dialect.account_routes.items())


def public_routes() -> Iterator[tuple[Route, Dialect, PublicHandler]]:
    """List the routes without a key that read stored data."""
    return ((route, dialect, handle) for dialect in every_dialect() for route, handle in dialect.public_routes.items())


def find_dialect(name: str) -> Dialect | None:
    """Find a dialect by its name; None: there is no such dialect, or not any more."""
    return next((dialect for dialect in every_dialect() if dialect.name == name), None)


def methods_of(path: str) -> set[str]:
    """Collect the methods of all dialects at a route of the template, without HEAD and OPTIONS."""
    routes = (route for dialect in every_dialect() for route in dialect.every_route())
    return {method for method, route in routes if route == path}
