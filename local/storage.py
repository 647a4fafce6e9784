"""What a template keeps and sends: tables, buckets, queues and what they feed, from resolved properties to values.

A property that is not listed here, or a value of one that a laptop cannot play, is a TemplateError.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from local.intrinsics import TemplateError
from local.resources import Bucket, EventSource, Notification, Queue, Table

PROPERTIES: Mapping[str, set[str]] = {
    "AWS::DynamoDB::Table": {
        "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
        "OnDemandThroughput", "PointInTimeRecoverySpecification", "SSESpecification", "TableName", "Tags",
        "TimeToLiveSpecification", "WarmThroughput",
    },
    "AWS::S3::Bucket": {
        "BucketEncryption", "BucketName", "CorsConfiguration", "LifecycleConfiguration", "NotificationConfiguration",
        "OwnershipControls", "PublicAccessBlockConfiguration", "Tags",
    },
    "AWS::SQS::Queue": {
        "MessageRetentionPeriod", "QueueName", "RedrivePolicy", "SqsManagedSseEnabled", "Tags", "VisibilityTimeout",
    },
    "AWS::Lambda::EventSourceMapping": {
        "BatchSize", "EventSourceArn", "FunctionName", "FunctionResponseTypes", "ScalingConfig", "Tags",
    },
}  # fmt: skip
"""What has a meaning here, or is known to need none, by resource type."""


def table(logical_id: str, name: str, properties: Mapping[str, Any]) -> Table:
    """Read an AWS::DynamoDB::Table."""
    ttl = properties.get("TimeToLiveSpecification", {})
    return Table(
        logical_id=logical_id,
        name=name,
        key_schema=tuple(properties["KeySchema"]),
        attributes=tuple(properties["AttributeDefinitions"]),
        indexes=tuple(properties.get("GlobalSecondaryIndexes", [])),
        ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else "",
    )


def bucket(logical_id: str, name: str, properties: Mapping[str, Any]) -> Bucket:
    """Read an AWS::S3::Bucket. Raises TemplateError for notifications that do not go to a queue."""
    notifications = properties.get("NotificationConfiguration", {})
    _only(logical_id, notifications, {"QueueConfigurations"})
    return Bucket(
        logical_id=logical_id,
        name=name,
        lifecycle=tuple(properties.get("LifecycleConfiguration", {}).get("Rules", [])),
        cors=tuple(properties.get("CorsConfiguration", {}).get("CorsRules", [])),
        notifications=tuple(_notifications(logical_id, notifications.get("QueueConfigurations", []))),
    )


def _notifications(logical_id: str, configurations: list[dict[str, Any]]) -> Iterator[Notification]:
    for configuration in configurations:
        _only(logical_id, configuration, {"Event", "Filter", "Queue"})
        rules = configuration.get("Filter", {}).get("S3Key", {}).get("Rules", [])
        pairs = tuple((rule["Name"], rule["Value"]) for rule in rules)
        yield Notification(configuration["Event"], configuration["Queue"], pairs)


def queue(logical_id: str, name: str, properties: Mapping[str, Any]) -> Queue:
    """Read an AWS::SQS::Queue; what is not given has the service's default."""
    redrive = properties.get("RedrivePolicy", {})
    _only(logical_id, redrive, {"deadLetterTargetArn", "maxReceiveCount"})
    return Queue(
        logical_id=logical_id,
        name=name,
        visibility_s=int(properties.get("VisibilityTimeout", 30)),
        retention_s=int(properties.get("MessageRetentionPeriod", 345_600)),
        dead_letter_arn=redrive.get("deadLetterTargetArn", ""),
        max_receives=int(redrive.get("maxReceiveCount", 0)),
    )


def source(logical_id: str, queue_id: str, function_id: str, properties: Mapping[str, Any]) -> EventSource:
    """Read an AWS::Lambda::EventSourceMapping of a queue and a function, given by logical ids."""
    scaling, answers = properties.get("ScalingConfig", {}), properties.get("FunctionResponseTypes", [])
    _only(logical_id, scaling, {"MaximumConcurrency"})
    if set(answers) - {"ReportBatchItemFailures"}:
        raise TemplateError(f"{logical_id}: no local meaning for {', '.join(answers)}")
    return EventSource(
        logical_id=logical_id,
        queue=queue_id,
        function=function_id,
        batch_size=int(properties.get("BatchSize", 10)),
        concurrency=int(scaling.get("MaximumConcurrency", 0)),
        partial=bool(answers),
    )


def _only(logical_id: str, properties: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(properties.keys() - known)
    if unknown:
        raise TemplateError(f"{logical_id}: no local meaning for {', '.join(unknown)}")
