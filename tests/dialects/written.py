"""What a dialect's document asks of a request, in the few words that the fuzz needs to write a good one."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.dialects.documents import DOCUMENT

_METHODS = {"get", "put", "post", "delete", "patch"}
_SOURCES = ("image", "file", "source_image_file", "source_image_url", "source_image_base64", "url")


@dataclass(frozen=True)
class Asked:
    """One operation. keys: header name to spelling with ``KEY`` in it, one mapping for each way to authenticate."""

    method: str
    path: str
    parameters: Sequence[str]
    query: Mapping[str, Any]
    keys: Sequence[Mapping[str, str]]
    bodies: Mapping[str, Mapping[str, Any]]
    """Media type to fields and their schemas."""

    @property
    def media_types(self) -> Sequence[str]:
        return sorted(self.bodies)

    def sources(self, media_type: str | None) -> set[str]:
        """The fields of a body that bring the image."""
        names = self.bodies.get(media_type or "", {})
        return {name for name in names if name in _SOURCES or (name.startswith("image_") and name != "image_id")}

    def options(self, media_type: str | None) -> set[str]:
        """The other fields of a body."""
        return set(self.bodies.get(media_type or "", {})) - self.sources(media_type)

    def sample(self, name: str, dice: random.Random) -> Any:
        """A value that the schema of a field or of a query parameter takes, as far as it tells."""
        every = {**self.query, **{key: value for fields in self.bodies.values() for key, value in fields.items()}}
        schema = every[name]
        choices = [
            *schema.get("enum", ()),
            *schema.get("examples", ()),
            *([schema["default"]] if "default" in schema else ()),
        ]
        low, high = schema.get("minimum", 0), schema.get("maximum", 100)
        kinds = {"integer": [int(low), int(high)], "number": [low, high], "boolean": [True, False]}
        return dice.choice(choices or kinds.get(str(schema.get("type")), ["1"]))


@cache
def asked_of(dialect: str) -> Sequence[Asked]:
    """The operations of a dialect's own document; those of ``backgrounderase`` are what it has in the one of all."""
    own = dialect != "backgrounderase"
    document = yaml.safe_load((DOCUMENT.parent / f"openapi/{dialect}.yaml" if own else DOCUMENT).read_text())
    paths = document["paths"] if own else {path: document["paths"][path] for path in ("/v2", "/v2/dialects")}
    return [
        _asked(document, path, item, method)
        for path, item in sorted(paths.items())
        for method in sorted(_METHODS & item.keys())
    ]


def _asked(document: Any, path: str, item: Any, method: str) -> Asked:
    operation = item[method]
    parameters = [_resolved(document, each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    schemes = document.get("components", {}).get("securitySchemes", {})
    choices = operation.get("security", document.get("security", []))
    return Asked(
        method.upper(),
        path,
        [each["name"] for each in parameters if each["in"] == "path"],
        {each["name"]: _resolved(document, each.get("schema", {})) for each in parameters if each["in"] == "query"},
        [_spelling(schemes[name]) for choice in choices for name in choice if schemes[name].get("in") != "query"],
        {kind: _fields(document, body.get("schema", {})) for kind, body in content.items()},
    )


def _spelling(scheme: Mapping[str, str]) -> Mapping[str, str]:
    if scheme["type"] == "http":
        return {"authorization": f"{scheme['scheme']} KEY"}
    word = scheme.get("x-scheme")
    return {scheme["name"].lower(): f"{word} KEY" if word else "KEY"}


def _fields(document: Any, schema: Any) -> Mapping[str, Any]:
    schema = _resolved(document, schema)
    found = {name: _resolved(document, value) for name, value in schema.get("properties", {}).items()}
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        found |= _fields(document, part)
    return found


def _resolved(document: Any, value: Any) -> Any:
    while "$ref" in value:
        node = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
        value = node
    return value
