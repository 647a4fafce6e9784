"""What the image's build makes of the installed packages and the models."""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT

TOOL = ROOT / "tools/assemble_image.py"
SLIM = ROOT / "layers/cutout/slim.py"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A folder as pip and COPY leave it, in small."""
    task = tmp_path / "task"
    source = ROOT / "layers/cutout/cutout"
    shutil.copytree(source, task / "cutout", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "numpy/array.py",
        "numpy/array.pyi",
        "numpy/tests/test_array.py",
        "numpy/include/ndarray.h",
        "onnxruntime/transformers/optimizer.py",
        "bin/f2py",
    ):
        write(task / name)
    return task


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two models, the second of which is not the one that the manifest knows."""
    folder = tmp_path / "models"
    rows = (ROOT / "models/manifest.toml").read_text().split("[models.")
    row = next(row for row in rows if row.startswith("u2netp]")).split("\n", 1)[1]
    row = "\n".join(line for line in row.splitlines() if not line.startswith(("file", "sha256", "md5")))
    write(folder / "good.onnx", "good")
    write(folder / "bad.onnx", "not what it says")
    digest = hashlib.sha256(b"good").hexdigest()
    manifest = 'default = "good"\n'
    for name in ("good", "bad"):
        manifest += f'[models.{name}]\nfile = "{name}.onnx"\nsha256 = "{digest}"\nmd5 = ""\n{row}\n'
    write(folder / "manifest.toml", manifest)
    return folder


def assemble(task: Path, models: Path, model: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, TOOL, "--task", task, "--models", models, "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(SLIM.parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_never_runs_is_removed_and_the_rest_is_kept(task: Path, models: Path) -> None:
    assert assemble(task, models, "good").returncode == 0
    kept = {str(path.relative_to(task)) for path in task.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path for path in kept if not path.startswith(("cutout/", "models/"))} == {
        "numpy/array.py",
    }
    assert "cutout/errors.py" in kept


def test_what_is_kept_of_botocore_is_enough_for_tracing(task: Path, models: Path) -> None:
    """Outside Lambda X-Ray's SDK would ask botocore for a client of X-Ray, which is not kept."""
    for package in ("aws_lambda_powertools", "aws_xray_sdk", "botocore"):
        folder = Path(str(importlib.import_module(package).__file__)).parent
        shutil.copytree(folder, task / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert assemble(task, models, "good").returncode == 0
    code = "from aws_lambda_powertools import Tracer; Tracer(service='x'); import botocore; print(botocore.__file__)"
    lambdas = {"AWS_DEFAULT_REGION": "us-east-1", "LAMBDA_TASK_ROOT": str(task), "_X_AMZN_TRACE_ID": "Root=1;Sampled=0"}
    environment = {"PYTHONPATH": str(task), "PATH": os.environ["PATH"], **lambdas}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, cwd=task, capture_output=True, text=True, check=False)
    assert result.stdout.startswith(str(task)), result.stderr
    assert {path.name for path in (task / "botocore/data").glob("*/")} == {"dynamodb", "lambda", "s3", "sqs"}


def test_the_asked_model_alone_is_placed_with_its_manifest(task: Path, models: Path) -> None:
    assert assemble(task, models, "good").returncode == 0
    assert sorted(path.name for path in (task / "models").iterdir()) == ["good.onnx", "manifest.toml"]


def test_every_module_is_compiled_and_its_code_is_trusted_unchecked(task: Path, models: Path) -> None:
    assert assemble(task, models, "good").returncode == 0
    for source in task.rglob("*.py"):
        (code,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
        assert int.from_bytes(code.read_bytes()[4:8], "little") == 0b01, "PEP 552: hash-based, not checked"


@pytest.mark.parametrize(
    ("model", "reason"),
    [("bad", "The model file is not the one of the manifest."), ("nope", "no model 'nope' in the manifest")],
)
def test_a_model_that_is_not_what_the_manifest_says_ends_the_build(
    task: Path, models: Path, model: str, reason: str
) -> None:
    result = assemble(task, models, model)
    assert result.returncode != 0
    assert reason in result.stderr
    assert not (task / "models").exists()
