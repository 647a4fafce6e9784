"""CloudFormation's short tags and intrinsic functions, as far as a template can be resolved without a cloud.

Knows the language only, no resource type: what a resource is called comes from the ``Names`` it is given.
Source: AWS CloudFormation user guide, "Intrinsic function reference".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(ValueError):
    """The template says something that cannot be run on a laptop; the message names it."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1, safe, with ``!Ref`` and ``!Anything`` read as CloudFormation's long forms."""


def _short_tag(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third and last kind of node
    if name in {"Ref", "Condition"}:
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_tag)


def read_yaml(text: str) -> dict[str, Any]:
    """The document with short tags in their long form. Raises TemplateError when it is not a YAML mapping."""
    loader = _Loader(text)
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        raise TemplateError(f"not YAML: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(document, dict):
        raise TemplateError("a template is a mapping with Resources")
    return document


@dataclass(frozen=True, slots=True)
class Names:
    """What ``Ref`` and ``GetAtt`` answer: parameters and pseudo parameters by name, resources by logical id."""

    parameters: Mapping[str, str]
    resources: Mapping[str, str]
    attributes: Mapping[tuple[str, str], str]


class Resolver:
    """Replaces intrinsic functions by their values.

    mappings and conditions: those sections of the template, unresolved.
    """

    def __init__(self, names: Names, conditions: Mapping[str, Any], mappings: Mapping[str, Any]) -> None:
        self._names = names
        self._conditions = conditions
        self._mappings = mappings
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": lambda value: value[0].join(self.resolve(value[1])),
            "Fn::Select": lambda value: self.resolve(value[1])[int(value[0])],
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": lambda value: str(self.resolve(value[0])) == str(self.resolve(value[1])),
            "Fn::Not": lambda value: not self.resolve(value[0]),
            "Fn::And": lambda value: all(self.resolve(value)),
            "Fn::Or": lambda value: any(self.resolve(value)),
        }

    def resolve(self, value: Any) -> Any:
        """The value without intrinsic functions. Raises TemplateError, naming what is not known."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions and (name != "Condition" or isinstance(argument, str)):
                return self._functions[name](argument)
            if isinstance(name, str) and name.startswith("Fn::"):
                raise TemplateError(f"{name} is not resolved locally; add it to local/intrinsics.py or avoid it")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def condition(self, name: str) -> bool:
        """Whether the named condition holds. Raises TemplateError when there is none of that name."""
        if name not in self._conditions:
            raise TemplateError(f"there is no condition {name}")
        return bool(self.resolve(self._conditions[name]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        for known in (self._names.parameters, self._names.resources):
            if name in known:
                return known[name]
        raise TemplateError(f"Ref {name}: no parameter with a value and no resource of that name")

    def _get_att(self, value: list[str]) -> str:
        key = (value[0], value[1])
        if key not in self._names.attributes:
            raise TemplateError(f"GetAtt {value[0]}.{value[1]}: not known locally")
        return self._names.attributes[key]

    def _sub(self, value: Any) -> str:
        text, local = (value, {}) if isinstance(value, str) else (value[0], self.resolve(value[1]))

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in local:
                return str(local[name])
            return str(self._get_att(name.split(".", 1)) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(replace, text)

    def _if(self, value: list[Any]) -> Any:
        condition, then, otherwise = value
        return self.resolve(then if self.condition(condition) else otherwise)

    def _find_in_map(self, value: list[Any]) -> Any:
        name, first, second = (str(part) for part in self.resolve(value))
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise TemplateError(f"FindInMap {name}.{first}.{second}: not in Mappings") from error
