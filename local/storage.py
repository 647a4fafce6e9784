"""Tables, buckets, queues and event sources, read from the resolved properties of their resources."""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from local.intrinsics import TemplateError
from local.resources import Bucket, EventSource, Notification, Queue, Table


def read_table(logical_id: str, name: str, properties: Mapping[str, Any]) -> Table:
    """Read an ``AWS::DynamoDB::Table``."""
    ttl = properties.get("TimeToLiveSpecification", {})
    return Table(
        logical_id=logical_id,
        name=name,
        key_schema=tuple(properties["KeySchema"]),
        attributes=tuple(properties["AttributeDefinitions"]),
        indexes=tuple(properties.get("GlobalSecondaryIndexes", [])),
        ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else "",
    )


def read_bucket(logical_id: str, name: str, properties: Mapping[str, Any]) -> Bucket:
    """Read an ``AWS::S3::Bucket``.

    Raises:
        TemplateError: A notification does not go to a queue.
    """
    notifications = properties.get("NotificationConfiguration", {})
    check_properties(logical_id, notifications, {"QueueConfigurations"})
    return Bucket(
        logical_id=logical_id,
        name=name,
        lifecycle=tuple(properties.get("LifecycleConfiguration", {}).get("Rules", [])),
        cors=tuple(properties.get("CorsConfiguration", {}).get("CorsRules", [])),
        notifications=tuple(_read_notifications(logical_id, notifications.get("QueueConfigurations", []))),
    )


def _read_notifications(logical_id: str, configurations: list[dict[str, Any]]) -> Iterator[Notification]:
    for configuration in configurations:
        check_properties(logical_id, configuration, {"Event", "Filter", "Queue"})
        rules = configuration.get("Filter", {}).get("S3Key", {}).get("Rules", [])
        pairs = tuple((rule["Name"], rule["Value"]) for rule in rules)
        yield Notification(configuration["Event"], configuration["Queue"], pairs)


def read_queue(logical_id: str, name: str, properties: Mapping[str, Any]) -> Queue:
    """Read an ``AWS::SQS::Queue``; a property that is not given has the default of SQS.

    Raises:
        TemplateError: The redrive policy has an unknown member.
    """
    redrive = properties.get("RedrivePolicy", {})
    check_properties(logical_id, redrive, {"deadLetterTargetArn", "maxReceiveCount"})
    return Queue(
        logical_id=logical_id,
        name=name,
        visibility_s=int(properties.get("VisibilityTimeout", 30)),
        retention_s=int(properties.get("MessageRetentionPeriod", 345_600)),
        dead_letter_arn=redrive.get("deadLetterTargetArn", ""),
        max_receives=int(redrive.get("maxReceiveCount", 0)),
    )


def read_event_source(logical_id: str, queue_id: str, function_id: str, properties: Mapping[str, Any]) -> EventSource:
    """Read an ``AWS::Lambda::EventSourceMapping`` of a queue and a function, given by their logical ids.

    Raises:
        TemplateError: The mapping scales or reports in a way that is not emulated.
    """
    scaling, reports = properties.get("ScalingConfig", {}), properties.get("FunctionResponseTypes", [])
    check_properties(logical_id, scaling, {"MaximumConcurrency"})
    check_properties(logical_id, reports, {"ReportBatchItemFailures"})
    return EventSource(
        logical_id=logical_id,
        queue=queue_id,
        function=function_id,
        batch_size=int(properties.get("BatchSize", 10)),
        concurrency=int(scaling.get("MaximumConcurrency", 0)),
        partial=bool(reports),
    )


def check_properties(logical_id: str, properties: Collection[str], known: AbstractSet[str]) -> None:
    """Refuse properties that are not emulated.

    Args:
        logical_id: The resource, for the message.
        properties: Names of properties, as a list or as the keys of a mapping.
        known: Names that have a meaning here.

    Raises:
        TemplateError: A name is not known; the message has all of these.
    """
    unknown = sorted(set(properties) - known)
    if unknown:
        raise TemplateError(f"{logical_id}: no local meaning for {', '.join(unknown)}")
