"""Frozen dataclasses of plain values as JSON text, and back by their annotations."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def to_json(value: "DataclassInstance") -> str:
    """Write a dataclass whose fields are text, numbers, enums of them, tuples, mappings, or such dataclasses."""
    return json.dumps(asdict(value))


def from_json(kind: type[T], text: str) -> T:
    """Read what :func:`to_json` wrote. A field that is not there takes its default, an unknown one is left out.

    So a deployment reads what the one before it wrote, and the other way round.
    """
    return cast("T", _value(kind, json.loads(text)))


def _value(kind: Any, document: Any) -> Any:
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        inner = [part for part in get_args(kind) if part is not NoneType]
        return None if document is None else _value(inner[0], document)
    if origin is tuple:
        return tuple(document)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _value(hints[name], value) for name, value in document.items() if name in hints})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(document)
    return document


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
