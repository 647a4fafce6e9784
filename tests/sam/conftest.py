"""`sam build` and `sam local invoke` with a real Docker engine, and a moto server that containers can reach.

Skipped, with the reason, where Docker, the base image or Python 3.13 is missing; with CUTOUT_REQUIRE_DOCKER=1 (as in
.ci/run) that is a failure. The base image is AWS's, or the stand-in that tests/sam/base_image.sh makes.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from local import ROOT
from local.resources import Template
from tools.sam_local import SAM, SamLocal, aws_for_containers, sam_environment

BASE_IMAGE = "public.ecr.aws/lambda/python:3.13"


def unavailable(reason: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("CUTOUT_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)


def _answers(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _python_folder() -> Path | None:
    """Where a python3.13 that runs is: on the PATH, or among pyenv's."""
    if _answers("python3.13", "-c", ""):
        return Path(shutil.which("python3.13") or "").parent
    pyenv = shutil.which("pyenv")
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout.strip() if pyenv else ""
    folders = sorted(Path(root).glob("versions/3.13*/bin")) if root else []
    return folders[-1] if folders else None


@dataclass(frozen=True, slots=True)
class Sam:
    """aws-sam-cli, run in the repository."""

    environment: dict[str, str]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a sam command to its end; stdout is the function's answer, stderr the rest."""
        return subprocess.run(
            [SAM, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="session")
def sam() -> Sam:
    """aws-sam-cli where all it needs is there."""
    if not _answers("docker", "version"):
        unavailable("no Docker engine answers")
    if not _answers("docker", "image", "inspect", BASE_IMAGE):
        unavailable(f"{BASE_IMAGE} is missing: docker pull it, or make a stand-in with tests/sam/base_image.sh")
    if not SAM.exists():
        unavailable("aws-sam-cli is not installed: make .venv-sam/sam.stamp")
    folder = _python_folder()
    if folder is None:
        unavailable("`sam build` wants python3.13 on the PATH")
    return Sam({**sam_environment(), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})


@pytest.fixture(scope="session")
def built(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what `sam build` made of the whole template."""
    folder = tmp_path_factory.mktemp("build")
    result = sam.run("build", "--skip-pull-image", "--build-dir", folder, "--cache-dir", folder / "cache")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="session")
def moto_url(sam: Sam, template: Template) -> Iterator[str]:
    """The address at which a container finds a moto server with the template's tables, buckets and account."""
    with aws_for_containers(template) as url:
        yield url


@pytest.fixture(scope="session")
def invoke(sam: Sam, built: Path, moto_url: str, template: Template) -> Callable[[str, str], dict[str, Any]]:
    """`sam local invoke FUNCTION -e events/NAME.json`: the function's answer."""
    sam_local = SamLocal(built, template, moto_url, sam.environment)
    return lambda function, event: sam_local.invoke(function, ROOT / "events" / f"{event}.json")
