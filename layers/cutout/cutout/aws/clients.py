"""The AWS clients, made on first use and reused with their connections for the life of the process."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_QUICK = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
"""DynamoDB, S3 and SQS answer in milliseconds; after that a retry is better than a wait."""

_IMAGES = _QUICK.merge(Config(signature_version="s3v4"))

_ONCE = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
"""For counts, which must not delay a request."""

_BRIEFLY = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
"""For charges, which their sender retries on another counter."""

_PATIENT = Config(connect_timeout=2, read_timeout=25, retries={"total_max_attempts": 1})
"""For a function that may have a cold start of seconds."""


@cache
def _session() -> boto3.session.Session:
    """Make the one session, so that credentials and service models are read once."""
    return boto3.session.Session()


@cache
def dynamodb_client() -> "DynamoDBClient":
    """Return the client of the stores."""
    return _session().client("dynamodb", config=_QUICK)


@cache
def counting_client() -> "DynamoDBClient":
    """Return the client of the rate limiter: one attempt within 0.5 s."""
    return _session().client("dynamodb", config=_ONCE)


@cache
def charging_client() -> "DynamoDBClient":
    """Return the client of the usage counters: one attempt within 1 s."""
    return _session().client("dynamodb", config=_BRIEFLY)


@cache
def s3_client() -> "S3Client":
    """Return the client of the buckets.

    Presigned URLs and forms for AWS's own S3 name the bucket's region (virtual-hosted addressing): without it S3
    redirects requests for a new bucket, which breaks signatures and forms. Other S3 servers use path addressing.
    """
    client = _session().client("s3", config=_IMAGES)
    if ".amazonaws." not in client.meta.endpoint_url:
        return client
    return _session().client("s3", config=_IMAGES.merge(Config(s3={"addressing_style": "virtual"})))


@cache
def signing_client(storage_url: str) -> "S3Client":
    """Return the client that makes presigned URLs and forms.

    Args:
        storage_url: S3's address for clients; empty: that of :func:`s3_client`.

    Returns:
        The client.
    """
    if not storage_url:
        return s3_client()
    return _session().client(
        "s3", config=_IMAGES.merge(Config(s3={"addressing_style": "path"})), endpoint_url=storage_url
    )


@cache
def sqs_client() -> "SQSClient":
    """Return the client of the queues."""
    return _session().client("sqs", config=_QUICK)


@cache
def lambda_client() -> "LambdaClient":
    """Return the client that invokes other functions: one attempt within 25 s."""
    return _session().client("lambda", config=_PATIENT)
