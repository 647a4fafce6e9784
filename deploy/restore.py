"""``python -m deploy restore``: put every item of a restored table into the stack's table of accounts."""

from typing import Any

import boto3

from deploy import DeployError


def restore(session: boto3.Session, stack: str, source: str) -> int:
    """Copy a table's items over those of the stack's AccountsTable; running it again does no harm.

    Args:
        session: Credentials and region.
        stack: Name of the stack.
        source: Table that was made from a backup or a point in time.

    Returns:
        How many items were put.

    Raises:
        DeployError: The stack has no such table, it is the source itself, or their keys differ.
    """
    formation: Any = session.client("cloudformation")
    outputs = formation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    target = next((item["OutputValue"] for item in outputs if item["OutputKey"] == "AccountsTable"), None)
    if target is None:
        raise DeployError(f"The stack {stack} has no output AccountsTable: is it Cutout's?")
    if target == source:
        raise DeployError(f"{source} is the stack's own table.")
    tables: Any = session.resource("dynamodb")
    taken, given = tables.Table(target), tables.Table(source)
    if taken.key_schema != given.key_schema:
        raise DeployError(f"{source} is no copy of {target}: its key is {given.key_schema}.")
    count = 0
    place: dict[str, Any] = {}
    with taken.batch_writer() as writer:
        while True:
            page = given.scan(ConsistentRead=True, **place)
            for item in page["Items"]:
                writer.put_item(Item=item)
                count += 1
            if "LastEvaluatedKey" not in page:
                return count
            place = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
