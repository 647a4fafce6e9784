"""Whether this machine can build the stack, asked in a second and not found out after minutes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy import ROOT, DeployError

PYTHON = "python3.13"
"""The runtime of the zip functions; SAM's builder calls it by this name."""


def check_build_tools() -> None:
    """Run Python, its pip, and Docker, as ``sam build`` will.

    Raises:
        DeployError: One of them is missing or does not run; the message says how to get it.
    """
    found = list(_missing())
    if found:
        raise DeployError("\n".join(found))


def check_engine() -> None:
    """Run Docker alone, as ``docker build`` will.

    Raises:
        DeployError: No engine answers.
    """
    if (said := _engine_failure()) is not None:
        raise DeployError(f"No Docker engine answers ({said}). The container's image is built with it.")


def _engine_failure() -> str | None:
    return _failure("docker", "version", "--format", "{{.Server.Version}}")


def _missing() -> Iterator[str]:
    said = _failure(PYTHON, "-c", "import sys; raise SystemExit(sys.version_info[:2] != (3, 13))")
    if said is not None:
        real = _pyenv_folder()
        hint = f"PATH={real}:$PATH make build" if real else "uv python install 3.13, or your system's package"
        yield f"{PYTHON} does not run ({said}). SAM builds the zip functions with it: {hint}."
    elif (said := _failure(PYTHON, "-m", "pip", "--version")) is not None:
        yield f"{PYTHON} has no pip ({said}): {PYTHON} -m ensurepip."
    if (said := _engine_failure()) is not None:
        yield f"No Docker engine answers ({said}). SAM builds the model's image with it."


def _failure(*command: str) -> str | None:
    """Why a command fails, in its last line; None when it succeeds."""
    if shutil.which(command[0]) is None:
        return "it is not on the PATH"
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode == 0:
        return None
    lines = (result.stderr or result.stdout).strip().splitlines()
    return lines[0] if lines else f"exit status {result.returncode}"


def _pyenv_folder() -> Path | None:
    """Where pyenv keeps a Python 3.13 that its shim does not find."""
    root = os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    folders = sorted(Path(root).glob("versions/3.13*/bin"))
    return folders[-1] if folders else None
