"""A service of jobs with all that it stands on: jobs in memory, storage and queue wherever boto3 reaches (moto)."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import boto3

from cutout.accounts import PLANS, Account, ApiKey, Caller, KeyMode, KeyStatus
from cutout.api.dialects.base import RemovalRequest
from cutout.api.jobs import JobRequest
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.images import S3ImageStore
from cutout.aws.s3.results import S3ReportStore, S3ResultStore
from cutout.aws.s3.uploads import S3RetentionStore, S3UploadStore
from cutout.aws.sqs import SqsJobQueue
from cutout.errors import QuotaExceededError
from cutout.services.async_removal import AsyncRemoval
from cutout.services.job_service import JobHandle, JobService
from cutout.services.job_storage import JobStorage
from tests.support.job_stores import MemoryJobStore

Quota = Callable[[], None]


def caller(account_id: str = "acct_1", mode: KeyMode = KeyMode.LIVE) -> Caller:
    account = Account.on_plan(account_id, "a@example.com", PLANS["free"])
    key = ApiKey(account_id, mode, "tok_fp_0", KeyStatus.ACTIVE, datetime.now(UTC), date.today(), "")  # noqa: DTZ011
    return Caller(account, key)


def allowed() -> None:
    pass


def refused() -> None:
    raise QuotaExceededError("used up")


class World:
    """All that the services stand on."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        for bucket in ("uploads", "results"):
            self.s3.create_bucket(Bucket=bucket)
        self.queue_url = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.jobs = MemoryJobStore()
        uploads, results = (Bucket(lambda: self.s3, name, 60) for name in ("uploads", "results"))
        self.uploads = S3UploadStore(uploads, 1_000)
        self.results = S3ResultStore(results, 0)
        self.files = JobStorage(
            S3ImageStore(lambda: self.s3),
            self.results,
            S3ReportStore(results),
            S3RetentionStore(uploads),
            self.uploads,
        )
        self.service = self.service_on(self.queue_url)

    def service_on(self, queue_url: str, quota: Quota = allowed) -> JobService:
        queue = SqsJobQueue(lambda: self.sqs, queue_url)
        return JobService(self.jobs, self.uploads, self.files, queue, lambda *_: quota())

    def submit(self, who: Caller, wanted: JobRequest, idempotency_key: str | None, quota: Quota = allowed) -> JobHandle:
        return self.service_on(self.queue_url, quota).submit(who, wanted, idempotency_key)

    def defer(self, who: Caller, removal: RemovalRequest, quota: Quota = allowed) -> JobHandle:
        removals = AsyncRemoval(self.service, self.uploads, 1_000, frozenset(), lambda *_: quota())
        return removals.defer(who, removal)

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def messages(self) -> list[str]:
        found = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["job_id"] for message in found]
