"""The two distributions of the Python client: what is in their wheels, and that these alone make a cutout offline."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cutout_client import __version__
from local import ROOT
from tests.dialects.pictures import astronaut

CLIENT = ROOT / "clients" / "python"
NO_NETWORK = """
import socket
def refuse(*_):
    raise OSError("there is no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both wheels, by the name of their distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (CLIENT, CLIENT / "local"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    return {path.name.partition("-")[0]: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def site(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels installed, where there is no network."""
    folder = tmp_path_factory.mktemp("site")
    for wheel in wheels.values():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    (folder / "sitecustomize.py").write_text(NO_NETWORK)
    return folder


def test_the_wheels_hold_what_they_should_and_nothing_else(wheels: dict[str, Path]) -> None:
    assert set(wheels) == {"cutout_client", "cutout_local"}
    client, local = (set(zipfile.ZipFile(wheels[name]).namelist()) for name in ("cutout_client", "cutout_local"))
    assert {"cutout_client/py.typed", "cutout_client/cli/app.py"} <= client
    assert {name.partition("/")[0] for name in client} == {"cutout_client", f"cutout_client-{__version__}.dist-info"}
    assert {"cutout/imaging/pipeline.py", "cutout_local/models/cutout-s.onnx", "cutout_local/LICENSE"} <= local
    assert not [name for name in client | local if "__pycache__" in name or name.startswith("tests")]
    assert wheels["cutout_client"].stat().st_size < 150_000


def test_a_cutout_needs_the_wheels_alone_and_no_network(site: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(astronaut(120))
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(site), *libraries]),
        "HOME": str(tmp_path),
    }
    main = "from cutout_client.cli import main; main()"
    probe = "import cutout, cutout_client; print(cutout.__file__, cutout_client.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert [Path(path).is_relative_to(site) for path in found.stdout.split()] == [True, True]
    done = subprocess.run(
        [sys.executable, "-c", main, "remove", "photo.jpg", "--local"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "photo-cutout.png").read_bytes().startswith(b"\x89PNG")
