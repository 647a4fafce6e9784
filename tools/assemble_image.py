"""Make the folder that becomes /var/task of the inference image: lean, compiled, with one verified model.

Runs inside the image's build, on nothing but Python, the folder itself and ``slim.py`` of the layer.
"""

import argparse
import shutil
import sys
from pathlib import Path

from slim import slim  # lies beside this file in the image's build, in layers/cutout elsewhere


def main() -> None:
    """Read the command line and do both steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", type=Path, required=True, help="folder with the installed packages and our code")
    parser.add_argument("--models", type=Path, required=True, help="folder of manifest.toml and the model files")
    parser.add_argument("--model", required=True, help="row of the manifest")
    arguments = parser.parse_args()
    place_model(arguments.task, arguments.models, arguments.model)
    slim(arguments.task)


def place_model(task: Path, models: Path, name: str) -> None:
    """Copy the manifest and the one model, whose checksum must be that of its row."""
    sys.path.insert(0, str(task))
    from cutout.imaging.models.manifest import load_manifest, verify  # noqa: PLC0415 - it lies in the folder that is made

    model = load_manifest(models).select(name)
    verify(model, models / model.file)
    (task / "models").mkdir()
    for file in ("manifest.toml", model.file):
        shutil.copy(models / file, task / "models")


if __name__ == "__main__":
    main()
