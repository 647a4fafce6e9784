"""The uploads bucket. S3 itself holds uploads to a form's policy, moto does not: so the policy is read here, word by
word, and that S3 obeys it is S3's contract (API reference, "POST Policy")."""

import base64
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.uploads import S3UploadStore
from cutout.errors import ImageTooLargeError, InvalidRequestError, NotFoundError, ServiceUnavailableError
from cutout.jobs.storage import direct_upload_key, job_upload_key

NOW = datetime(2026, 11, 21, 3, 4, 5, 678_901, tzinfo=UTC)
UPLOAD_ID = "upl_" + "0" * 32


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))
        client.create_bucket(Bucket="uploads")
        yield client


def store(client, bucket: str = "uploads", max_bytes: int = 1_000) -> S3UploadStore:
    return S3UploadStore(Bucket(lambda: client, bucket, 600, lambda: NOW), max_bytes)


def keys(client) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket="uploads").get("Contents", [])]


def policy_of(form) -> dict[str, object]:
    document: dict[str, object] = json.loads(base64.b64decode(form.fields["policy"]))
    return document


def test_a_form_is_bound_to_one_key_a_size_and_to_images(s3):
    form = store(s3).form(job_upload_key("acct_1", "job_1"), "image/png")
    conditions = policy_of(form)["conditions"]
    assert isinstance(conditions, list)
    assert {"bucket": "uploads"} in conditions
    assert {"key": "uploads/acct_1/job_1/image"} in conditions
    assert ["content-length-range", 1, 1_000] in conditions
    assert ["starts-with", "$Content-Type", "image/"] in conditions
    named = {name for condition in conditions if isinstance(condition, dict) for name in condition}
    signed = {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token"}
    assert named - signed == {"bucket", "key"}, "nothing else may be set: no ACL, no redirect, no metadata"


def test_a_form_says_what_to_send_and_until_when(s3):
    form = store(s3).form("uploads/a/j/image", "image/png")
    assert (form.fields["key"], form.fields["Content-Type"]) == ("uploads/a/j/image", "image/png")
    assert {"policy", "x-amz-signature", "x-amz-credential"} <= form.fields.keys()
    assert (form.expires_at.isoformat(), form.max_bytes) == ("2026-11-21T03:14:05+00:00", 1_000)
    assert form.url.startswith("https://")


def test_the_policy_ends_when_the_form_says(s3):
    form = S3UploadStore(Bucket(lambda: s3, "uploads", 600), 9).form("k", "image/png")
    ends = datetime.fromisoformat(str(policy_of(form)["expiration"]))
    assert abs((ends - form.expires_at).total_seconds()) <= 2


def test_what_was_uploaded_is_read(s3):
    s3.put_object(Bucket="uploads", Key=f"direct/acct_1/{UPLOAD_ID}", Body=b"x" * 1_000)
    assert store(s3).read("acct_1", UPLOAD_ID) == b"x" * 1_000
    assert store(s3).require("acct_1", UPLOAD_ID) == f"direct/acct_1/{UPLOAD_ID}"


@pytest.mark.parametrize("account", ["acct_1", "acct_2"])
def test_an_upload_that_is_not_there_or_another_s_is_not_found(s3, account):
    s3.put_object(Bucket="uploads", Key=f"direct/acct_3/{UPLOAD_ID}", Body=b"x")
    for ask in (store(s3).read, store(s3).require):
        with pytest.raises(NotFoundError, match="Nothing was uploaded"):
            ask(account, UPLOAD_ID)


@pytest.mark.parametrize("upload_id", ["", "../acct_3/" + UPLOAD_ID, UPLOAD_ID + "/x", "upl_../x", "é" * 2_000])
def test_an_id_never_becomes_a_path(s3, upload_id):
    for ask in (store(s3).read, store(s3).require):
        with pytest.raises(InvalidRequestError):
            ask("acct_1", upload_id)


class Untouchable:
    """A body that nobody may read."""

    closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def read(self, *_):
        raise AssertionError("the body was read")


def test_a_large_upload_is_refused_and_its_body_is_not_read(s3):
    s3.put_object(Bucket="uploads", Key=f"direct/acct_1/{UPLOAD_ID}", Body=b"x" * 1_001)
    with pytest.raises(ImageTooLargeError):
        store(s3).require("acct_1", UPLOAD_ID)
    get, body = s3.get_object, Untouchable()
    s3.get_object = lambda **call: get(**call) | {"Body": body}
    with pytest.raises(ImageTooLargeError):
        store(s3).read("acct_1", UPLOAD_ID)
    assert body.closed


def test_what_is_removed_is_gone_and_removing_it_twice_is_no_error(s3):
    store(s3).store(direct_upload_key("a", "job_1"), b"x")
    assert keys(s3) == ["direct/a/job_1"]
    store(s3).remove("direct/a/job_1")
    store(s3).remove("direct/a/job_1")
    assert keys(s3) == []


def test_an_object_that_was_overwritten_since_is_not_removed(s3):
    old, new = (
        s3.put_object(Bucket="uploads", Key="uploads/a/x", Body=body)["ETag"].strip('"') for body in (b"old", b"new")
    )
    store(s3).remove("uploads/a/x", old)
    assert keys(s3) == ["uploads/a/x"]
    store(s3).remove("uploads/a/x", new)
    assert keys(s3) == []
    store(s3).remove("uploads/a/x", new)


def test_a_bucket_that_is_away_is_a_503(s3):
    away = store(s3, "nowhere")
    for call in (
        lambda: away.read("a", UPLOAD_ID),
        lambda: away.store("k", b"x"),
        lambda: away.remove("k"),
        lambda: away.remove("k", "0123"),
    ):
        with pytest.raises(ServiceUnavailableError):
            call()
