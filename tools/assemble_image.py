"""Make the folder that becomes /var/task of the inference image: lean, compiled, with one verified model.

Runs inside the image's build, on nothing but Python and the folder itself.
"""

import argparse
import compileall
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

AWS_SERVICES = frozenset({"dynamodb", "s3", "sqs"})
"""What the image's functions call; botocore carries descriptions of some 400 services more."""
UNUSED = ("bin", "onnxruntime/quantization", "onnxruntime/tools", "onnxruntime/transformers")
"""Scripts and model-making code, which no function imports."""
UNUSED_ANYWHERE = frozenset({"tests", "__pycache__"})
UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".h", ".c", ".cpp"})


def main() -> None:
    """Read the command line and do the three steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", type=Path, required=True, help="folder with the installed packages and our code")
    parser.add_argument("--models", type=Path, required=True, help="folder of manifest.toml and the model files")
    parser.add_argument("--model", required=True, help="row of the manifest")
    arguments = parser.parse_args()
    strip(arguments.task)
    place_model(arguments.task, arguments.models, arguments.model)
    compile_all(arguments.task)


def strip(task: Path) -> None:
    """Remove what never runs in the image."""
    for path in list(unused(task)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # gone with its folder already


def unused(task: Path) -> Iterator[Path]:
    """Folders and files of ``task`` that can go."""
    yield from (task / name for name in UNUSED)
    yield from (path for path in (task / "botocore/data").glob("*/") if path.name not in AWS_SERVICES)
    for path in task.rglob("*"):
        if path.name in UNUSED_ANYWHERE or path.suffix in UNUSED_SUFFIXES:
            yield path


def place_model(task: Path, models: Path, name: str) -> None:
    """Copy the manifest and the one model, whose checksum must be that of its row."""
    sys.path.insert(0, str(task))
    from cutout.imaging.models.manifest import load_manifest, verify  # noqa: PLC0415 - it lies in the folder that is made

    model = load_manifest(models).select(name)
    verify(model, models / model.file)
    (task / "models").mkdir()
    for file in ("manifest.toml", model.file):
        shutil.copy(models / file, task / "models")


def compile_all(task: Path) -> None:
    """Compile every module; the byte code is trusted without a look at its source, whose dates a copy may change."""
    mode = PycInvalidationMode.UNCHECKED_HASH  # by force: what was imported above has byte code of the other kind
    if not compileall.compile_dir(task, quiet=1, workers=0, force=True, invalidation_mode=mode):
        raise SystemExit("a module does not compile")


if __name__ == "__main__":
    main()
