"""The upload function in this process, with the true model and moto behind it: from messages to buckets and table."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from PIL import Image

from cutout.accounts import Account, KeyMode
from cutout.aws import retries, warm
from cutout.errors import ServiceUnavailableError
from cutout.imaging.manifest import load_manifest
from cutout.imaging.predict import OnnxSegmenter
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat
from cutout.job_ids import new_job_id, object_job_id
from cutout.job_parts import JobOptions, JobSource, SourceKind
from cutout.jobs import Job, JobState
from cutout.metering import Usage
from functions.process_upload.app import handler
from local import ROOT
from local.cloud import LOCAL_ACCOUNT, create_cloud, seed_account
from local.resources import Template

CLIENTS = {"dynamodb_client", "counting_client", "s3_client", "sqs_client"}
"""What of the warm state outlives a test: it holds no data, and is dear to make."""
PHOTO = (ROOT / "docs" / "images" / "chelsea.jpg").read_bytes()
A = LOCAL_ACCOUNT.id
VISIBILITY_S = 360
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:cutout-local-JobsQueue"


class Context(SimpleNamespace):
    function_name = "process_upload"
    memory_limit_in_mb = 3008
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:process_upload"
    aws_request_id = "0c0ffee0-0000-4000-8000-000000000001"
    time_left_s = 60.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.time_left_s * 1000)


class Desk:
    """What a test needs of the cloud."""

    def __init__(self, cloud: Template) -> None:
        self.uploads = cloud.buckets["UploadsBucket"].name
        self.results = cloud.buckets["ResultsBucket"].name
        self.s3 = warm.s3_client()
        self.sqs = warm.sqs_client()
        self.jobs = warm.jobs()
        self.notify(on=False)

    def notify(self, *, on: bool) -> None:
        """Whether moto itself sends events of what is put; its have no sequencer."""
        notification = {"QueueConfigurations": [{"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"]}]}
        self.s3.put_bucket_notification_configuration(
            Bucket=self.uploads, NotificationConfiguration=notification if on else {}
        )

    def put(self, key: str, data: bytes = PHOTO, **arguments: Any) -> dict[str, Any]:
        """Put an object as people do; the answer is S3's record of it, as real S3 writes it."""
        etag = self.s3.put_object(Bucket=self.uploads, Key=key, Body=data, **arguments)["ETag"].strip('"')
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-11-21T03:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": self.uploads},
                "object": {
                    "key": quote_plus(key, safe="/"),
                    "size": len(data),
                    "eTag": etag,
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }

    def object_job(self, record: Mapping[str, Any], key: str) -> Job:
        found = self.jobs.find(object_job_id(self.uploads, key, record["s3"]["object"]["sequencer"]))
        assert found is not None
        return found

    def result_names(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.results).get("Contents", [])]

    def upload_names(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.uploads, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def result(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.results, Key=key)["Body"].read()

    def report(self, folder: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.result(f"results/{A}/{folder}/result.json"))
        return document

    def images_charged(self) -> Usage:
        return warm.usage().total(A, datetime.now(UTC).strftime("%Y-%m"))

    def queued_webhooks(self) -> list[str]:
        url = warm.settings().webhooks_queue_url
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["job_id"] for message in found]

    def send(self, *bodies: Any) -> list[dict[str, Any]]:
        """Bodies to the jobs' queue, and from there as Lambda would give them to the function."""
        url = warm.settings().jobs_queue_url
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body))
        return self.receive()

    def receive(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(
            QueueUrl=warm.settings().jobs_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=VISIBILITY_S,
            MessageSystemAttributeNames=["All"],
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
                "awsRegion": "us-east-1",
            }
            for message in found.get("Messages", [])
        ]


@pytest.fixture(scope="module")
def segmenter() -> Any:
    """The model, once for all tests here."""
    models = ROOT / "models"
    model = load_manifest(models).select("")
    return OnnxSegmenter(model, models / model.file, 0)


@pytest.fixture(scope="module")
def clouds(template: Template) -> Iterator[Template]:
    """Moto with the template's tables, buckets and queues, once for all tests here."""
    with mock_aws():
        create_cloud(template)
        yield template


