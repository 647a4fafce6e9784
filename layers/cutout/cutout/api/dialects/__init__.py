"""The wire contracts we speak. One file each; a file that defines ``DIALECT`` is found by itself.

A dialect turns a Request into an Order and a result or an error into a Response, in one vendor's shape.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from cutout.api.request import Request, Response
from cutout.api.sources import Source
from cutout.errors import CutoutError
from cutout.imaging.spec import CutoutResult, CutoutSpec


@dataclass(frozen=True, slots=True)
class Order:
    """What one request asks for. ``reply`` names the shape of the answer, in the dialect's own words."""

    spec: CutoutSpec
    source: Source
    reply: str
    later: bool = False
    """Answer with a job at once, instead of the image when it is made."""
    idempotency_key: str | None = None
    """The client's name for this request, under which it is done once."""
    background: Source | None = None
    """The background image, for what the client waits for."""


class Dialect(Protocol):
    """One vendor's contract."""

    name: str
    routes: frozenset[tuple[str, str]]
    """Method and route, as the template names it."""

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """The raw API key as this vendor spells it; ``legacy`` allows old, less safe places."""

    def parse(self, request: Request) -> Order:
        """The order in a request. Raises a CutoutError for whatever the contract refuses."""

    def answer(self, order: Order, result: CutoutResult) -> Response:
        """The response to an order that was carried out."""

    def problem(self, error: CutoutError, request: Request) -> Response:
        """The response to a request that failed."""


@cache
def dialects() -> Mapping[tuple[str, str], Dialect]:
    """Every dialect in this package, by method and route."""
    found: dict[tuple[str, str], Dialect] = {}
    for module in pkgutil.iter_modules(__path__):
        dialect: Dialect = importlib.import_module(f"{__name__}.{module.name}").DIALECT
        found |= dict.fromkeys(dialect.routes, dialect)
    return found
