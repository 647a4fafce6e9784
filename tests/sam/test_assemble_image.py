"""What the image's build makes of the installed packages and the models."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT

TOOL = ROOT / "tools/assemble_image.py"


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
        "botocore/data/partitions.json",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
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
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_never_runs_is_removed_and_the_rest_is_kept(task: Path, models: Path) -> None:
    assert assemble(task, models, "good").returncode == 0
    kept = {str(path.relative_to(task)) for path in task.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path for path in kept if not path.startswith(("cutout/", "models/"))} == {
        "numpy/array.py",
        "botocore/data/partitions.json",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
    }
    assert "cutout/errors.py" in kept


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
