"""Images in the bucket, on moto."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from cutout.aws.s3.images import ImageChangedError, S3ImageStore
from cutout.errors import ImageTooLargeError, InvalidRequestError, MissingImageError, ServiceUnavailableError
from cutout.jobs.parts import JobSource, SourceKind
from local.cloud import client


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="uploads")
        yield s3


@pytest.fixture
def images(s3: Any) -> S3ImageStore:
    return S3ImageStore(lambda: s3)


def put(s3: Any, data: bytes, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = s3.put_object(Bucket="uploads", Key="uploads/a/ü 1.jpg", Body=data, **arguments)
    return answer


def source(**facts: str) -> JobSource:
    return JobSource(SourceKind.OBJECT, "uploads", "uploads/a/ü 1.jpg", **facts)


def test_an_image_comes_with_what_is_written_on_it(s3, images):
    etag = put(s3, b"12345", Metadata={"Format": "webp"}, Tagging="mask=true&x=1")["ETag"].strip('"')

    with images.open(source(etag=etag)) as image:
        assert (image.size_bytes, image.metadata) == (5, {"format": "webp"})
        assert image.tags() == {"mask": "true", "x": "1"}
        assert image.read(5) == b"12345"


def test_an_image_without_tags_is_not_asked_for_them(s3, images):
    put(s3, b"1")
    s3.meta.events.register("before-send.s3.GetObjectTagging", lambda **_: pytest.fail("asked"))

    with images.open(source()) as image:
        assert image.tags() == {}


def test_an_image_above_the_limit_is_refused_before_it_is_read(s3, images):
    put(s3, b"12345")

    with images.open(source()) as image:
        with pytest.raises(ImageTooLargeError):
            image.read(4)
        assert image.body.tell() == 0


def test_an_empty_object_is_read(s3, images):
    put(s3, b"")

    with images.open(source()) as image:
        assert image.read(4) == b""


def test_another_object_under_the_key_is_not_taken_for_the_one_that_is_meant(s3, images):
    etag = put(s3, b"old")["ETag"].strip('"')
    put(s3, b"new")

    with pytest.raises(ImageChangedError), images.open(source(etag=etag)):
        pass
    with images.open(source()) as image:
        assert image.read(9) == b"new"


def test_a_version_is_read_though_a_newer_one_is_there(s3, images):
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    old = put(s3, b"old", Tagging="mask=true")
    put(s3, b"new")

    with images.open(source(version=old["VersionId"], etag="stale")) as image:
        assert (image.read(9), image.tags()) == (b"old", {"mask": "true"})


def test_nothing_there_is_told(images):
    with pytest.raises(MissingImageError), images.open(source(etag="e")):
        pass


def failing(s3: Any, error: Exception) -> None:
    def fail(**_: object) -> None:
        raise error

    s3.meta.events.register("before-send.s3", fail)


def client_error(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (client_error("InvalidObjectState", 403), InvalidRequestError),
        (client_error("InvalidRequest", 400), InvalidRequestError),
        (client_error("NoSuchVersion", 404), MissingImageError),
        (client_error("PreconditionFailed", 412), ImageChangedError),
        (client_error("AccessDenied", 403), ServiceUnavailableError),
        (client_error("SlowDown", 503), ServiceUnavailableError),
        (EndpointConnectionError(endpoint_url="https://s3.invalid"), ServiceUnavailableError),
        (ReadTimeoutError(endpoint_url="https://s3.invalid"), ServiceUnavailableError),
    ],
    ids=repr,
)
def test_faults_are_told_apart(s3, images, error, raised):
    failing(s3, error)

    with pytest.raises(raised) as told, images.open(source()):
        pass
    assert told.value.__cause__ is error


def test_a_body_that_breaks_off_may_be_asked_for_again(s3, images, monkeypatch):
    put(s3, b"12345")

    def break_off(*_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://s3.invalid")

    with images.open(source()) as image:
        monkeypatch.setattr(image.body, "read", break_off)
        with pytest.raises(ServiceUnavailableError):
            image.read(5)
