"""``make rollback``: let the aliases name the versions that they named before, in seconds and without a build."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from deploy import DeployError

ALIAS = "live"


@dataclass(frozen=True, slots=True)
class Step:
    """A function's way back: the version that serves and the one before it."""

    function: str
    current: int
    previous: int


def rollback(session: boto3.Session, stack: str) -> list[Step]:
    """Point every alias of a stack to the version before the one it names.

    CloudFormation does not see it, and the next deployment moves the aliases forward again.

    Args:
        session: Credentials and region.
        stack: Name of the stack.

    Returns:
        What was done, by function.

    Raises:
        DeployError: There is no such stack, or a function of it has no earlier version; nothing was changed then.
    """
    awslambda: Any = session.client("lambda")
    steps = [_step(awslambda, function) for function in _functions(session, stack)]
    if not steps:
        raise DeployError(f"The stack {stack} has no function with the alias {ALIAS}.")
    for step in steps:
        awslambda.update_alias(
            FunctionName=step.function,
            Name=ALIAS,
            FunctionVersion=str(step.previous),
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
    return steps


def _functions(session: boto3.Session, stack: str) -> Iterator[str]:
    """Names of the stack's functions that are called by the alias."""
    formation: Any = session.client("cloudformation")
    awslambda: Any = session.client("lambda")
    try:
        pages = list(formation.get_paginator("list_stack_resources").paginate(StackName=stack))
    except ClientError as error:
        raise DeployError(f"There is no stack {stack} here: {error}") from error
    for item in (item for page in pages for item in page["StackResourceSummaries"]):
        if item["ResourceType"] == "AWS::Lambda::Function":
            aliases = awslambda.list_aliases(FunctionName=item["PhysicalResourceId"])["Aliases"]
            if ALIAS in {alias["Name"] for alias in aliases}:
                yield item["PhysicalResourceId"]


def _step(awslambda: Any, function: str) -> Step:
    current = int(awslambda.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"])
    versions = [
        int(version["Version"])
        for page in awslambda.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        for version in page["Versions"]
        if version["Version"] != "$LATEST" and int(version["Version"]) < current
    ]
    if not versions:
        raise DeployError(f"{function} has no version before {current}; nothing was changed.")
    return Step(function, current, max(versions))
