"""``make destroy``: empty the stack's buckets, delete it, and say what is left and how to remove that."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from deploy import DeployError
from deploy.images import delete_images

_BATCH = 1000
"""Objects of one DeleteObjects call."""


def destroy(session: boto3.Session, stack: str, typed: str) -> list[str]:
    """Delete a stack with all that its buckets hold.

    Args:
        session: Credentials and region.
        stack: Name of the stack.
        typed: What the operator typed to confirm, which must be the stack's name.

    Returns:
        What is left in the account, a line each with the command that removes it.

    Raises:
        DeployError: The name was not typed, there is no such stack, or it could not be deleted.
    """
    if typed != stack:
        raise DeployError(f"Nothing was deleted: that was not {stack}.")
    formation: Any = session.client("cloudformation")
    resources = list(_resources(formation, stack))
    for kind, name, _ in resources:
        if kind == "AWS::S3::Bucket":
            _empty(session.client("s3"), name)
    formation.delete_stack(StackName=stack)
    waiter = formation.get_waiter("stack_delete_complete")
    try:
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 10, "MaxAttempts": 180})
    except Exception as error:
        raise DeployError(f"The stack {stack} could not be deleted: {error}") from error
    delete_images(session, stack)
    return [
        *_kept(session, resources),
        "stack aws-sam-cli-managed-default (zips that SAM uploaded, for every stack of the region): costs cents",
    ]


def _resources(formation: Any, stack: str) -> Iterator[tuple[str, str, str]]:
    """Type, physical and logical id of everything that a stack has made."""
    try:
        pages = list(formation.get_paginator("list_stack_resources").paginate(StackName=stack))
    except ClientError as error:
        raise DeployError(f"There is no stack {stack} here: {error}") from error
    for page in pages:
        for item in page["StackResourceSummaries"]:
            if item.get("PhysicalResourceId") and item["ResourceStatus"] != "DELETE_COMPLETE":
                yield item["ResourceType"], item["PhysicalResourceId"], item["LogicalResourceId"]


def _empty(s3: Any, bucket: str) -> None:
    """Delete every version of every object, and uploads that were never ended."""
    try:
        pages = list(
            s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": _BATCH})
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        raise
    for page in pages:
        found = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if found:
            errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True}).get("Errors", [])
            if errors:
                raise DeployError(f"{bucket} could not be emptied: {errors[0]['Message']}")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _kept(session: boto3.Session, resources: list[tuple[str, str, str]]) -> Iterator[str]:
    """What the template says shall outlive the stack."""
    for kind, name, logical_id in resources:
        if kind == "AWS::DynamoDB::Table" and _table_is_there(session, name):
            yield f"table {name} (accounts, keys, usage): aws dynamodb delete-table --table-name {name}"
        if logical_id == "GatewayLoggingRole":
            yield (
                f"role {name}, by which API Gateway logs for the whole region: remove it only when no other API is "
                f"left there: aws iam detach-role-policy --role-name {name} --policy-arn "
                "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs && "
                f"aws iam delete-role --role-name {name}"
            )


def _table_is_there(session: boto3.Session, name: str) -> bool:
    try:
        session.client("dynamodb").describe_table(TableName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True
