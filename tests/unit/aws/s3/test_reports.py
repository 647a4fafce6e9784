import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.results import S3ReportStore, report
from cutout.errors import ServiceUnavailableError
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource, SourceKind
from local.cloud import client

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOURCE = JobSource(SourceKind.OBJECT, "uploads", "uploads/acct_1/dir/ü.jpg")
RESULT = JobResult(
    "image/png", 8, 9, 80, 90, "cutout-s", {"decode": 1.26}, key="results/k.png", bytes=1_234, mask_key="results/m.png"
)
QUEUED = Job.queued("job_1", "acct_1", JobOptions(), SOURCE, NOON, webhook_url="https://hook.example/?token=secret")
RUNNING = QUEUED.started(NOON + timedelta(seconds=1), 60)
DONE = RUNNING.succeeded(NOON + timedelta(seconds=2), RESULT)


def test_a_success_says_what_was_made_and_where_it_lies():
    assert report(DONE) == {
        "job_id": "job_1",
        "status": "succeeded",
        "created_at": "2026-11-20T12:00:00.000+00:00",
        "started_at": "2026-11-20T12:00:01.000+00:00",
        "finished_at": "2026-11-20T12:00:02.000+00:00",
        "source": "uploads/acct_1/dir/ü.jpg",
        "result": {
            "key": "results/k.png",
            "mask_key": "results/m.png",
            "media_type": "image/png",
            "width": 8,
            "height": 9,
            "source_width": 80,
            "source_height": 90,
            "frames": 1,
            "bytes": 1_234,
            "foreground": "none",
            "model": "cutout-s",
            "stages_ms": {"decode": 1.3},
        },
    }


def test_a_failure_says_why_and_nothing_of_our_own():
    failed = replace(RUNNING, fault="boto3 at 10.0.0.1").failed(
        NOON, JobError("invalid_image", "No.", {"format": "png"})
    )

    document = report(failed)

    assert document["error"] == {"code": "invalid_image", "message": "No.", "details": {"format": "png"}}
    assert "result" not in document
    assert "10.0.0.1" not in json.dumps(document)
    assert "secret" not in json.dumps(document)


def test_a_report_lies_beside_the_results_and_names_its_job():
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="results")
        S3ReportStore(Bucket(lambda: s3, "results", 60)).store(DONE)

        stored = s3.get_object(Bucket="results", Key="results/acct_1/dir/ü.jpg/result.json")

        assert json.loads(stored["Body"].read()) == report(DONE)
        assert (stored["ContentType"], stored["Metadata"]) == ("application/json", {"job": "job_1"})


def test_a_report_that_is_there_already_stays_if_it_shall():
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="results")
        reports = S3ReportStore(Bucket(lambda: s3, "results", 60))
        failed = replace(RUNNING, id="job_0").failed(NOON, JobError("invalid_image", "No.", {}))
        for job, anew, wanted in ((DONE, False, DONE), (failed, False, DONE), (failed, True, failed)):
            reports.store(job, overwrite=anew)
            stored = s3.get_object(Bucket="results", Key="results/acct_1/dir/ü.jpg/result.json")
            assert json.loads(stored["Body"].read()) == report(wanted)


def test_a_bucket_that_is_away_is_told_so():
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    with mock_aws():
        s3 = client("s3")
        s3.meta.events.register("before-send.s3", fail)
        with pytest.raises(ServiceUnavailableError):
            S3ReportStore(Bucket(lambda: s3, "results", 60)).store(DONE)
