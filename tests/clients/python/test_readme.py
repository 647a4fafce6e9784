"""Every example of the Python client's README runs as it stands, block by block, against the whole service."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cutout_client.cli.app import app
from local import ROOT
from tests.dialects.pictures import astronaut, cat
from tests.support.local_service import Service

README = (ROOT / "clients" / "python" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|bash|toml)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PATH = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT / "layers" / "cutout"), *filter(None, sys.path)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the examples speak of: photo.jpg, photos/, and the command cutout."""
    (tmp_path / "photo.jpg").write_bytes(astronaut(200))
    (tmp_path / "photos").mkdir()
    for number in range(2):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(cat(80 + number, 50, "JPEG"))
    command = tmp_path / "bin" / "cutout"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom cutout_client.cli import main\nmain()\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return tmp_path


@pytest.mark.parametrize(("language", "text"), [block for block in BLOCKS if block[0] != "toml"])
def test_an_example_runs(service: Service, folder: Path, language: str, text: str) -> None:
    environment = {
        **os.environ, "CUTOUT_API_KEY": service.key, "CUTOUT_BASE_URL": service.url, "PYTHONPATH": PATH,
        "CUTOUT_CONFIG": str(folder / "none.toml"), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    command = (
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", text]
        if language == "python"
        else ["bash", "-euc", text]
    )
    before = set(folder.rglob("*"))
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" or language == "bash"
    for name in re.findall(r"""(?:save\("|-o |> )([\w-]+\.(?:png|jpg|webp))""", text):
        assert (folder / name).stat().st_size > 100, name
    assert set(folder.rglob("*")) - before or done.stdout or "def on_request" in text


def test_the_config_file_of_the_readme_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = [text for language, text in BLOCKS if language == "toml"]
    assert tomllib.loads(text)["remove"]["format"] == "webp"
    (folder / "config.toml").write_text(text)
    monkeypatch.setenv("CUTOUT_CONFIG", str(folder / "config.toml"))
    monkeypatch.chdir(folder)
    assert CliRunner().invoke(app, ["remove", "photo.jpg", "-o", "out", "--local"]).exit_code == 0
    assert (folder / "out" / "photo.webp").is_file()
