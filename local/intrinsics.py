"""CloudFormation's YAML tags and intrinsic functions, as far as they can be resolved without a stack.

The module knows the language and no resource type; ``template.py`` supplies the values of names.
Source: AWS CloudFormation user guide, "Intrinsic function reference".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(ValueError):
    """A template that cannot be run locally; the message names the cause."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1, safe, with CloudFormation's short tags in their long form."""


def _construct_short_tag(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
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


_Loader.add_multi_constructor("!", _construct_short_tag)


def read_yaml(text: str) -> dict[str, Any]:
    """Parse a template.

    Args:
        text: YAML with CloudFormation's short tags (``!Ref``, ``!Sub``, ...).

    Returns:
        The document; every short tag is in its long form (``{"Ref": ...}``).

    Raises:
        TemplateError: The text is not a YAML mapping.
    """
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


class Resolver:
    """Replaces intrinsic functions by their values.

    Attributes:
        values: Values of parameters and resources by name (``Ref``), and of attributes by ``Resource.Attribute``
            (``Fn::GetAtt``). Names may be added later.
    """

    def __init__(self, values: Mapping[str, str], document: Mapping[str, Any]) -> None:
        self.values = dict(values)
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._mappings: Mapping[str, Any] = document.get("Mappings", {})
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": lambda name: _NO_VALUE if name == "AWS::NoValue" else self._look_up("Ref", name),
            "Condition": self.condition,
            "Fn::GetAtt": lambda value: self._look_up("GetAtt", ".".join(value)),
            "Fn::Sub": self._substitute,
            "Fn::If": lambda value: self.resolve(value[1] if self.condition(value[0]) else value[2]),
            "Fn::Join": lambda value: value[0].join(self.resolve(value[1])),
            "Fn::Select": lambda value: self.resolve(value[1])[int(value[0])],
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": lambda value: str(self.resolve(value[0])) == str(self.resolve(value[1])),
            "Fn::Not": lambda value: not self.resolve(value[0]),
            "Fn::And": lambda value: all(self.resolve(value)),
            "Fn::Or": lambda value: any(self.resolve(value)),
        }

    def resolve(self, value: Any) -> Any:
        """Resolve a part of a template.

        Args:
            value: A scalar, list or mapping, with intrinsic functions at any depth.

        Returns:
            The same without intrinsic functions and without the parts that are ``AWS::NoValue``.

        Raises:
            TemplateError: A function or a name is not known; the message names it.
        """
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
        """Evaluate a condition of the template.

        Raises:
            TemplateError: There is no condition of that name.
        """
        if name not in self._conditions:
            raise TemplateError(f"there is no condition {name}")
        return bool(self.resolve(self._conditions[name]))

    def _look_up(self, function: str, name: str) -> str:
        if name not in self.values:
            raise TemplateError(f"{function} {name}: no such parameter, resource or attribute is known locally")
        return self.values[name]

    def _substitute(self, value: Any) -> str:
        text, variables = (value, {}) if isinstance(value, str) else (value[0], self.resolve(value[1]))

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            return str(variables[name] if name in variables else self._look_up("Sub", name))

        return _PLACEHOLDER.sub(replace, text)

    def _find_in_map(self, value: list[Any]) -> Any:
        name, first, second = (str(part) for part in self.resolve(value))
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise TemplateError(f"FindInMap {name}.{first}.{second}: not in Mappings") from error
