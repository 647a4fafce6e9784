"""The repositories in which SAM keeps a stack's container images: a stack of their own beside it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3

KEPT = 20
"""Images that stay in a repository: the versions to which `make rollback` and CodeDeploy may go back use them."""
POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "description": f"keep the last {KEPT} deployments",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT},
            "action": {"type": "expire"},
        }
    ]
}
"""Lifecycle policy of a repository (Amazon ECR user guide, "Lifecycle policy parameters")."""


def limit_images(session: boto3.Session, stack: str) -> None:
    """Let the repositories of a stack forget all but its last images; SAM sets no bound."""
    ecr: Any = session.client("ecr")
    for name in _companions(session, stack):
        for repository in _repositories(session, name):
            ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps(POLICY))


def delete_images(session: boto3.Session, stack: str) -> None:
    """Delete the repositories of a stack with all that is in them."""
    ecr: Any = session.client("ecr")
    formation: Any = session.client("cloudformation")
    for name in _companions(session, stack):
        for repository in _repositories(session, name):  # it can be deleted once it is empty
            for page in ecr.get_paginator("list_images").paginate(repositoryName=repository):
                if page["imageIds"]:
                    ecr.batch_delete_image(repositoryName=repository, imageIds=page["imageIds"])
        formation.delete_stack(StackName=name)


def _companions(session: boto3.Session, stack: str) -> list[str]:
    """Stacks that SAM has made for the images of a stack; there is one or none."""
    named = re.compile(re.escape(stack) + r"-[0-9a-f]{8}-CompanionStack")
    formation: Any = session.client("cloudformation")
    pages = formation.get_paginator("describe_stacks").paginate()
    return [item["StackName"] for page in pages for item in page["Stacks"] if named.fullmatch(item["StackName"])]


def _repositories(session: boto3.Session, companion: str) -> Iterator[str]:
    formation: Any = session.client("cloudformation")
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=companion):
        for item in page["StackResourceSummaries"]:
            if item["ResourceType"] == "AWS::ECR::Repository":
                yield item["PhysicalResourceId"]
