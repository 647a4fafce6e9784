"""The AWS clients, made on first use and reused with their connections for the life of the process.

botocore makes them, which boto3 only wraps: its resources and transfer manager are a tenth of a cold start and unused.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_NAMED = Config(user_agent="cutout")
"""botocore puts its own name together anew for every request, out of a dozen parts."""

_QUICK = _NAMED.merge(Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}))
"""DynamoDB, S3 and SQS answer in milliseconds; after that a retry is better than a wait."""

_IMAGES = _QUICK.merge(Config(signature_version="s3v4"))

_ITEMS = _QUICK.merge(Config(parameter_validation=False))
"""Items are written by our own code, and DynamoDB refuses what is wrong with them; the two together are a fifth of
what a call costs this process."""

_ONCE = _ITEMS.merge(
    Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
)
"""For counts, which must not delay a request."""

_BRIEFLY = _ITEMS.merge(
    Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
)
"""For charges, which their sender retries on another counter."""

_PATIENT = _NAMED.merge(Config(connect_timeout=2, read_timeout=25, retries={"total_max_attempts": 1}))
"""For a function that may have a cold start of seconds."""


@cache
def _session() -> Session:
    """Make the one session, so that credentials and service models are read once."""
    return Session()


def _client(service: str, config: Config, endpoint_url: str | None = None) -> Any:
    return _session().create_client(service, config=config, endpoint_url=endpoint_url)


@cache
def dynamodb_client() -> "DynamoDBClient":
    """Return the client of the stores."""
    client: DynamoDBClient = _client("dynamodb", _ITEMS)
    return client


@cache
def counting_client() -> "DynamoDBClient":
    """Return the client of the rate limiter: one attempt within 0.5 s."""
    client: DynamoDBClient = _client("dynamodb", _ONCE)
    return client


@cache
def charging_client() -> "DynamoDBClient":
    """Return the client of the usage counters: one attempt within 1 s."""
    client: DynamoDBClient = _client("dynamodb", _BRIEFLY)
    return client


@cache
def s3_client() -> "S3Client":
    """Return the client of the buckets.

    Presigned URLs and forms for AWS's own S3 name the bucket's region (virtual-hosted addressing): without it S3
    redirects requests for a new bucket, which breaks signatures and forms. Other S3 servers use path addressing.
    """
    client: S3Client = _client("s3", _IMAGES)
    if ".amazonaws." in client.meta.endpoint_url:
        client = _client("s3", _IMAGES.merge(Config(s3={"addressing_style": "virtual"})))
    return client


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
    client: S3Client = _client("s3", _IMAGES.merge(Config(s3={"addressing_style": "path"})), storage_url)
    return client


@cache
def sqs_client() -> "SQSClient":
    """Return the client of the queues."""
    client: SQSClient = _client("sqs", _QUICK)
    return client


@cache
def lambda_client() -> "LambdaClient":
    """Return the client that invokes other functions: one attempt within 25 s."""
    client: LambdaClient = _client("lambda", _PATIENT)
    return client
