"""The upload function in this process, with the true model and moto behind it: from messages to buckets and table."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cutout.aws.dynamodb import errors as retries
from cutout.container import Container
from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from local import ROOT
from local.resources import Template
from tests.functions.process_upload.upload_world import Broken, UploadWorld


@pytest.fixture(scope="module")
def segmenter() -> Any:
    """The model, once for all tests here."""
    models = ROOT / "models"
    model = load_manifest(models).select("")
    return OnnxSegmenter(model, models / model.file, 0)


@pytest.fixture(autouse=True)
def _fresh(cloud: Template, segmenter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is loaded once for all tests here."""
    monkeypatch.setattr(retries, "FIRST_WAIT_MS", 1)
    monkeypatch.setattr(Container, "segmenter", segmenter)


@pytest.fixture
def world(_fresh: None, cloud: Template) -> UploadWorld:
    return UploadWorld(cloud)


@pytest.fixture
def break_s3() -> Iterator[Callable[..., Broken]]:
    made: list[Broken] = []

    def make(operation: str, *, times: int = 1_000) -> Broken:
        made.append(Broken(operation, times))
        return made[-1]

    yield make
    for broken in made:
        broken.mend()
