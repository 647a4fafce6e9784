"""The clients of AWS, made when first needed and kept with their connections. A part of ``warm``: state, and why."""

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
"""DynamoDB, S3 and SQS answer in milliseconds; what takes longer is better tried again than waited for."""

_IMAGES = _QUICK.merge(Config(signature_version="s3v4"))

_ONCE = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
"""For counts that no request should wait for."""

_BRIEFLY = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
"""For charges, which are tried again by who sends them, on another counter."""

_PATIENT = Config(connect_timeout=2, read_timeout=25, retries={"total_max_attempts": 1})
"""For a function that may have to start first, which takes seconds."""


@cache
def _session() -> boto3.session.Session:
    """One session, so that credentials and service models are read once."""
    return boto3.session.Session()


@cache
def dynamodb_client() -> "DynamoDBClient":
    """For what is stored."""
    return _session().client("dynamodb", config=_QUICK)


@cache
def counting_client() -> "DynamoDBClient":
    """For the count of requests, which is asked once."""
    return _session().client("dynamodb", config=_ONCE)


@cache
def charging_client() -> "DynamoDBClient":
    """For charges and their sums."""
    return _session().client("dynamodb", config=_BRIEFLY)


@cache
def s3_client() -> "S3Client":
    """For images; few answers are too large for the transport.

    What is presigned for AWS's own S3 names the bucket's region: without it S3 redirects requests for a young bucket,
    and neither a signature nor a form survives that. Elsewhere a bucket's name is no host's name.
    """
    client = _session().client("s3", config=_IMAGES)
    if ".amazonaws." not in client.meta.endpoint_url:
        return client
    return _session().client("s3", config=_IMAGES.merge(Config(s3={"addressing_style": "virtual"})))


@cache
def sqs_client() -> "SQSClient":
    """For messages; most requests queue nothing."""
    return _session().client("sqs", config=_QUICK)


@cache
def lambda_client() -> "LambdaClient":
    """For another function's answer."""
    return _session().client("lambda", config=_PATIENT)
