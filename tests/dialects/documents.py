"""docs/openapi.yaml as the tests of dialects use it: its operations, and whether an answer is one that it names."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
import yaml
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local import ROOT
from local.resources import Route
from local.routing import RouteTable

DOCUMENT = ROOT / "docs" / "openapi.yaml"
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@cache
def schema() -> Any:
    """What schemathesis makes of the document and of those that it refers to."""
    return schemathesis.openapi.from_path(DOCUMENT)


@cache
def dialect_paths() -> Mapping[str, str]:
    """The paths that are written down in a dialect's own document, and the dialects."""
    folder = DOCUMENT.parent / "openapi"
    return {
        path: each.stem for each in sorted(folder.glob("*.yaml")) for path in yaml.safe_load(each.read_text())["paths"]
    }


@cache
def operations() -> Mapping[tuple[str, str], Any]:
    """Method and path to operation, of all documents."""
    found = (result.ok() for result in schema().get_all_operations())
    return {(operation.method.upper(), operation.path): operation for operation in found}


def validate(response: requests.Response) -> None:
    """Raise when an answer is not one that the document names for its route; a route that it does not name is skipped.

    Requests by methods that a route does not have are answered 405, which documents do not repeat.
    """
    request = response.request
    match = _routes().match("ANY", urlsplit(str(request.url)).path)
    operation = _operation(str(request.method), match.route.path) if match else None
    if match and operation:
        operation.Case(path_parameters=dict(match.path_parameters)).validate_response(response, checks=CHECKS)


@cache
def _operation(method: str, path: str) -> Any:
    try:
        return schema()[path][method]
    except LookupError:
        return None


@cache
def _routes() -> RouteTable:
    return RouteTable(Route("ANY", path, "Function") for path in _paths())


@cache
def _paths() -> Mapping[str, Any]:
    paths: Mapping[str, Any] = yaml.safe_load(DOCUMENT.read_text())["paths"]
    return paths
