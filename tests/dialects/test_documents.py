"""docs/openapi.yaml and docs/openapi/: whole documents, that name every route of every dialect and nothing else."""

import importlib
import json
import re

import pytest
import yaml
from openapi_spec_validator import validate
from openapi_spec_validator.readers import read_from_filename

from cutout.api.dialects.registry import every_dialect
from local import ROOT
from tests.dialects import documents

FOLDER = documents.DOCUMENT.parent / "openapi"
METHODS = {"get", "put", "post", "delete", "patch"}
DIALECTS = sorted({dialect.name for dialect in every_dialect()} - {"backgrounderase"})  # whose contract is our own
DOCUMENTS = ["openapi.yaml", *(f"openapi/{name}.yaml" for name in DIALECTS)]
EACH = [pytest.param(name, marks=pytest.mark.covers("document", name)) for name in DIALECTS]
FUNCTIONS = ["account", "admin", "health", "jobs", "remove_background"]
INTERNAL = {("GET", "/internal/health")}


def routes_of(name: str) -> set[tuple[str, str]]:
    (dialect,) = (each for each in every_dialect() if each.name == name)
    return {(method, written(route)) for method, route in dialect.every_route()}


def written(route: str) -> str:
    """A route of the template as documents write it: they have no greedy parameters."""
    return route.replace("+}", "}")


def operations_in(path: str) -> set[tuple[str, str]]:
    items = yaml.safe_load((documents.DOCUMENT.parent / path).read_text())["paths"].items()
    return {(method.upper(), route) for route, item in items for method in item if method in METHODS}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_openapi_and_whole(path):
    document, base = read_from_filename(str(documents.DOCUMENT.parent / path))
    validate(document, base_uri=base)


def test_there_is_a_document_for_every_dialect_and_no_other():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(DIALECTS)


@pytest.mark.parametrize("name", EACH)
def test_a_dialect_s_document_has_its_routes_and_no_other(name):
    assert operations_in(f"openapi/{name}.yaml") == routes_of(name)


def test_all_that_functions_answer_is_documented_and_nothing_else():
    modules = [importlib.import_module(f"functions.{name}.app") for name in FUNCTIONS]
    endpoints = {(endpoint.method, endpoint.route) for module in modules for endpoint in module.endpoints()}
    endpoints |= {route for dialect in every_dialect() for route in dialect.every_route()}
    assert set(documents.operations()) == {(method, written(route)) for method, route in endpoints - INTERNAL}


@pytest.mark.parametrize("name", EACH)
def test_a_dialect_s_paths_and_keys_are_referred_to_from_the_document_of_all(name):
    whole = yaml.safe_load(documents.DOCUMENT.read_text())
    own = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    for path in own["paths"]:
        escaped = path.replace("~", "~0").replace("/", "~1")
        if "$ref" in whole["paths"][path]:
            assert whole["paths"][path] == {"$ref": f"openapi/{name}.yaml#/paths/{escaped}"}
        else:  # a path that our own contract has too: what is the dialect's is written twice
            inside = json.loads(json.dumps(own["paths"][path]).replace('"#/', f'"openapi/{name}.yaml#/'))
            for method, operation in inside.items():
                for part in ("tags", "security", "requestBody", "responses"):
                    assert whole["paths"][path][method][part] == operation[part]
    for scheme in own["components"].get("securitySchemes", {}):
        expected = {"$ref": f"openapi/{name}.yaml#/components/securitySchemes/{scheme}"}
        assert whole["components"]["securitySchemes"][scheme] == expected


def test_every_operation_has_a_name_of_its_own_and_says_which_keys_it_takes():
    whole = yaml.safe_load(documents.DOCUMENT.read_text())
    schemes, names = set(whole["components"]["securitySchemes"]), []
    for path in DOCUMENTS:
        document = yaml.safe_load((documents.DOCUMENT.parent / path).read_text())
        for item in document["paths"].values():
            for operation in (item[method] for method in METHODS & item.keys()):
                names.append(operation["operationId"])
                security = operation.get("security", document.get("security") if path == "openapi.yaml" else None)
                assert security is not None, names[-1]
                assert {name for choice in security for name in choice} <= schemes, names[-1]
    assert len(names) == len(set(names))


def test_no_document_has_a_path_of_a_machine_or_a_mark():
    for path in FOLDER.parent.rglob("*.yaml"):
        assert not re.search(r"TODO|FIXME|XXX", path.read_text()), path.relative_to(ROOT)
