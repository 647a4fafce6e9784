"""Presigned URLs and forms, made by boto3 as the functions make them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from local.template import ACCOUNT, REGION
from server.signatures import SignatureError, Signatures

ORIGIN = "http://localhost:8585"
SIGNATURES = Signatures("secret", ORIGIN)


def s3(secret: str = "secret"):
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return boto3.client(
        "s3",
        endpoint_url=ORIGIN,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=secret,
        aws_session_token="local",
        config=config,
    )


def url_of(operation: str = "get_object", key: str = "results/a/Kätzchen 1.png", secret: str = "secret"):
    return urlsplit(s3(secret).generate_presigned_url(operation, Params={"Bucket": "bucket", "Key": key}, ExpiresIn=60))


def form_of(**fields: str) -> dict[str, str]:
    made = s3().generate_presigned_post(
        "bucket",
        "uploads/a/b",
        Fields={"Content-Type": "image/jpeg"},
        Conditions=[["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 10]],
        ExpiresIn=60,
    )
    return {name.lower(): value for name, value in {**made["fields"], **fields}.items()}


@pytest.mark.parametrize(("operation", "method"), [("get_object", "GET"), ("put_object", "PUT")])
def test_a_presigned_url_is_good_for_its_own_request(operation, method):
    url = url_of(operation)
    SIGNATURES.check_url(method, url.path, url.query, {"host": "another.name"})


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("PUT", ("", "")),
        ("DELETE", ("", "")),
        ("GET", ("results/a", "results/b")),
        ("GET", ("/bucket/", "/other/")),
        ("GET", ("X-Amz-Expires=60", "X-Amz-Expires=999999")),
        ("GET", ("X-Amz-Signature=", "X-Amz-Signature=0")),
        ("GET", ("X-Amz-Signature=", "x=")),
        ("GET", ("X-Amz-Date=2", "X-Amz-Date=3")),
        ("GET", ("X-Amz-Date=", "y=")),
        ("GET", ("?", "?response-content-type=text%2Fhtml&")),
    ],
)
def test_a_url_is_good_for_nothing_else(method, change):
    url = urlsplit(url_of().geturl().replace(*change))
    with pytest.raises(SignatureError, match="not signed"):
        SIGNATURES.check_url(method, url.path, url.query, {})


def test_a_url_of_another_secret_or_of_no_signature_is_refused():
    url = url_of(secret="guess")
    for query in (url.query, ""):
        with pytest.raises(SignatureError):
            SIGNATURES.check_url("GET", url.path, query, {})


def test_a_url_ends_when_it_says():
    url = url_of()
    later = Signatures("secret", ORIGIN, lambda: datetime.now(UTC) + timedelta(seconds=62))
    with pytest.raises(SignatureError, match="expired"):
        later.check_url("GET", url.path, url.query, {})


def test_a_form_is_good_for_what_its_policy_allows():
    SIGNATURES.check_form("bucket", form_of(), 10)
    SIGNATURES.check_form("bucket", form_of(**{"Content-Type": "image/png"}), 1)


@pytest.mark.parametrize(
    ("fields", "bucket", "size"),
    [
        ({"key": "uploads/other/b"}, "bucket", 5),
        ({"Content-Type": "text/html"}, "bucket", 5),
        ({"x-amz-meta-format": "webp"}, "bucket", 5),
        ({"x-amz-signature": "0" * 64}, "bucket", 5),
        ({"policy": base64.b64encode(json.dumps({"conditions": []}).encode()).decode()}, "bucket", 5),
        ({"policy": ""}, "bucket", 5),
        ({"x-amz-date": ""}, "bucket", 5),
        ({}, "other", 5),
        ({}, "bucket", 0),
        ({}, "bucket", 11),
    ],
)
def test_a_form_is_good_for_nothing_else(fields, bucket, size):
    with pytest.raises(SignatureError):
        SIGNATURES.check_form(bucket, form_of(**fields), size)


def test_a_form_ends_when_it_says():
    later = Signatures("secret", ORIGIN, lambda: datetime.now(UTC) + timedelta(seconds=62))
    with pytest.raises(SignatureError, match="expired"):
        later.check_form("bucket", form_of(), 5)
