from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from cutout.api.request import Response
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.results import S3ResultStore
from cutout.errors import GoneError, ServiceUnavailableError
from cutout.imaging.spec import Box, Channels, CutoutResult, CutoutSpec, ImageFormat
from cutout.jobs.job import Job
from cutout.jobs.parts import JobError, JobOptions, JobSource, SourceKind


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="results")
        yield client


def store(client, limit: int, bucket: str = "results") -> S3ResultStore:
    return S3ResultStore(Bucket(lambda: client, bucket, 60), limit)


def test_an_answer_that_fits_is_left_alone(s3):
    answer = Response(200, "image/png", b"x" * 1000)
    assert store(s3, 10_000).deliver(answer, "results/a/r") is answer
    assert store(s3, 0).deliver(Response(200, "image/png", b"x" * 10**6), "k").status == 200
    assert s3.list_objects_v2(Bucket="results")["KeyCount"] == 0


def test_base64_counts_towards_the_limit(s3):
    limit = 20_000
    fits = Response(200, "image/png", b"x" * ((limit - 8_192) // 4 * 3))
    assert store(s3, limit).deliver(fits, "k").status == 200
    assert store(s3, limit).deliver(Response(200, "image/png", fits.body + b"x" * 3), "k").status == 303


@pytest.mark.parametrize(
    ("media_type", "ending", "told"), [("image/jpeg", "jpeg", ""), ("application/json", "json", '{"result_url": "%s"}')]
)
def test_a_large_answer_is_stored_and_redirected_to(s3, media_type, ending, told):
    answer = store(s3, 10_000).deliver(Response(200, media_type, b"x" * 10_000, {"x-model": "m"}), "results/a/r")
    assert (answer.status, answer.headers["x-model"]) == (303, "m")
    assert answer.body.decode() == told.replace("%s", answer.headers["location"])
    stored = s3.get_object(Bucket="results", Key=f"results/a/r.{ending}")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"x" * 10_000, media_type)
    assert f"results/a/r.{ending}?" in answer.headers["location"]


def test_a_bucket_that_is_away_is_a_503(s3):
    with pytest.raises(ServiceUnavailableError):
        store(s3, 10_000, "nowhere").deliver(Response(200, "image/png", b"x" * 10_000), "k")


NOW = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
JOB = Job.queued("job_1", "acct_1", JobOptions(CutoutSpec(format=ImageFormat.JPEG)), JobSource(SourceKind.REQUEST), NOW)
MADE = CutoutResult("image/jpeg", 3, 2, 6, 4, "m", {"decode": 1.5}, Box(1, 0, 2, 2), file=b"cutout")


def names(client) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket="results").get("Contents", [])]


def test_what_was_made_for_a_job_is_read_back_as_it_was(s3):
    kept = store(s3, 0).store(JOB, MADE)
    assert (kept.key, kept.bytes, kept.mask_key) == ("results/acct_1/job_1/cutout.jpg", 6, None)
    stored = s3.get_object(Bucket="results", Key=kept.key)
    assert (stored["Body"].read(), stored["ContentType"], stored["Metadata"]) == (
        b"cutout",
        "image/jpeg",
        {"job": "job_1"},
    )
    assert store(s3, 0).read(kept) == MADE


def test_a_mask_lies_beside_its_cutout(s3):
    kept = store(s3, 0).store(JOB, MADE, b"mask")
    assert kept.mask_key == "results/acct_1/job_1/mask.png"
    assert s3.get_object(Bucket="results", Key=kept.mask_key)["Body"].read() == b"mask"


def test_all_that_a_job_may_have_made_is_removed_and_nothing_of_another(s3):
    mask = replace(JOB, options=JobOptions(CutoutSpec(format=ImageFormat.JPEG, channels=Channels.ALPHA)))
    for job, made in ((JOB, MADE), (mask, replace(MADE, media_type="image/png"))):
        store(s3, 0).store(job, made, b"mask")
        s3.put_object(Bucket="results", Key="results/acct_1/job_1/result.json", Body=b"{}", Metadata={"job": "job_1"})
        s3.put_object(Bucket="results", Key="results/acct_1/job_10/cutout.jpg", Body=b"x", Metadata={"job": "job_10"})
        store(s3, 0).remove(job)
        store(s3, 0).remove(job)
        assert names(s3) == ["results/acct_1/job_10/cutout.jpg"]


def test_the_report_of_an_end_that_is_reported_stays_until_its_owner_drops_the_job(s3):
    failed = JOB.started(NOW, 60).failed(NOW, JobError("invalid_image", "No.", {}))
    store(s3, 0).store(JOB, MADE, b"mask")
    s3.put_object(Bucket="results", Key="results/acct_1/job_1/result.json", Body=b"{}", Metadata={"job": "job_1"})
    store(s3, 0).remove(failed)
    assert names(s3) == ["results/acct_1/job_1/result.json"]
    store(s3, 0).remove(failed.forgotten(NOW))
    assert names(s3) == []


def test_what_another_job_writes_in_the_moment_of_a_removal_stays(s3):
    kept = store(s3, 0).store(JOB, MADE)

    def overwrite(**_: object) -> None:
        s3.put_object(Bucket="results", Key=kept.key, Body=b"newer", Metadata={"job": "job_2"})

    s3.meta.events.register("before-call.s3.DeleteObject", overwrite)
    store(s3, 0).remove(JOB)
    assert s3.get_object(Bucket="results", Key=kept.key)["Body"].read() == b"newer"


def test_a_result_that_is_not_there_any_more_is_gone(s3):
    kept = store(s3, 0).store(JOB, MADE)
    store(s3, 0).remove(JOB)
    with pytest.raises(GoneError, match="24 hours"):
        store(s3, 0).read(kept)


def test_links_say_until_when_they_work(s3):
    links = S3ResultStore(Bucket(lambda: s3, "results", 60, lambda: NOW), 0).links()
    assert links.until.isoformat() == "2026-11-21T03:05:05+00:00"
    assert "results/acct_1/job_1/cutout.jpg?" in links.url("results/acct_1/job_1/cutout.jpg")


def test_a_bucket_that_is_away_keeps_gives_and_removes_nothing(s3):
    away = store(s3, 0, "nowhere")
    kept = store(s3, 0).store(JOB, MADE)
    for call in (lambda: away.store(JOB, MADE), lambda: away.read(kept)):
        with pytest.raises(ServiceUnavailableError):
            call()
