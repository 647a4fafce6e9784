"""CloudFormation can make the stack: nothing waits, over any number of steps, for itself."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest


def named(value: Any) -> Iterator[str]:
    """Logical ids that a value refers to, in whichever way."""
    if isinstance(value, list):
        for item in value:
            yield from named(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        match key:
            case "Ref":
                yield item
            case "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.partition(".")[0]
            case "Fn::Sub":
                text, given = item if isinstance(item, list) else (item, {})
                yield from (name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", text) if name not in given)
                yield from named(given)
            case "DependsOn":
                yield from [item] if isinstance(item, str) else item
            case _:
                yield from named(item)


def order(resources: dict[str, Any]) -> list[str]:
    """The resources, each after all that it waits for. Raises CycleError."""
    graph = {name: set(named(resource)) & resources.keys() for name, resource in resources.items()}
    return list(TopologicalSorter(graph).static_order())


def test_no_resource_waits_for_itself(stack: dict[str, Any]) -> None:
    made = order(stack["Resources"])
    assert set(made) == set(stack["Resources"])
    aliases = [name for name in made if name.endswith("Aliaslive")]
    assert len(aliases) == 3
    assert max(map(made.index, aliases)) < made.index("Api") < made.index("Monitoring")
    assert made.index("Operations") < min(map(made.index, aliases)), "the check is there before it is called"


def test_a_bucket_that_its_queues_policy_names_by_attribute_would_be_a_circle(stack: dict[str, Any]) -> None:
    resources = dict(stack["Resources"])
    resources["JobsQueuePolicy"] = {"Properties": {"Fn::GetAtt": ["UploadsBucket", "Arn"]}}
    with pytest.raises(CycleError):
        order(resources)
