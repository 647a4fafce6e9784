"""The only path to ``retained/``."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from cutout.accounts import PLANS, Account
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.uploads import S3RetentionStore
from cutout.errors import ServiceUnavailableError
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobSource, SourceKind
from local import ROOT
from local.cloud import client

ACCOUNT = Account.on_plan("acct_1", "a@example.com", PLANS["free"])
WILLING = replace(ACCOUNT, training_opt_in=True)
JOB = Job.queued("job_1", "acct_1", JobOptions(), JobSource(SourceKind.URL), datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="uploads")
        yield s3


def names(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="uploads").get("Contents", [])]


def test_an_account_that_said_nothing_is_kept_nothing_of(s3):
    S3RetentionStore(Bucket(lambda: s3, "uploads", 60)).store(ACCOUNT, JOB, b"image")

    assert names(s3) == []


def test_one_accounts_leave_is_not_anothers(s3):
    S3RetentionStore(Bucket(lambda: s3, "uploads", 60)).store(replace(WILLING, id="acct_2"), JOB, b"image")

    assert names(s3) == []


def test_what_is_kept_can_be_removed(s3):
    retention = S3RetentionStore(Bucket(lambda: s3, "uploads", 60))
    retention.store(WILLING, JOB, b"image")
    retention.store(WILLING, JOB, b"image")
    assert names(s3) == ["retained/acct_1/job_1"]

    retention.remove(JOB)
    retention.remove(JOB)

    assert names(s3) == []


def test_a_bucket_that_is_away_is_told_so(s3):
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    s3.meta.events.register("before-send.s3", fail)
    retention = S3RetentionStore(Bucket(lambda: s3, "uploads", 60))

    with pytest.raises(ServiceUnavailableError):
        retention.store(WILLING, JOB, b"image")
    with pytest.raises(ServiceUnavailableError):
        retention.remove(JOB)


def test_no_other_module_knows_the_prefix():
    package = ROOT / "layers" / "cutout" / "cutout"
    knowing = [
        file.name for file in package.rglob("*.py") if re.search(r"\"retained|'retained|f\"retained", file.read_text())
    ]

    assert knowing == ["uploads.py"]
