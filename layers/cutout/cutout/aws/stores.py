"""The stores of one stack, each made on first use and reused with its connections."""

from functools import cached_property
from typing import TYPE_CHECKING

from cutout.aws import clients, telemetry
from cutout.aws.dynamodb.accounts import DynamoAccountStore
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.aws.dynamodb.object_lease import DynamoObjectLease
from cutout.aws.dynamodb.rate_limiter import DynamoRateLimiter
from cutout.aws.dynamodb.secrets import DynamoServiceKey, DynamoWebhookSecrets
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.images import S3ImageStore
from cutout.aws.s3.results import S3ReportStore, S3ResultStore
from cutout.aws.s3.uploads import S3RetentionStore, S3UploadStore
from cutout.aws.sqs import SqsJobQueue
from cutout.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class AwsStores:
    """DynamoDB tables, S3 buckets and SQS queues behind the protocols of the services.

    Args:
        settings: The names of tables, buckets and queues.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def keys(self) -> DynamoKeyStore:
        """The accounts and keys, uncached."""
        return DynamoKeyStore(self._accounts_table)

    @cached_property
    def accounts(self) -> DynamoAccountStore:
        """The accounts, for administrators."""
        return DynamoAccountStore(self._accounts_table)

    @cached_property
    def webhook_secrets(self) -> DynamoWebhookSecrets:
        """The secrets that sign the accounts' webhooks."""
        return DynamoWebhookSecrets(self._accounts_table, self.settings.key_grace_s)

    @cached_property
    def service_key(self) -> DynamoServiceKey:
        """The service's own signing key."""
        return DynamoServiceKey(self._accounts_table)

    @cached_property
    def usage(self) -> DynamoUsageStore:
        """The usage counters."""
        return DynamoUsageStore(clients.charging_client(), self.settings.accounts_table)

    @cached_property
    def jobs(self) -> DynamoJobStore:
        """The jobs, with the charges of their results."""
        return DynamoJobStore(clients.dynamodb_client(), self.settings.jobs_table, self.settings.accounts_table)

    @cached_property
    def results(self) -> S3ResultStore:
        """The results bucket."""
        return S3ResultStore(self._results_bucket, self.settings.inline_limit_bytes)

    @cached_property
    def uploads(self) -> S3UploadStore:
        """The uploads bucket."""
        return S3UploadStore(self._uploads_bucket, self.settings.limits.max_bytes)

    @cached_property
    def images(self) -> S3ImageStore:
        """The images of jobs."""
        return S3ImageStore(clients.s3_client)

    @cached_property
    def reports(self) -> S3ReportStore:
        """Reports of ended jobs."""
        return S3ReportStore(self._results_bucket)

    @cached_property
    def retention(self) -> S3RetentionStore:
        """Images retained for training."""
        return S3RetentionStore(self._uploads_bucket)

    @cached_property
    def rate_limiter(self) -> DynamoRateLimiter:
        """Requests per second."""
        return DynamoRateLimiter(clients.counting_client(), self.settings.accounts_table, telemetry.rate_not_counted)

    @cached_property
    def object_lease(self) -> DynamoObjectLease:
        """Leases on object keys."""
        return DynamoObjectLease(clients.dynamodb_client(), self.settings.jobs_table)

    @cached_property
    def job_queue(self) -> SqsJobQueue:
        """Jobs that are to be worked on."""
        return SqsJobQueue(clients.sqs_client, self.settings.jobs_queue_url)

    @cached_property
    def webhook_queue(self) -> SqsJobQueue:
        """Jobs whose owners are to be notified."""
        return SqsJobQueue(clients.sqs_client, self.settings.webhooks_queue_url)

    def _signer(self) -> "S3Client":
        return clients.signing_client(self.settings.storage_url)

    @cached_property
    def _results_bucket(self) -> Bucket:
        return Bucket(clients.s3_client, self.settings.results_bucket, self.settings.result_url_s, signing=self._signer)

    @cached_property
    def _uploads_bucket(self) -> Bucket:
        return Bucket(clients.s3_client, self.settings.uploads_bucket, self.settings.upload_url_s, signing=self._signer)

    @cached_property
    def _accounts_table(self) -> AuditedTable:
        return AuditedTable(clients.dynamodb_client(), self.settings.accounts_table, audited=telemetry.audited)
