"""The examples of the README work as pasted, but for the port."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from local import ROOT

_README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(bash|python|javascript)\n(.*?)^```", _README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    """An empty folder with the README's photos where it says they are."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    return tmp_path


def run(command: list[str], language: str, name: str, folder, service, *, number: int = 0) -> None:
    block = [text for found, text in BLOCKS if found == language][number]
    (folder / name).write_text(block.replace("http://127.0.0.1:8585", service.url))
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run([*command, name], cwd=folder, env=environment, check=True, timeout=60)


def test_the_curl_example_makes_a_cutout_of_the_photos_size(folder, service):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    run(["bash", "-e"], "bash", "example.sh", folder, service)
    with Image.open(folder / "chelsea.png") as cutout:
        assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (451, 300))
        assert cutout.getextrema()[3] == (0, 255)


def test_the_python_example_makes_a_cropped_webp_on_white(folder, service):
    run([sys.executable], "python", "example.py", folder, service)
    with Image.open(folder / "astronaut.webp") as cutout:
        assert (cutout.format, cutout.mode) == ("WEBP", "RGB")
        assert cutout.width <= 512


def test_the_example_of_a_job_makes_a_webp(folder, service):
    run([sys.executable], "python", "job.py", folder, service, number=1)
    with Image.open(folder / "rocket.webp") as cutout, Image.open(ROOT / "docs" / "images" / "rocket.jpg") as photo:
        assert (cutout.format, cutout.mode, cutout.size) == ("WEBP", "RGBA", photo.size)


def test_the_node_example_makes_a_mask(folder, service):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    run(["node"], "javascript", "example.mjs", folder, service)
    with Image.open(folder / "coffee-mask.png") as mask:
        assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (600, 400))