@pytest.fixture(autouse=True)
def _fresh(clouds: Template, segmenter: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is kept from, or for, another test, the model and the clients excepted."""
    for function in clouds.functions.values():
        for name, value in function.environment.items():
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    monkeypatch.setattr(warm, "segmenter", lambda: segmenter)
    kept = [value for name, value in vars(warm).items() if hasattr(value, "cache_clear") and name not in CLIENTS]
    for value in kept:
        value.cache_clear()
    seed_account(clouds.tables["AccountsTable"].name, "local-development-key")
    yield
    for value in kept:
        value.cache_clear()
    empty(clouds)


def empty(cloud: Template) -> None:
    """Remove all that a test has left in tables, buckets and queues."""
    dynamodb, s3, sqs = warm.dynamodb_client(), warm.s3_client(), warm.sqs_client()
    for table in cloud.tables.values():
        names = [key["AttributeName"] for key in table.key_schema]
        for item in dynamodb.scan(TableName=table.name)["Items"]:
            dynamodb.delete_item(TableName=table.name, Key={name: item[name] for name in names})
    for bucket in cloud.buckets.values():
        for item in s3.list_objects_v2(Bucket=bucket.name).get("Contents", []):
            s3.delete_object(Bucket=bucket.name, Key=item["Key"])
    for url in (warm.settings().jobs_queue_url, warm.settings().webhooks_queue_url):
        sqs.delete_queue(QueueUrl=url)
        sqs.create_queue(QueueName=url.rpartition("/")[2])


@pytest.fixture
def desk(_fresh: None, clouds: Template) -> Desk:
    return Desk(clouds)


def run(messages: list[dict[str, Any]], context: Context | None = None) -> int:
    """How many messages come again."""
    answer = handler({"Records": messages}, context or Context())
    failures = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    assert failures <= {message["messageId"] for message in messages}
    return len(failures)


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def tag(**tags: str) -> str:
    return "&".join(f"{name}={quote_plus(value)}" for name, value in tags.items())


def make_account(**changes: Any) -> Account:
    account = replace(LOCAL_ACCOUNT, id="acct_2", **changes)
    warm.accounts().create_account(account)
    return account


# --------------------------------------------------------------------------------------------- people's own objects


def test_an_object_becomes_a_cutout_at_a_foreseeable_place_and_is_charged_once(desk):
    record = desk.put(f"uploads/{A}/dir/photo.jpg")

    assert run(desk.send({"Records": [record]})) == 0

    folder = f"results/{A}/dir/photo.jpg"
    assert desk.result_names() == [f"{folder}/cutout.png", f"{folder}/result.json"]
    cutout, photo = picture(desk.result(f"{folder}/cutout.png")), picture(PHOTO)
    assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
    job = desk.object_job(record, f"uploads/{A}/dir/photo.jpg")
    assert (job.state, job.account_id, job.attempts) == (JobState.SUCCEEDED, A, 1)
    usage = desk.images_charged()
    assert usage == Usage.of_image(*photo.size, len(PHOTO), len(desk.result(f"{folder}/cutout.png")))
    report = desk.report("dir/photo.jpg")
    assert (report["status"], report["job_id"], report["source"]) == (
        "succeeded", job.id, f"uploads/{A}/dir/photo.jpg",
    )  # fmt: skip
    assert report["result"]["key"] == f"{folder}/cutout.png"
    assert (report["result"]["width"], report["result"]["height"]) == photo.size
    assert report["result"]["model"] == job.result.model
    assert report["result"]["stages_ms"].keys() >= {"decode", "predict", "encode"}


def test_events_of_a_bucket_without_sequencers_are_told_apart_too(desk):
    desk.notify(on=True)
    assert run(desk.receive()) == 0, "the test event"
    for data in (PHOTO, PHOTO + b"newer"):
        desk.s3.put_object(Bucket=desk.uploads, Key=f"uploads/{A}/my photo.jpg", Body=data)
        assert run(desk.receive()) == 0

    assert f"results/{A}/my photo.jpg/cutout.png" in desk.result_names()
    assert desk.images_charged().images == 2


def test_a_job_is_worked_on_once_however_often_its_event_comes(desk):
    record = desk.put(f"uploads/{A}/photo.jpg")
    messages = desk.send({"Records": [record, record]}, {"Records": [record]})

    assert run(messages) == 0
    assert run(messages) == 0

    assert desk.images_charged().images == 1
    assert desk.object_job(record, f"uploads/{A}/photo.jpg").attempts == 1


def test_every_record_of_a_message_counts(desk):
    records = [desk.put(f"uploads/{A}/{number}.jpg") for number in range(3)]

    assert run(desk.send({"Records": records})) == 0

    assert len([name for name in desk.result_names() if name.endswith("cutout.png")]) == 3
    assert desk.images_charged().images == 3


@pytest.mark.parametrize("name", ["my photo.jpg", "a+b.jpg", "ünï/漢字 (1).jpg", "100%.jpg", "q?x=y&z.jpg", "%2B.jpg"])
def test_keys_of_any_letters_are_found_and_answered_under_the_same_name(desk, name):
    assert run(desk.send({"Records": [desk.put(f"uploads/{A}/{name}")]})) == 0

    assert f"results/{A}/{name}/cutout.png" in desk.result_names()


def test_options_come_from_metadata(desk):
    metadata = {"format": "webp", "Size": "preview", "bg-color": "#ff0000", "mask": "true", "mtime": "1700000000"}
    record = desk.put(f"uploads/{A}/p.jpg", Metadata=metadata)

    assert run(desk.send({"Records": [record]})) == 0

    folder = f"results/{A}/p.jpg"
    assert desk.result_names() == [f"{folder}/cutout.webp", f"{folder}/mask.png", f"{folder}/result.json"]
    cutout, mask = picture(desk.result(f"{folder}/cutout.webp")), picture(desk.result(f"{folder}/mask.png"))
    assert cutout.mode == "RGB"
    assert cutout.width * cutout.height <= 250_000
    assert (mask.mode, mask.size) == ("L", cutout.size)
    empty_at = next((x, y) for x in range(mask.width) for y in range(mask.height) if mask.getpixel((x, y)) == 0)
    red = cutout.getpixel(empty_at)
    assert red[0] > 200
    assert max(red[1:]) < 50
    assert desk.report("p.jpg")["result"]["mask_key"] == f"{folder}/mask.png"


def test_options_come_from_tags_where_metadata_has_none(desk):
    tagged = desk.put(f"uploads/{A}/1.jpg", Tagging=tag(format="jpg", project="cats"), Metadata={"author": "me"})
    both = desk.put(f"uploads/{A}/2.jpg", Tagging=tag(format="jpg"), Metadata={"format": "webp"})

    assert run(desk.send({"Records": [tagged, both]})) == 0

    assert f"results/{A}/1.jpg/cutout.jpg" in desk.result_names()
    assert f"results/{A}/2.jpg/cutout.webp" in desk.result_names()


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"format": "exe"}, "invalid_option"),
        ({"bg_color": "#12", "mask": "yes"}, "invalid_option"),
        ({"mask": "perhaps"}, "invalid_option"),
        ({"webhook-url": "http://169.254.169.254/latest"}, "invalid_option"),
        ({"bg-color": "red", "bg_color": "blue"}, "invalid_option"),
    ],
)
def test_wrong_options_fail_the_job_and_say_why(desk, metadata, code):
    record = desk.put(f"uploads/{A}/p.jpg", Metadata=metadata)

    assert run(desk.send({"Records": [record]})) == 0

    job = desk.object_job(record, f"uploads/{A}/p.jpg")
    assert (job.state, job.error.code) == (JobState.FAILED, code)
    assert desk.result_names() == [f"results/{A}/p.jpg/result.json"]
    report = desk.report("p.jpg")
    assert (report["status"], report["error"]["code"], report["error"]["message"]) == (
        "failed",
        code,
        job.error.message,
    )
    assert desk.images_charged() == Usage()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unsupported_image_format"),
        (b"not an image", "unsupported_image_format"),
        (PHOTO[:2_000], "invalid_image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "invalid_image"),
    ],
)
def test_what_is_no_image_fails_the_job_at_once(desk, data, code):
    record = desk.put(f"uploads/{A}/p.jpg", data)

    assert run(desk.send({"Records": [record]})) == 0

    job = desk.object_job(record, f"uploads/{A}/p.jpg")
    assert (job.state, job.error.code, job.attempts) == (JobState.FAILED, code, 1)
    assert desk.images_charged() == Usage()


def test_an_object_above_the_limit_is_refused_unread(desk, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", str(len(PHOTO) - 1))
    warm.settings.cache_clear()
    record = desk.put(f"uploads/{A}/p.jpg")
    with monkeypatch.context() as patch:
        patch.setattr("botocore.response.StreamingBody.read", lambda *_: pytest.fail("the body was read"))
        assert run(desk.send({"Records": [record]})) == 0

    assert desk.object_job(record, f"uploads/{A}/p.jpg").error.code == "image_too_large"


def test_an_object_that_was_removed_before_its_turn_fails_the_job(desk):
    record = desk.put(f"uploads/{A}/p.jpg")
    desk.s3.delete_object(Bucket=desk.uploads, Key=f"uploads/{A}/p.jpg")

    assert run(desk.send({"Records": [record]})) == 0

    assert desk.object_job(record, f"uploads/{A}/p.jpg").error.code == "missing_image"


# -------------------------------------------------------------------------------------------- older and newer objects


def with_sequencer(record: dict[str, Any], sequencer: str) -> dict[str, Any]:
    record["s3"]["object"]["sequencer"] = sequencer
    return record


def test_the_event_of_an_object_that_was_overwritten_changes_nothing(desk):
    key = f"uploads/{A}/p.jpg"
    old = with_sequencer(desk.put(key, Metadata={"format": "jpg"}), "0055")
    new = with_sequencer(desk.put(key, PHOTO + b"newer"), "005501")

    assert run(desk.send({"Records": [old]})) == 0
    assert desk.result_names() == []
    assert desk.object_job(old, key).state is JobState.CANCELLED
    assert desk.object_job(old, key).error.code == "superseded"

    assert run(desk.send({"Records": [new]})) == 0
    assert desk.object_job(new, key).state is JobState.SUCCEEDED
    assert desk.images_charged().images == 1


def test_an_older_event_that_comes_late_does_not_touch_the_newer_result(desk):
    key = f"uploads/{A}/p.jpg"
    record = desk.put(key)
    older = with_sequencer(json.loads(json.dumps(record)), "0055AED6DCD90281E4")
    assert run(desk.send({"Records": [record]})) == 0
    written = desk.s3.head_object(Bucket=desk.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"]

    assert run(desk.send({"Records": [older]})) == 0

    assert desk.object_job(older, key).error.code == "superseded"
    assert desk.object_job(record, key).state is JobState.SUCCEEDED
    assert desk.report("p.jpg")["job_id"] == desk.object_job(record, key).id
    assert desk.s3.head_object(Bucket=desk.results, Key=f"results/{A}/p.jpg/result.json")["LastModified"] == written
    assert desk.images_charged().images == 1


def test_an_object_put_again_is_worked_on_again(desk):
    key = f"uploads/{A}/p.jpg"
    for sequencer in ("01", "02"):
        assert run(desk.send({"Records": [with_sequencer(desk.put(key), sequencer)]})) == 0

    assert desk.images_charged().images == 2


def test_a_newer_object_waits_for_the_worker_on_the_older_one(desk):
    key = f"uploads/{A}/p.jpg"
    source = JobSource(SourceKind.OBJECT, desk.uploads, key, sequencer="01")
    holder = warm.job_intake()._ledger.take(source, 60)
    (message,) = desk.send({"Records": [with_sequencer(desk.put(key), "02")]})

    assert run([message]) == 1
    assert desk.result_names() == []

    warm.job_intake()._ledger.give_back(source, holder)
    assert run([message]) == 0
    assert f"results/{A}/p.jpg/cutout.png" in desk.result_names()


# ------------------------------------------------------------------------------------------- jobs made before an upload


def queued(desk: Desk, source: JobSource, **changes: Any) -> Job:
    job = replace(Job.queued(new_job_id(), A, JobOptions(), source, datetime.now(UTC)), **changes)
    assert desk.jobs.create(job)
    return job


def upload_job(desk: Desk, **changes: Any) -> tuple[Job, str]:
    job_id = new_job_id()
    key = f"uploads/{A}/{job_id}/image"
    return queued(desk, JobSource(SourceKind.UPLOAD, desk.uploads, key), id=job_id, **changes), key


def test_a_job_is_begun_by_its_upload_with_its_own_options(desk):
    options = JobOptions(CutoutSpec(format=ImageFormat.JPEG, channels=Channels.RGBA), mask=True)
    job, key = upload_job(desk, options=options)

    assert run(desk.send({"Records": [desk.put(key, Metadata={"format": "webp"})]})) == 0

    done = desk.jobs.find(job.id)
    assert done.state is JobState.SUCCEEDED
    assert done.result.key == f"results/{A}/{job.id}/cutout.jpg"
    assert done.result.mask_key == f"results/{A}/{job.id}/mask.png"
    assert picture(desk.result(done.result.key)).format == "JPEG"
    assert picture(desk.result(done.result.mask_key)).mode == "L"
    assert done.result.bytes == len(desk.result(done.result.key))


def test_a_second_upload_to_a_job_that_has_ended_changes_nothing(desk):
    job, key = upload_job(desk)
    assert run(desk.send({"Records": [desk.put(key)]})) == 0
    done = desk.jobs.find(job.id)

    assert run(desk.send({"Records": [with_sequencer(desk.put(key, b"other"), "FF")]})) == 0

    assert desk.jobs.find(job.id) == done
    assert desk.images_charged().images == 1


def test_an_upload_below_another_accounts_job_is_an_object_of_its_own(desk):
    job, key = upload_job(desk, account_id="acct_9")
    record = desk.put(key)

    assert run(desk.send({"Records": [record]})) == 0

    assert desk.jobs.find(job.id).state is JobState.QUEUED
    assert desk.object_job(record, key).account_id == A


def test_a_job_with_a_url_is_fetched_when_its_message_comes(desk, file_server, monkeypatch):
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
    warm.settings.cache_clear()
    (file_server.folder / "cat.jpg").write_bytes(PHOTO)
    good = queued(desk, JobSource(SourceKind.URL, url=f"{file_server.url}/cat.jpg"))
    bad = queued(desk, JobSource(SourceKind.URL, url=f"{file_server.url}/nothing.jpg"))
    private = queued(desk, JobSource(SourceKind.URL, url="http://10.0.0.1/cat.jpg"))

    assert run(desk.send(*({"job_id": job.id} for job in (good, bad, private)))) == 0

    assert desk.jobs.find(good.id).state is JobState.SUCCEEDED
    for job in (bad, private):
        assert desk.jobs.find(job.id).error.code == "image_url_fetch_failed"
    assert desk.images_charged().images == 1


def test_a_body_that_was_put_aside_is_worked_on_when_its_message_comes(desk):
    desk.put(f"direct/{A}/body")
    job = queued(desk, JobSource(SourceKind.REQUEST, desk.uploads, f"direct/{A}/body"))

    assert run(desk.send({"job_id": job.id})) == 0

    assert desk.jobs.find(job.id).state is JobState.SUCCEEDED


def test_a_synthetic_job_is_not_charged(desk):
    job, key = upload_job(desk, charged_mode=KeyMode.SYNTHETIC)

    assert run(desk.send({"Records": [desk.put(key)]})) == 0

    assert desk.jobs.find(job.id).state is JobState.SUCCEEDED
    assert desk.images_charged() == Usage()


# ----------------------------------------------------------------------------------------------------------- accounts


@pytest.mark.parametrize("account", ["nobody", "ACCT_LOCAL", ".."])
def test_an_object_of_an_unknown_account_is_left_alone(desk, account):
    record = desk.put(f"uploads/{account}/p.jpg")

    assert run(desk.send({"Records": [record]})) == 0

    assert desk.result_names() == []
    assert desk.jobs.find(object_job_id(desk.uploads, f"uploads/{account}/p.jpg", "0055AED6DCD90281E5")) is None


def test_a_suspended_accounts_job_fails_and_says_why(desk):
    account = make_account(subscription_status="suspended")
    record = desk.put(f"uploads/{account.id}/p.jpg")

    assert run(desk.send({"Records": [record]})) == 0

    job = desk.object_job(record, f"uploads/{account.id}/p.jpg")
    assert (job.state, job.error.code) == (JobState.FAILED, "account_suspended")


def test_a_job_above_the_quota_fails_and_says_why(desk):
    account = make_account(monthly_quota=1)
    records = [desk.put(f"uploads/{account.id}/{number}.jpg") for number in range(2)]

    assert run(desk.send({"Records": records})) == 0

    states = [desk.object_job(record, f"uploads/{account.id}/{number}.jpg") for number, record in enumerate(records)]
    assert [job.state for job in states] == [JobState.SUCCEEDED, JobState.FAILED]
    assert states[1].error.code == "quota_exceeded"


def test_images_are_kept_for_training_only_where_the_account_has_opted_in(desk):
    account = make_account(training_opt_in=True)
    records = [desk.put(f"uploads/{account.id}/p.jpg"), desk.put(f"uploads/{A}/p.jpg")]
    records.append(desk.put(f"uploads/{account.id}/broken.jpg", b"not an image"))

    assert run(desk.send({"Records": records})) == 0

    job = desk.object_job(records[0], f"uploads/{account.id}/p.jpg")
    assert desk.upload_names("retained/") == [f"retained/{account.id}/{job.id}"]
    kept = desk.s3.get_object(Bucket=desk.uploads, Key=f"retained/{account.id}/{job.id}")["Body"].read()
    assert kept == PHOTO


# ---------------------------------------------------------------------------------------------------- what is ignored


@pytest.mark.parametrize(
    "change",
    [
        {"eventName": "ObjectRemoved:Delete"},
        {"eventName": "ObjectTagging:Put"},
        {"bucket": "another"},
        {"key": "direct/acct_local/p.jpg"},
        {"key": "retained/acct_local/p.jpg"},
        {"key": "uploads/p.jpg"},
        {"key": "uploads//p.jpg"},
        {"key": "uploads/acct_local/folder/"},
        {"key": "uploads/acct_local/" + "x" * 1_000},
    ],
    ids=repr,
)
def test_records_that_are_none_of_our_business_are_acknowledged(desk, change):
    record = desk.put(f"uploads/{A}/p.jpg")
    record["eventName"] = change.get("eventName", record["eventName"])
    record["s3"]["bucket"]["name"] = change.get("bucket", desk.uploads)
    record["s3"]["object"]["key"] = change.get("key", record["s3"]["object"]["key"])

    assert run(desk.send({"Records": [record]})) == 0

    assert desk.result_names() == []


def test_a_test_event_is_acknowledged(desk):
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": desk.uploads, "RequestId": "1"}

    assert run(desk.send(body)) == 0


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', "{}", '{"job_id": 1}', '{"job_id": "x"}', '{"Records": [1]}']
)
def test_a_message_that_nobody_understands_stays_for_a_person_and_its_neighbours_are_done(desk, body):
    record = desk.put(f"uploads/{A}/p.jpg")
    strange = desk.send(json.dumps({"Records": [record]}))[0] | {"messageId": "strange", "body": body}
    good = desk.receive() or [strange | {"messageId": "good", "body": json.dumps({"Records": [record]})}]

    answer = handler({"Records": [strange, *good]}, Context())

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["strange"]
    assert desk.images_charged().images == 1


def test_a_message_of_a_job_that_is_gone_is_acknowledged(desk):
    assert run(desk.send({"job_id": new_job_id()})) == 0


# ---------------------------------------------------------------------------------------------------------- our faults


class Broken:
    """S3 does not answer the next ``times`` calls of an operation."""

    def __init__(self, operation: str, times: int) -> None:
        self.left = times
        self._event = f"before-send.s3.{operation}"
        warm.s3_client().meta.events.register(self._event, self._fail)

    def _fail(self, **_: object) -> None:
        if self.left:
            self.left -= 1
            raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    def mend(self) -> None:
        warm.s3_client().meta.events.unregister(self._event, self._fail)


@pytest.fixture
def break_s3() -> Iterator[Callable[..., Broken]]:
    made: list[Broken] = []

    def make(operation: str, *, times: int = 1_000) -> Broken:
        made.append(Broken(operation, times))
        return made[-1]

    yield make
    for broken in made:
        broken.mend()


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_bucket_that_is_away_leaves_the_job_open_and_the_message_comes_again(desk, break_s3, operation):
    job, key = upload_job(desk)
    (message,) = desk.send({"Records": [desk.put(key)]})
    broken = break_s3(operation)

    assert run([message]) == 1
    waiting = desk.jobs.find(job.id)
    assert (waiting.state, waiting.attempts, waiting.faults) == (JobState.RUNNING, 1, 1)
    assert waiting.fault.startswith("ServiceUnavailableError")
    assert desk.images_charged() == Usage()

    broken.mend()
    assert run([message]) == 0
    assert desk.jobs.find(job.id).state is JobState.SUCCEEDED
    assert desk.images_charged().images == 1


def test_a_fault_brings_the_message_back_soon_and_then_at_the_queues_own_pace(desk, break_s3, monkeypatch):
    delays: list[int] = []
    monkeypatch.setattr(warm.job_queue(), "postpone", lambda _, delay_s: delays.append(delay_s))
    _, key = upload_job(desk)
    (message,) = desk.send({"Records": [desk.put(key)]})
    break_s3("GetObject")

    for receives in (1, 2, 3, 4):
        message["attributes"]["ApproximateReceiveCount"] = str(receives)
        assert run([message]) == 1

    assert delays == [5, 30]


def test_one_record_that_fails_by_our_fault_lets_the_others_be_done(desk, break_s3):
    job, key = upload_job(desk)
    bad = desk.put(key)
    good = desk.put(f"uploads/{A}/p.jpg")
    broken = break_s3("GetObject", times=3)  # all tries of the first

    assert run(desk.send({"Records": [bad, good]})) == 1

    assert broken.left == 0
    assert desk.jobs.find(job.id).faults == 1
    assert desk.object_job(good, f"uploads/{A}/p.jpg").state is JobState.SUCCEEDED


def test_a_model_that_fails_is_our_fault(desk, segmenter, monkeypatch):
    def fail(_: Any) -> Any:
        raise RuntimeError("no memory")

    job, key = upload_job(desk)
    (message,) = desk.send({"Records": [desk.put(key)]})
    monkeypatch.setattr(type(segmenter), "alpha", fail)

    assert run([message]) == 1

    assert (desk.jobs.find(job.id).state, desk.jobs.find(job.id).faults) == (JobState.RUNNING, 1)


def test_a_worker_that_was_killed_is_followed_by_another_after_its_lease(desk):
    job, key = upload_job(desk)
    (message,) = desk.send({"Records": [desk.put(key)]})
    desk.jobs.start(job.id, 60)  # and then it was killed

    assert run([message]) == 1
    assert desk.jobs.find(job.id).attempts == 1

    later = warm.jobs()
    later._now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert run([message]) == 0
    assert (desk.jobs.find(job.id).state, desk.jobs.find(job.id).attempts) == (JobState.SUCCEEDED, 2)


def test_an_image_that_kills_its_workers_fails_in_the_end(desk):
    job, key = upload_job(desk, webhook_url="https://hook.example/x")
    (message,) = desk.send({"Records": [desk.put(key)]})
    for _ in range(3):
        killed = desk.jobs.start(job.id, 0)
    left_behind = {"Bucket": desk.results, "Key": f"results/{A}/{job.id}/cutout.png", "Metadata": {"job": killed.id}}
    desk.s3.put_object(**left_behind, Body=b"unpaid")

    assert run([message]) == 0
    assert desk.result_names() == [f"results/{A}/{job.id}/result.json"]

    done = desk.jobs.find(job.id)
    assert (done.state, done.error.code) == (JobState.FAILED, "processing_failed")
    assert desk.report(job.id)["error"]["code"] == "processing_failed"
    assert desk.queued_webhooks() == [job.id]


def test_a_duplicate_comes_again_while_the_first_is_at_work(desk, monkeypatch):
    delays: list[int] = []
    monkeypatch.setattr(warm.job_queue(), "postpone", lambda _, delay_s: delays.append(delay_s))
    job, key = upload_job(desk)
    (message,) = desk.send({"Records": [desk.put(key)]})
    desk.jobs.start(job.id, 60)

    for receives in (1, 2, 3, 4):
        message["attributes"]["ApproximateReceiveCount"] = str(receives)
        assert run([message]) == 1

    assert delays[:2] == [5, 15]
    assert min(delays[2:]) > 50
    assert desk.result_names() == []


# --------------------------------------------------------------------------------------------------- dropped by owner


class Meddling:
    """Calls ``act`` in the middle of the work, when the model is asked."""

    name = "meddling"

    def __init__(self, segmenter: Any, act: Any) -> None:
        self._segmenter = segmenter
        self._act = act

    def alpha(self, image: Any) -> Any:
        self._act()
        return self._segmenter.alpha(image)


def test_a_job_that_is_dropped_while_it_runs_leaves_nothing_and_costs_nothing(desk, segmenter, monkeypatch):
    account = make_account(training_opt_in=True)
    job_id = new_job_id()
    key = f"uploads/{account.id}/{job_id}/image"
    queued(desk, JobSource(SourceKind.UPLOAD, desk.uploads, key), id=job_id, account_id=account.id)
    meddling = Meddling(segmenter, lambda: desk.jobs.forget(account.id, job_id))
    monkeypatch.setattr(warm, "segmenter", lambda: meddling)

    assert run(desk.send({"Records": [desk.put(key)]})) == 0

    assert desk.jobs.find(job_id).state is JobState.CANCELLED
    assert desk.result_names() == []
    assert desk.upload_names("") == []
    assert warm.usage().total(account.id, datetime.now(UTC).strftime("%Y-%m")) == Usage()


def test_an_upload_to_a_job_that_was_dropped_is_removed(desk):
    job, key = upload_job(desk)
    desk.jobs.forget(A, job.id)

    assert run(desk.send({"Records": [desk.put(key)]})) == 0

    assert desk.upload_names("") == []
    assert desk.result_names() == []


def test_an_object_that_is_overwritten_while_it_is_worked_on_keeps_both_in_order(desk, segmenter, monkeypatch):
    key = f"uploads/{A}/p.jpg"
    first = with_sequencer(desk.put(key), "01")
    later: list[dict[str, Any]] = []
    failures: list[int] = []

    def overwrite() -> None:
        if not later:
            later.append(with_sequencer(desk.put(key, PHOTO + b"newer"), "02"))
            failures.append(run(desk.send({"Records": later})))

    meddling = Meddling(segmenter, overwrite)
    monkeypatch.setattr(warm, "segmenter", lambda: meddling)

    assert run(desk.send({"Records": [first]})) == 0
    assert failures == [1], "the newer object waits"
    assert desk.report("p.jpg")["job_id"] == desk.object_job(first, key).id

    assert run(desk.send({"Records": later})) == 0
    assert desk.report("p.jpg")["job_id"] == desk.object_job(later[0], key).id
    assert desk.images_charged().images == 2


# ----------------------------------------------------------------------------------------------------------- webhooks


def test_the_owner_is_told_of_the_end_once(desk):
    good = desk.put(f"uploads/{A}/1.jpg", Metadata={"webhook-url": "https://hook.example/x?token=secret"})
    bad = desk.put(f"uploads/{A}/2.jpg", b"no image", Metadata={"webhook-url": "https://hook.example/x?token=secret"})
    messages = desk.send({"Records": [good, bad]})

    assert run(messages) == 0
    assert run(messages) == 0

    jobs = [desk.object_job(good, f"uploads/{A}/1.jpg"), desk.object_job(bad, f"uploads/{A}/2.jpg")]
    assert sorted(desk.queued_webhooks()) == sorted(job.id for job in jobs)
    assert [job.webhook_queued for job in jobs] == [True, True]


def test_wrong_options_are_told_to_the_webhook_beside_them(desk):
    record = desk.put(f"uploads/{A}/p.jpg", Metadata={"webhook-url": "https://hook.example/x", "format": "exe"})

    assert run(desk.send({"Records": [record]})) == 0

    assert desk.queued_webhooks() == [desk.object_job(record, f"uploads/{A}/p.jpg").id]


def test_an_owner_who_could_not_be_told_is_told_when_the_message_comes_again(desk, monkeypatch):
    job, key = upload_job(desk, webhook_url="https://hook.example/x")
    (message,) = desk.send({"Records": [desk.put(key)]})
    runner = warm.job_intake()._runner

    def away(_: str) -> None:
        raise ServiceUnavailableError("SQS is away")

    tell = runner._tell
    runner._tell = away
    assert run([message]) == 1
    assert desk.jobs.find(job.id).state is JobState.SUCCEEDED

    runner._tell = tell
    assert run([message]) == 0
    assert desk.queued_webhooks() == [job.id]
    assert desk.jobs.find(job.id).attempts == 1
    assert desk.images_charged().images == 1


# --------------------------------------------------------------------------------------------------------------- logs


def test_logs_name_jobs_and_accounts_and_no_secret(desk, caplog):
    record = desk.put(
        f"uploads/{A}/p.jpg", Metadata={"webhook-url": "https://hook.example/x?token=topsecret", "format": "webp"}
    )

    assert run(desk.send({"Records": [record]})) == 0

    (ended,) = [line for line in caplog.records if line.message == "job ended"]
    assert (ended.job, ended.account, ended.status) == (
        desk.object_job(record, f"uploads/{A}/p.jpg").id, A, "succeeded",
    )  # fmt: skip
    assert "topsecret" not in repr([vars(line) for line in caplog.records])
