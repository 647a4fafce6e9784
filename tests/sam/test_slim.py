"""What is left of installed packages in the layer and in the image."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slim import slim, without_prose

CALLS = """
import json, sys
from botocore.session import Session
session = Session()
answer = {}
for service, region in json.loads(sys.argv[1]):
    client = session.create_client(service, region_name=region)
    model = client.meta.service_model
    context = [parameter.name for parameter in model.client_context_parameters]
    operations = {name: model.operation_model(name).context_parameters for name in sorted(model.operation_names)}
    asked = {name: [parameter.name for parameter in parameters] for name, parameters in operations.items()}
    answer[f"{service} {region}"] = [client.meta.endpoint_url, model.api_version, context, asked]
print(json.dumps(answer))
"""
CLIENTS = [
    (service, region)
    for service in ("dynamodb", "lambda", "s3", "sqs")
    for region in ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore and what it needs, as installed and then made lean."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("botocore", "dateutil", "jmespath", "urllib3"):
        package = Path(str(importlib.import_module(name).__file__)).parent
        shutil.copytree(package, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(importlib.import_module("six").__file__), folder)
    slim(folder)
    return folder


def clients(path: Path | None) -> dict[str, Any]:
    """Say of each client where it calls, by which version of the API, and what it can call."""
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", CALLS, json.dumps(CLIENTS)]
    done = subprocess.run(
        command,
        env=environment | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_clients_call_the_same_places_by_the_same_operations(packages: Path) -> None:
    assert clients(packages) == clients(None)


def test_only_the_latest_description_of_what_is_called_is_left_without_its_prose(packages: Path) -> None:
    data = packages / "botocore/data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == {"dynamodb", "lambda", "s3", "sqs"}
    assert len(list(data.glob("*/*/service-2.json"))) == 4
    assert not list(data.rglob("*.gz"))
    assert sum(file.stat().st_size for file in data.rglob("*")) < 1_500_000


def test_a_client_has_no_documentation_and_does_not_import_what_would_write_it(packages: Path) -> None:
    program = (
        "import json, sys; from botocore.session import Session\n"
        "client = Session().create_client('s3', region_name='eu-central-1')\n"
        "docs = [client.get_object.__doc__, client.get_paginator('list_objects_v2').paginate.__doc__]\n"
        "print(json.dumps([docs, sorted(name for name in sys.modules if name.startswith('botocore.docs'))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(packages)}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [["", ""], ["botocore.docs", "botocore.docs.docstring", "botocore.docs.utils"]]


def test_a_member_by_the_name_of_documentation_is_kept() -> None:
    described = {"documentation": "prose", "members": {"documentation": {"shape": "Text", "documentation": "prose"}}}
    left = {"documentation": "", "members": {"documentation": {"shape": "Text", "documentation": ""}}}
    assert without_prose([described]) == [left]


def test_every_module_has_byte_code_that_is_trusted_unchecked(packages: Path) -> None:
    sources = list(packages.rglob("*.py"))
    assert len(sources) > 100
    for source in sources:
        (code,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
        assert int.from_bytes(code.read_bytes()[4:8], "little") == 0b01, "PEP 552: hash-based, not checked"
