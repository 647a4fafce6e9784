"""The resource types that run locally, and those that are left out, each with its reason.

A type in neither table, or a property that a type does not list, stops the start by name: nothing is skipped silently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

LEFT_OUT: Mapping[str, str] = {
    "AWS::ApiGateway::": "the gateway is emulated from the events of the functions; there is no account or domain",
    "AWS::ApplicationAutoScaling::": "the number of workers is an option of the command",
    "AWS::CertificateManager::": "loopback is served without TLS",
    "AWS::CloudWatch::": "metrics are lines in the logs of the functions; no alarm watches them",
    "AWS::IAM::": "nothing checks permissions",
    "AWS::KMS::": "nothing is encrypted at rest",
    "AWS::Lambda::Permission": "nothing checks permissions",
    "AWS::Logs::": "logs are files in the state folder",
    "AWS::Route53::": "there is no domain",
    "AWS::S3::BucketPolicy": "nothing checks permissions",
    "AWS::SNS::": "only alarms publish to topics",
    "AWS::SQS::QueuePolicy": "nothing checks permissions",
    "AWS::Serverless::Application": "nested stacks hold alarms and dashboards only",
    "AWS::WAFv2::": "there is no firewall on loopback",
}
"""Types, or beginnings of types (``AWS::IAM::``), that are not created, and why."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """The names, attributes and properties of a resource type.

    Attributes:
        name_property: The property that may give the physical name; empty where no property does.
        properties: Properties that have an effect here or are known to need none; None: they are not checked.
        attributes: Values of ``Fn::GetAtt`` by attribute, with ``{region}``, ``{account}`` and ``{name}`` to fill in.
        ref: The value of ``Ref``, with the same placeholders.
    """

    name_property: str
    properties: frozenset[str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    ref: str = "{name}"


FUNCTION_PROPERTIES = frozenset({
    "CodeUri", "Environment", "Handler", "ImageConfig", "Layers", "MemorySize", "PackageType", "Timeout",
})  # fmt: skip
"""Properties of a function that have an effect here, besides its events."""

RUN: Mapping[str, ResourceType] = {
    "AWS::Serverless::Api": ResourceType("Name"),
    "AWS::Serverless::LayerVersion": ResourceType("LayerName"),
    "AWS::Serverless::Function": ResourceType(
        "FunctionName",
        FUNCTION_PROPERTIES | {
            "Architectures", "AutoPublishAlias", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256",
            "DeploymentPreference", "Description", "EphemeralStorage", "Events", "FunctionName", "ImageUri",
            "LoggingConfig", "Policies", "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "Runtime",
            "SnapStart", "Tags", "Tracing",
        },
        {"Arn": "arn:aws:lambda:{region}:{account}:function:{name}"},
    ),
    "AWS::Lambda::EventSourceMapping": ResourceType(
        "",
        frozenset({"BatchSize", "EventSourceArn", "FunctionName", "FunctionResponseTypes", "ScalingConfig", "Tags"}),
    ),
    "AWS::DynamoDB::Table": ResourceType(
        "TableName",
        frozenset({
            "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
            "OnDemandThroughput", "PointInTimeRecoverySpecification", "SSESpecification", "TableName", "Tags",
            "TimeToLiveSpecification", "WarmThroughput",
        }),
        {"Arn": "arn:aws:dynamodb:{region}:{account}:table/{name}"},
    ),
    "AWS::S3::Bucket": ResourceType(
        "BucketName",
        frozenset({
            "BucketEncryption", "BucketName", "CorsConfiguration", "LifecycleConfiguration",
            "NotificationConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration", "Tags",
        }),
        {"Arn": "arn:aws:s3:::{name}"},
    ),
    "AWS::SQS::Queue": ResourceType(
        "QueueName",
        frozenset({
            "KmsMasterKeyId", "MessageRetentionPeriod", "QueueName", "RedrivePolicy", "SqsManagedSseEnabled", "Tags",
            "VisibilityTimeout",
        }),
        {"Arn": "arn:aws:sqs:{region}:{account}:{name}", "QueueName": "{name}"},
        ref="https://sqs.{region}.amazonaws.com/{account}/{name}",
    ),
}  # fmt: skip
"""The types that run locally."""
