"""Tables, queues and buckets of a template, created in moto: in its server, or in this process inside a test.

The module knows no functions, routes or processes. Why the calls are made here and not by moto's CloudFormation:
docs/adr/0003-local-stack.md.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from cutout.accounts import PLANS, Account, KeyMode
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.ids import AccountId
from local.intrinsics import TemplateError
from local.resources import Bucket, Notification, Queue, Table, Template
from local.template import ACCOUNT, REGION

LOCAL_ACCOUNT = Account.on_plan(AccountId("acct_local"), "local@localhost", PLANS["unlimited"])
"""The account of a fresh local service."""


def aws_environment(endpoint: str | None = None) -> dict[str, str]:
    """Return the ``AWS_*`` variables of a process that must reach moto only: no profile, no metadata, no real key.

    Args:
        endpoint: URL of moto's server; None where moto works inside the process.
    """
    environment = {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**environment, "AWS_ENDPOINT_URL": endpoint} if endpoint else environment


def client(service: str, endpoint: str | None = None, config: Config | None = None) -> Any:
    """Make a boto3 client with the dummy key; the environment of this process has no effect.

    Args:
        service: Name of the service (``dynamodb``).
        endpoint: URL of moto's server; None where moto works inside the process.
        config: Timeouts and retries in place of boto3's.
    """
    environment = aws_environment()
    return boto3.client(  # type: ignore[call-overload]  # the stubs want the service as a literal
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
        config=config,
    )


@cache
def _cached_client(service: str, endpoint: str | None) -> Any:
    """Keep a client for this module alone: tests create thousands of stacks, and a client is most of the cost."""
    return client(service, endpoint)


def create_cloud(template: Template, endpoint: str | None = None) -> None:
    """Create every table, queue and bucket of a template.

    Args:
        template: The resources.
        endpoint: URL of moto's server; None where moto works inside the process.

    Raises:
        TemplateError: A rule of a bucket cannot be carried over to the S3 API.
    """
    for table in template.tables.values():
        _create_table(_cached_client("dynamodb", endpoint), table)
    # A dead-letter queue must exist before a queue names it, and a queue before a bucket does.
    for queue in sorted(template.queues.values(), key=lambda queue: bool(queue.dead_letter_arn)):
        _create_queue(_cached_client("sqs", endpoint), queue)
    for bucket in template.buckets.values():
        _create_bucket(_cached_client("s3", endpoint), bucket)


def seed_account(table: str, raw_key: str, endpoint: str | None = None) -> None:
    """Write the account of a fresh local service, with one live key.

    Args:
        table: Name of the accounts table.
        raw_key: The API key as clients send it.
        endpoint: URL of moto's server; None where moto works inside the process.
    """
    store = DynamoKeyStore(AuditedTable(_cached_client("dynamodb", endpoint), table))
    store.create_account(LOCAL_ACCOUNT)
    store.create_key(LOCAL_ACCOUNT.id, raw_key, KeyMode.LIVE, "local development")


def _create_table(dynamodb: Any, table: Table) -> None:
    dynamodb.create_table(
        TableName=table.name,
        KeySchema=list(table.key_schema),
        AttributeDefinitions=list(table.attributes),
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": list(table.indexes)} if table.indexes else {}),
    )
    if table.ttl_attribute:
        dynamodb.update_time_to_live(
            TableName=table.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
        )


def _create_queue(sqs: Any, queue: Queue) -> None:
    attributes = {"VisibilityTimeout": str(queue.visibility_s), "MessageRetentionPeriod": str(queue.retention_s)}
    if queue.dead_letter_arn:
        redrive = {"deadLetterTargetArn": queue.dead_letter_arn, "maxReceiveCount": queue.max_receives}
        attributes["RedrivePolicy"] = json.dumps(redrive)
    sqs.create_queue(QueueName=queue.name, Attributes=attributes)


def _create_bucket(s3: Any, bucket: Bucket) -> None:
    s3.create_bucket(Bucket=bucket.name)
    if bucket.lifecycle:
        rules = [_lifecycle_rule(bucket, rule) for rule in bucket.lifecycle]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": rules})
    if bucket.cors:
        rules = [_cors_rule(bucket, rule) for rule in bucket.cors]
        s3.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": rules})
    if bucket.notifications:
        configurations = [_queue_configuration(notification) for notification in bucket.notifications]
        s3.put_bucket_notification_configuration(
            Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": configurations}
        )


def _queue_configuration(notification: Notification) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in notification.rules]
    key_filter = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": notification.queue_arn, "Events": [notification.event], **key_filter}


_CORS = {
    "AllowedHeaders": "AllowedHeaders",
    "AllowedMethods": "AllowedMethods",
    "AllowedOrigins": "AllowedOrigins",
    "ExposedHeaders": "ExposeHeaders",
    "Id": "ID",
    "MaxAge": "MaxAgeSeconds",
}
"""Names in a CORS rule, CloudFormation's and those of PutBucketCors."""


def _cors_rule(bucket: Bucket, rule: Mapping[str, Any]) -> dict[str, Any]:
    unknown = rule.keys() - _CORS.keys()
    if unknown:
        raise TemplateError(f"{bucket.logical_id}: CORS rule with {', '.join(sorted(unknown))} cannot be made locally")
    return {_CORS[name]: value for name, value in rule.items()}


def _lifecycle_rule(bucket: Bucket, rule: Mapping[str, Any]) -> dict[str, Any]:
    """Translate CloudFormation's rule into that of PutBucketLifecycleConfiguration."""
    translated: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    for name, value in rule.items():
        if name == "Id":
            translated["ID"] = value
        elif name == "ExpirationInDays":
            translated["Expiration"] = {"Days": int(value)}
        elif name == "AbortIncompleteMultipartUpload":
            translated[name] = {"DaysAfterInitiation": int(value["DaysAfterInitiation"])}
        elif name not in {"Status", "Prefix"}:
            raise TemplateError(f"{bucket.logical_id}: lifecycle rule with {name} cannot be made locally")
    return translated
