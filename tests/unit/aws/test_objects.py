import boto3
import pytest
from moto import mock_aws

from cutout.api.request import Response
from cutout.aws.objects import ResultStore
from cutout.errors import ServiceUnavailableError


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="results")
        yield client


def store(client, limit: int, bucket: str = "results") -> ResultStore:
    return ResultStore(lambda: client, bucket, inline_limit_bytes=limit, url_s=60)


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


@pytest.mark.parametrize(("media_type", "ending"), [("image/jpeg", "jpeg"), ("application/json", "json")])
def test_a_large_answer_is_stored_and_redirected_to(s3, media_type, ending):
    answer = store(s3, 10_000).deliver(Response(200, media_type, b"x" * 10_000, {"x-model": "m"}), "results/a/r")
    assert (answer.status, answer.body, answer.headers["x-model"]) == (303, b"", "m")
    stored = s3.get_object(Bucket="results", Key=f"results/a/r.{ending}")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"x" * 10_000, media_type)
    assert f"results/a/r.{ending}?" in answer.headers["location"]


def test_a_bucket_that_is_away_is_a_503(s3):
    with pytest.raises(ServiceUnavailableError):
        store(s3, 10_000, "nowhere").deliver(Response(200, "image/png", b"x" * 10_000), "k")
