"""Which value every parameter of the template gets, and from where."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy import ROOT, DeployError


class _Loader(yaml.SafeLoader):
    """YAML that reads CloudFormation's short tags as nothing: only Parameters, which have none, are looked at."""


_Loader.add_multi_constructor("!", lambda *_: None)


@dataclass(frozen=True, slots=True)
class Environment:
    """A stack's part of samconfig.toml.

    Attributes:
        name: Name of the part: ``default``, ``staging``, ``prod``.
        stack: Name of the stack.
        region: AWS region, where the file names one.
        overrides: Parameters that the file sets.
    """

    name: str
    stack: str
    region: str | None
    overrides: Mapping[str, str]


def read_environment(name: str, path: Path = ROOT / "samconfig.toml") -> Environment:
    """Read one environment of samconfig.toml.

    Raises:
        DeployError: The file has none of that name.
    """
    config = tomllib.loads(path.read_text())
    if "deploy" not in config.get(name, {}):
        names = [key for key, value in config.items() if isinstance(value, dict) and "deploy" in value]
        raise DeployError(f"{path.name} has no environment {name}; there are {', '.join(names)}.")
    given = config[name]["deploy"]["parameters"]
    return Environment(name, given["stack_name"], given.get("region"), pairs(given.get("parameter_overrides", [])))


def pairs(texts: list[str]) -> dict[str, str]:
    """Read ``Name=value`` texts.

    Raises:
        DeployError: One has no equals sign.
    """
    split = [text.partition("=") for text in texts]
    for name, equals, _ in split:
        if not equals:
            raise DeployError(f"{name} is no parameter: write Name=value.")
    return {name: value for name, _, value in split}


def declared(path: Path = ROOT / "template.yaml") -> dict[str, dict[str, Any]]:
    """Read the template's parameters: name to declaration."""
    document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader
    parameters: dict[str, dict[str, Any]] = document["Parameters"]
    return parameters


def resolve(parameters: Mapping[str, Mapping[str, Any]], *layers: Mapping[str, str]) -> dict[str, str]:
    """Lay values over each other and hold the result against the declarations.

    Args:
        parameters: Declarations, whose defaults lie at the bottom.
        layers: Values by name, weakest first.

    Raises:
        DeployError: A name is unknown, or a value is not allowed.
    """
    values = {name: str(declaration["Default"]) for name, declaration in parameters.items()}
    for layer in layers:
        for name, value in layer.items():
            if name not in parameters:
                raise DeployError(f"The template has no parameter {name}.")
            values[name] = value
    for name, value in values.items():
        if not _allowed(parameters[name], value):
            raise DeployError(f"{name} cannot be {value!r}: {parameters[name]['Description']}")
    return values


def _allowed(declaration: Mapping[str, Any], value: str) -> bool:
    if "AllowedValues" in declaration:
        return value in map(str, declaration["AllowedValues"])
    if declaration["Type"] == "Number":
        number = re.fullmatch(r"-?\d+", value)
        return bool(number) and declaration["MinValue"] <= int(value) <= declaration["MaxValue"]
    return re.fullmatch(declaration.get("AllowedPattern", ".+"), value) is not None
