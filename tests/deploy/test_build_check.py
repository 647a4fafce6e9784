"""A machine that cannot build is told so at once, and what to do."""

import os

import pytest

from deploy import DeployError, build_check
from deploy.build_check import check_build_tools

SHIM = '#!/bin/sh\necho "pyenv: python3.13: command not found" >&2\nexit 127\n'
PYTHON = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Writes commands into the only folder of the PATH that counts."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def write(**commands):
        for name, text in commands.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(text)
            path.chmod(0o755)

    return write


def test_a_machine_with_python_and_docker_can_build(tools):
    tools(python3_13=PYTHON, docker=PYTHON)
    check_build_tools()


def test_a_python_that_is_a_bare_shim_is_told_with_the_real_one(tools, tmp_path):
    tools(python3_13=SHIM, docker=PYTHON)
    (tmp_path / "pyenv/versions/3.13.0/bin").mkdir(parents=True)
    with pytest.raises(DeployError) as caught:
        check_build_tools()
    assert "command not found" in str(caught.value)
    assert f"PATH={tmp_path}/pyenv/versions/3.13.0/bin:$PATH make build" in str(caught.value)


def test_all_that_is_missing_is_told_at_once(tools, monkeypatch):
    monkeypatch.setattr(build_check.shutil, "which", lambda _: None)
    with pytest.raises(DeployError, match=r"python3.13 does not run[^\n]*\n[^\n]*No Docker engine"):
        check_build_tools()
