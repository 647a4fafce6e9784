"""A run of chaos: the service, what is done to it, and plain clients that nothing is done to."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import httpx

from cutout.aws.dynamodb.job_items import to_job
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.jobs.job import Job
from cutout.usage import Usage, month_of
from local import ROOT
from local.cloud import client
from local.resources import Template
from tests.chaos.arena import Killer, Messenger
from tests.chaos.faulty_proxy import Lots
from tests.support.local_service import Service
from tests.support.webhook_receiver import Receiver

ACCOUNT = "acct_local"
QUEUES = "jobs_queue", "webhooks_queue"
DEAD_LETTER_QUEUES = "jobs_dead_letter_queue", "webhooks_dead_letter_queue"
TWICE, GIVEN_UP = 0.33, 0.1
"""Shares of the bucket's events that come twice, and that a queue gives up as it does with what came too often."""


@dataclass
class Field:
    service: Service
    template: Template
    lots: Lots
    killer: Killer
    hooks: Receiver
    random: Random

    def __post_init__(self) -> None:
        self.s3, self.sqs, self.dynamodb = (client(name, self.endpoint("aws")) for name in ("s3", "sqs", "dynamodb"))
        self.intake = str(self.sqs.create_queue(QueueName="intake")["QueueUrl"])

    def endpoint(self, name: str) -> str:
        return self.service.endpoints[name]

    def _divert_events(self) -> None:
        """Let the bucket tell a queue of ours, from where a messenger carries the events on."""
        bucket = self.endpoint("uploads_bucket")
        told = self.s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.intake, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        diverted = {"QueueConfigurations": [{**one, "QueueArn": arn} for one in told]}
        self.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=diverted)

    def put(self, name: str, body: bytes, **metadata: str) -> None:
        """What `aws s3 cp` does."""
        key = f"uploads/{ACCOUNT}/{name}"
        self.s3.put_object(Bucket=self.endpoint("uploads_bucket"), Key=key, Body=body, Metadata=metadata)

    def order(self, number: int, body: bytes) -> str:
        """A job with a form, asked for until it is made; its id."""
        options = {"webhook_url": self.hooks.url(f"/refuse/{number % 2}/{number}"), "mask": number % 2 == 0}
        headers = {"x-api-key": self.service.key, "idempotency-key": f"order-{number}"}
        job = insist(
            lambda: httpx.post(f"{self.service.url}/v2/jobs", json=options, headers=headers, timeout=60)
        ).json()
        form, files = job["upload"], {"file": ("photo", body)}
        insist(lambda: httpx.post(form["url"], data=form["fields"], files=files, timeout=60))
        return str(job["id"])

    def webhook_secret(self) -> str:
        headers = {"x-api-key": self.service.key}
        url = f"{self.service.url}/v2/account/webhook-secret"
        return str(insist(lambda: httpx.get(url, headers=headers, timeout=60)).json()["secret"])

    def messenger(self) -> Messenger:
        """Who carries the bucket's events from here on."""
        self._divert_events()
        target, dead_letters = self.endpoint("jobs_queue"), self.endpoint("jobs_dead_letter_queue")
        return Messenger(self.sqs, self.intake, target, dead_letters, self.random, twice=TWICE, given_up=GIVEN_UP)

    def wait_until_quiet(self, messenger: Messenger) -> None:
        while messenger.held or any(self.waiting(queue) for queue in ("intake", *QUEUES)):
            time.sleep(1)

    def calm(self) -> None:
        """From now on nothing fails."""
        self.lots.share = 0
        self.killer.service_pid = None

    def replay_dead_letters(self) -> None:
        """As somebody on duty does it."""
        for queue in ("jobs", "webhooks"):
            where = ["--local", "--state", str(self.service.logs.parents[1])]
            command = [sys.executable, ROOT / "tools" / "redrive.py", *where, "--queue", queue, "--replay"]
            subprocess.run(command, check=True)

    def waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.intake if queue == "intake" else self.endpoint(queue)
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def jobs(self) -> list[Job]:
        return [to_job(item) for item in self._items("JobsTable") if item["pk"]["S"].startswith("job_")]

    def charges(self) -> set[str]:
        """The ids of what was charged."""
        keys = [item["pk"]["S"] for item in self._items("AccountsTable")]
        return {key.removeprefix("CHARGE#") for key in keys if key.startswith("CHARGE#")}

    def used(self) -> Usage:
        store = DynamoUsageStore(self.dynamodb, self.template.tables["AccountsTable"].name)
        return store.total(ACCOUNT, month_of(datetime.now(UTC)))

    def results(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.endpoint("results_bucket"))
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def _items(self, table: str) -> list[dict[str, dict[str, str]]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.template.tables[table].name)
        return [item for page in pages for item in page["Items"]]


def insist(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask until the service has no fault of its own."""
    answer = call()
    for _ in range(20):
        if answer.status_code < 500 and answer.status_code not in {409, 429}:
            break
        time.sleep(0.5)
        answer = call()
    assert answer.is_success, answer.text
    return answer
