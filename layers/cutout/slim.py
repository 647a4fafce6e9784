"""Make a folder of installed packages lean and compiled: the layer's, and the image's (``tools/assemble_image.py``).

    python3.13 slim.py FOLDER

Lambda mounts code read-only, so what is not compiled here is compiled again at every cold start.
"""

import compileall
import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

SERVICES = frozenset({"dynamodb", "lambda", "s3", "sqs"})
"""What the functions call; botocore carries descriptions of some 400 services more."""
UNUSED = ("bin", "onnxruntime/quantization", "onnxruntime/tools", "onnxruntime/transformers")
"""Scripts and model-making code, which no function imports."""
UNUSED_ANYWHERE = frozenset({"tests", "__pycache__"})
UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".h", ".c", ".cpp"})


def slim(folder: Path) -> None:
    """Do all steps.

    Args:
        folder: What is on the import path.

    Raises:
        SystemExit: A module does not compile.
    """
    strip(folder)
    if (folder / "botocore").is_dir():
        shorten(folder / "botocore/data")
        leave_undocumented(folder / "botocore/docs")
    compile_all(folder)


def strip(folder: Path) -> None:
    """Remove what never runs in a function."""
    for path in list(_unused(folder)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # gone with its folder already


def _unused(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in UNUSED)
    for path in folder.rglob("*"):
        if path.name in UNUSED_ANYWHERE or path.suffix in UNUSED_SUFFIXES:
            yield path


def shorten(data: Path) -> None:
    """Keep of botocore's data what is called, and of that what is read: its parsing is part of every cold start."""
    for service in (path for path in data.iterdir() if path.is_dir()):
        versions = sorted(service.iterdir()) if service.name in SERVICES else []
        for version in versions[:-1]:
            shutil.rmtree(version)  # botocore takes the latest
        if not versions:
            shutil.rmtree(service)
    for file in data.glob("*/*/examples-1.json*"):
        file.unlink()
    for packed in data.glob("*/*/*.json.gz"):
        description = without_prose(json.loads(gzip.decompress(packed.read_bytes())))
        packed.with_suffix("").write_text(json.dumps(description, separators=(",", ":")))
        packed.unlink()
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: of for name, of in partition["services"].items() if name in SERVICES}
    (data / "endpoints.json").write_text(json.dumps(endpoints, separators=(",", ":")))


def without_prose(part: Any) -> Any:
    """Copy a part of a service's description with empty documentation, which botocore looks up in some parts.

    A member of that name is no text and stays.
    """
    if isinstance(part, list):
        return [without_prose(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: "" if name == "documentation" and isinstance(each, str) else without_prose(each)
        for name, each in part.items()
    }


def leave_undocumented(docs: Path) -> None:
    """Replace the generator of the clients' docstrings, which every client imports, by empty docstrings."""
    (docs / "__init__.py").write_text("")
    classes = ("ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring")
    empty = "class {}(str):\n    def __new__(cls, *_, **__):\n        return super().__new__(cls)\n"
    (docs / "docstring.py").write_text("\n\n".join(map(empty.format, classes)))


def compile_all(folder: Path) -> None:
    """Compile every module; the byte code is trusted without a look at its source, whose dates a copy may change.

    Args:
        folder: What is on the import path.

    Raises:
        SystemExit: A module does not compile.
    """
    mode = PycInvalidationMode.UNCHECKED_HASH  # by force: what was imported before has byte code of the other kind
    if not compileall.compile_dir(folder, quiet=1, workers=0, force=True, invalidation_mode=mode):
        raise SystemExit("a module does not compile")


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
