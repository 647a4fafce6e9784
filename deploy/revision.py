"""A name for what a deployment makes of the functions that are called by an alias.

SAM publishes a version when this name changes, and only then: it hashes neither the values of parameters nor an image
of an unchanged tag. So everything that can change such a function goes into the name.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy import ROOT, DeployError

SOURCES = ("template.yaml", "functions", "layers/cutout")
"""What the template, the zip functions and their layer are made of."""


def revision(image_id: str, parameters: Mapping[str, str], root: Path = ROOT) -> str:
    """Name a state of the functions.

    Args:
        image_id: Docker's id of the image that ``sam build`` made.
        parameters: Every parameter of the template but ``Revision``, with the value that it will have.
        root: The repository.

    Returns:
        64 hexadecimal digits: the same for the same state, others for any other.
    """
    facts = {
        "image": image_id,
        "parameters": {name: value for name, value in sorted(parameters.items()) if name != "Revision"},
        "sources": {path.relative_to(root).as_posix(): _digest(path) for path in sorted(_files(root))},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def built_image_id(function: str = "RemoveBackgroundFunction", tag: str = "remove-background") -> str:
    """Ask Docker for the image that ``sam build`` made for a function.

    Raises:
        DeployError: There is none.
    """
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", f"{function.lower()}:{tag}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DeployError(
            f"There is no image {command[-1]}: run `make build` first. Docker says: {result.stderr.strip()}"
        )
    return result.stdout.strip()


def _files(root: Path) -> Iterable[Path]:
    for name in SOURCES:
        path = root / name
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        elif path.exists():
            yield path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
