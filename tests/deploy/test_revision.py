"""What is behind the alias changes when, and only when, something of the function changes."""

import copy
import shutil
import subprocess

import pytest

from deploy import DeployError
from deploy import revision as module
from deploy.parameters import declared, resolve
from deploy.revision import built_image_id, revision
from local import ROOT
from tests.template.conftest import translate

OTHER_VALUES = {
    "RemoveMemory": "4096",
    "RemoveTimeout": "20",
    "LegacyKeys": "true",
    "OpenAccount": "acct_open",
    "PublicUrl": "https://api.example.com",
    "LogLevel": "DEBUG",
    "Tracing": "false",
    "Synchronous": "false",
    "MaxFrames": "9",
}


def versions(stack):
    return {name for name, item in stack["Resources"].items() if item["Type"] == "AWS::Lambda::Version"}


@pytest.fixture(scope="module")
def removal(document):
    """The template with the removal function alone, and nothing that calls it: SAM takes a second for all of it."""
    alone = copy.deepcopy(document)
    alone["Resources"] = {"RemoveBackgroundFunction": alone["Resources"]["RemoveBackgroundFunction"]}
    del alone["Resources"]["RemoveBackgroundFunction"]["Properties"]["Events"]
    return alone


def deployed(document, image, values):
    return versions(translate(document, {**values, "Revision": revision(image, values)}))


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_a_changed_parameter_publishes_a_version(name, removal):
    before = resolve(declared())
    after = resolve(declared(), {name: OTHER_VALUES[name]})
    assert deployed(removal, "sha256:1", before).isdisjoint(deployed(removal, "sha256:1", after))


def test_another_image_publishes_a_version_and_the_same_again_does_not(removal):
    values = resolve(declared())
    first = deployed(removal, "sha256:1", values)
    assert deployed(removal, "sha256:1", values) == first
    assert deployed(removal, "sha256:2", values).isdisjoint(first)


def test_a_changed_source_is_another_revision(tmp_path):
    shutil.copy(ROOT / "template.yaml", tmp_path)
    shutil.copytree(ROOT / "functions", tmp_path / "functions")
    before = revision("sha256:1", {}, tmp_path)
    (tmp_path / "functions/jobs/__pycache__").mkdir(exist_ok=True)
    (tmp_path / "functions/jobs/__pycache__/app.pyc").write_bytes(b"left behind by a run")
    assert revision("sha256:1", {}, tmp_path) == before
    (tmp_path / "functions/jobs/app.py").write_text("changed")
    assert revision("sha256:1", {}, tmp_path) != before


def test_without_a_built_image_the_way_to_build_it_is_told(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "No such image")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DeployError, match="make build"):
        built_image_id()
