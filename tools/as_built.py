"""What is deployed, built here without SAM and Docker.

The layer by its Makefile, the image's folder by the same steps as the Dockerfile's.
"""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from local.resources import Function

_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--target")
_RUNTIME = ("awslambdaric", "runtime_client*.so", "simplejson", "snapshot_restore_py")
_SOURCE_ONLY = shutil.ignore_patterns("__pycache__")


class Build:
    """The artifacts of one checkout.

    Args:
        checkout: The repository's root, of this or another revision.
        folder: Where the artifacts go; the folder is made.
        python: A Python 3.13, which is also found as ``python3.13`` beside itself.
    """

    def __init__(self, checkout: Path, folder: Path, python: Path) -> None:
        self.checkout, self._folder, self._python = checkout, folder, python
        self._runtime, self._layer, self._image = folder / "runtime", folder / "layer", folder / "image"

    def make(self) -> None:
        """Build the layer, the image's folder, and of it what Lambda brings for zips. Raises CalledProcessError."""
        self._runtime.mkdir(parents=True)
        lock = self.checkout / "requirements/image.txt"
        target = f"ARTIFACTS_DIR={self._layer}"
        path = os.pathsep.join((str(self._python.parent), os.environ["PATH"]))
        command = ["make", "--silent", "-C", str(self.checkout / "layers/cutout"), target, "build-CutoutLayer"]
        subprocess.run(command, env={**os.environ, "PATH": path}, check=True)  # noqa: S603 - our own
        self._run(*_PIP, self._image, "--no-compile", "--require-hashes", "--only-binary=:all:", "--requirement", lock)
        for part, place in {"layers/cutout/cutout": "cutout", "functions": "functions"}.items():
            shutil.copytree(self.checkout / part, self._image / place, ignore=_SOURCE_ONLY)
        tool, models = self.checkout / "tools/assemble_image.py", self.checkout / "models"
        self._run(tool, "--task", self._image, "--models", models, "--model", "cutout-s")
        for brought in (found for name in _RUNTIME for found in self._image.glob(name)):
            copy = shutil.copytree if brought.is_dir() else shutil.copy
            copy(brought, self._runtime / brought.name)

    def function(self, declared: Function) -> Function:
        """Give a function of the template as it is after the build: its code, layers and variables."""
        if declared.package == "Image":
            variables = {**declared.environment, "CUTOUT_MODELS_DIR": str(self._image / "models")}
            return replace(declared, folder=self._image, layers=(self._image,), environment=variables)
        code = self._folder / declared.folder.name
        if not code.exists():
            shutil.copytree(self.checkout / "functions" / code.name, code, ignore=_SOURCE_ONLY)
        return replace(declared, folder=code, layers=(code, self._layer / "python", self._runtime))

    def _run(self, *arguments: str | Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(self.checkout / "layers/cutout")}
        subprocess.run([self._python, *arguments], env=environment, check=True)  # noqa: S603 - our own
