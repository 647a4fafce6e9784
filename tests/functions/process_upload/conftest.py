"""The upload function in this process, with the true model and moto behind it: from messages to buckets and table."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from cutout.aws import clients
from cutout.aws.dynamodb import errors as retries
from cutout.container import Container, container
from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from local import ROOT
from local.cloud import create_cloud, seed_account
from local.resources import Template
from tests.conftest import forget_clouds
from tests.functions.process_upload.upload_desk import AccountContext, Broken


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
    """Nothing is kept from another test but model and clients, nor S3's test event from the making of the cloud."""
    for function in clouds.functions.values():
        for name, value in function.environment.items():
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    monkeypatch.setattr(Container, "segmenter", segmenter)
    forget_clouds()
    empty(clouds)
    seed_account(clouds.tables["AccountsTable"].name, "local-development-key")
    yield
    forget_clouds()


def empty(cloud: Template) -> None:
    """Remove all that a test has left in tables, buckets and queues."""
    dynamodb, s3, sqs = clients.dynamodb_client(), clients.s3_client(), clients.sqs_client()
    for table in cloud.tables.values():
        names = [key["AttributeName"] for key in table.key_schema]
        for item in dynamodb.scan(TableName=table.name)["Items"]:
            dynamodb.delete_item(TableName=table.name, Key={name: item[name] for name in names})
    for bucket in cloud.buckets.values():
        for item in s3.list_objects_v2(Bucket=bucket.name).get("Contents", []):
            s3.delete_object(Bucket=bucket.name, Key=item["Key"])
    for url in (container().settings.jobs_queue_url, container().settings.webhooks_queue_url):
        sqs.delete_queue(QueueUrl=url)
        sqs.create_queue(QueueName=url.rpartition("/")[2])


@pytest.fixture
def desk(_fresh: None, clouds: Template) -> AccountContext:
    return AccountContext(clouds)


@pytest.fixture
def break_s3() -> Iterator[Callable[..., Broken]]:
    made: list[Broken] = []

    def make(operation: str, *, times: int = 1_000) -> Broken:
        made.append(Broken(operation, times))
        return made[-1]

    yield make
    for broken in made:
        broken.mend()
