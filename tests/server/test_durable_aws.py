"""What was acknowledged is there after the process was killed."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from local.cloud import client, seed_account
from local.resources import Template
from local.state import queue_url


class Cloud:
    """Clients of one running process."""

    def __init__(self, template: Template, url: str) -> None:
        self.url = url
        self.table = template.tables["AccountsTable"].name
        self.uploads = template.buckets["UploadsBucket"].name
        self.queue = queue_url(url, template.queues["JobsQueue"])
        self.dynamodb, self.s3, self.sqs = (client(service, url) for service in ("dynamodb", "s3", "sqs"))

    def items(self) -> list[str]:
        return sorted(json.dumps(item) for item in self.dynamodb.scan(TableName=self.table)["Items"])

    def receive(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"])
        return found.get("Messages", [])


@contextmanager
def running(folder: Path, template: Template) -> Iterator[Cloud]:
    """The process, killed at the end of the block."""
    command = [sys.executable, "-m", "server.durable_aws", str(folder), str(ROOT / "template.yaml")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Cloud(template, process.stdout.readline().strip())
        finally:
            process.send_signal(signal.SIGKILL)


def test_items_messages_and_objects_outlive_the_process(tmp_path: Path, template: Template) -> None:
    name = "uploads/acct_local/Kätzchen 1.jpg"
    with running(tmp_path, template) as cloud:
        seed_account(cloud.table, "local-development-key", cloud.url)
        place = {"Bucket": cloud.uploads, "Key": name}
        cloud.s3.put_object(**place, Body=b"photo", ContentType="image/jpeg", Metadata={"mask": "true"}, Tagging="a=b")
        before, head = cloud.items(), cloud.s3.head_object(**place)
        (told,) = cloud.receive()  # and is not deleted: its receiver dies
        cloud.sqs.send_message(QueueUrl=cloud.queue, MessageBody="waits")
    with running(tmp_path, template) as cloud:
        assert cloud.items() == before != []
        found = cloud.s3.get_object(**place)
        assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (b"photo", head["ETag"], "image/jpeg")
        assert (found["Metadata"], found["LastModified"]) == ({"mask": "true"}, head["LastModified"])
        assert cloud.s3.get_object_tagging(**place)["TagSet"] == [{"Key": "a", "Value": "b"}]
        messages = {message["Body"]: message["Attributes"]["ApproximateReceiveCount"] for message in cloud.receive()}
        assert messages == {told["Body"]: "2", "waits": "1"}


def test_what_was_removed_stays_away(tmp_path: Path, template: Template) -> None:
    with running(tmp_path, template) as cloud:
        cloud.s3.put_object(Bucket=cloud.uploads, Key="direct/a", Body=b"1")
        cloud.s3.put_object(Bucket=cloud.uploads, Key="direct/a", Body=b"22")
        cloud.s3.put_object(Bucket=cloud.uploads, Key="direct/b", Body=b"333")
        cloud.s3.delete_object(Bucket=cloud.uploads, Key="direct/b")
        key = {"pk": {"S": "x"}, "sk": {"S": "y"}}
        cloud.dynamodb.put_item(TableName=cloud.table, Item=key)
        cloud.dynamodb.delete_item(TableName=cloud.table, Key=key)
        cloud.sqs.send_message(QueueUrl=cloud.queue, MessageBody="done")
        (message,) = cloud.receive()
        cloud.sqs.delete_message(QueueUrl=cloud.queue, ReceiptHandle=message["ReceiptHandle"])
    assert [file.read_bytes() for file in (tmp_path / "objects").iterdir()] == [b"22"], "no other bytes are left"
    with running(tmp_path, template) as cloud:
        listed = cloud.s3.list_objects_v2(Bucket=cloud.uploads)["Contents"]
        assert [(item["Key"], item["Size"]) for item in listed] == [("direct/a", 2)]
        assert (cloud.items(), cloud.receive()) == ([], [])


def test_a_transaction_is_there_as_a_whole_or_not_at_all(tmp_path: Path, template: Template) -> None:
    def put(name: str, **condition: str) -> dict[str, Any]:
        return {"Put": {"TableName": cloud.table, "Item": {"pk": {"S": name}, "sk": {"S": "-"}}, **condition}}

    with running(tmp_path, template) as cloud:
        cloud.dynamodb.transact_write_items(TransactItems=[put("a"), put("b")])
        refused = put("b", ConditionExpression="attribute_not_exists(pk)")
        with pytest.raises(cloud.dynamodb.exceptions.TransactionCanceledException):
            cloud.dynamodb.transact_write_items(TransactItems=[put("c"), refused])
    with running(tmp_path, template) as cloud:
        assert [json.loads(item)["pk"]["S"] for item in cloud.items()] == ["a", "b"]


def test_what_is_over_is_removed_at_the_next_start_at_the_latest(tmp_path: Path, template: Template) -> None:
    now = datetime.now(UTC)
    with running(tmp_path, template) as cloud:
        for name, at in (("over", now - timedelta(hours=1)), ("to come", now + timedelta(hours=1))):
            item = {"pk": {"S": name}, "sk": {"S": "-"}, "expires_at": {"N": str(int(at.timestamp()))}}
            cloud.dynamodb.put_item(TableName=cloud.table, Item=item)
        for key in ("direct/old", "direct/new", "retained/old"):
            cloud.s3.put_object(Bucket=cloud.uploads, Key=key, Body=key.encode())
    with sqlite3.connect(tmp_path / "state.sqlite3") as database:
        yesterday = (now - timedelta(hours=25)).timestamp()
        database.execute(
            "UPDATE objects SET facts = json_set(facts, '$.modified', ?) WHERE key LIKE '%old'", (yesterday,)
        )
    with running(tmp_path, template) as cloud:
        listed = cloud.s3.list_objects_v2(Bucket=cloud.uploads)["Contents"]
        assert [item["Key"] for item in listed] == ["direct/new", "retained/old"]
        assert [json.loads(item)["pk"]["S"] for item in cloud.items()] == ["to come"]


def test_a_change_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path, template: Template) -> None:
    with running(tmp_path, template) as cloud, sqlite3.connect(tmp_path / "state.sqlite3") as database:
        database.execute("DROP TABLE items")
        database.commit()
        with pytest.raises(Exception, match=r"closed|connect|reset"):
            cloud.dynamodb.put_item(TableName=cloud.table, Item={"pk": {"S": "x"}, "sk": {"S": "y"}})


def refusal(folder: Path) -> str:
    command = [sys.executable, "-m", "server.durable_aws", str(folder), str(ROOT / "template.yaml")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    assert "newer version" in refusal(tmp_path)


def test_a_state_belongs_to_one_process_at_a_time(tmp_path: Path, template: Template) -> None:
    with running(tmp_path, template):
        assert "in use by another container" in refusal(tmp_path)
