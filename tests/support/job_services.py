"""A desk for jobs with all that it stands on: jobs in memory, storage and queue wherever boto3 reaches (moto)."""

import json
from datetime import UTC, date, datetime

import boto3

from cutout.accounts import PLANS, Account, ApiKey, Caller, KeyMode, KeyStatus
from cutout.aws.s3.images import JobImages
from cutout.aws.s3.results import JobReports, ResultStore
from cutout.aws.s3.uploads import Retention, UploadStore
from cutout.aws.sqs import MessageQueue
from cutout.errors import QuotaExceededError
from cutout.services.async_removal import Deferral
from cutout.services.job_service import JobDesk
from cutout.services.job_storage import JobFiles
from tests.support.job_stores import MemoryJobStore


def caller(account_id: str = "acct_1", mode: KeyMode = KeyMode.LIVE) -> Caller:
    account = Account.on_plan(account_id, "a@example.com", PLANS["free"])
    key = ApiKey(account_id, mode, "tok_fp_0", KeyStatus.ACTIVE, datetime.now(UTC), date.today(), "")  # noqa: DTZ011
    return Caller(account, key)


def allowed() -> None:
    pass


def refused() -> None:
    raise QuotaExceededError("used up")


class World:
    """All that the desk stands on."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        for bucket in ("uploads", "results"):
            self.s3.create_bucket(Bucket=bucket)
        self.queue_url = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.jobs = MemoryJobStore()
        self.uploads = UploadStore(lambda: self.s3, "uploads", max_bytes=1_000, url_s=60)
        self.results = ResultStore(lambda: self.s3, "results", inline_limit_bytes=0, url_s=60)
        self.files = JobFiles(
            JobImages(lambda: self.s3),
            self.results,
            JobReports(lambda: self.s3, "results"),
            Retention(lambda: self.s3, "uploads"),
            self.uploads,
        )
        self.desk = self.desk_on(self.queue_url)
        self.deferral = Deferral(self.desk, self.uploads, 1_000, frozenset())

    def desk_on(self, queue_url: str) -> JobDesk:
        return JobDesk(self.jobs, self.uploads, self.files, MessageQueue(lambda: self.sqs, queue_url))

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def messages(self) -> list[str]:
        found = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["job_id"] for message in found]
