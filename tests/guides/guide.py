"""A guide as a reader follows it: its blocks in their order, in a folder with photos, against a running service."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from local import ROOT
from tests.dialects.pictures import astronaut, cat, opened
from tests.support.local_service import Service
from tests.support.node_packages import node

DOCS = ROOT / "docs"
START, INTEGRATIONS = DOCS / "guides" / "start", DOCS / "guides" / "integrations"
MINUTES = START / "first-five-minutes.md"
"""A transcript; its console blocks are typed by test_first_minutes.py."""
GUIDES = sorted([DOCS / "index.md", *(DOCS / "guides").rglob("*.md")])
RUN = ("bash", "python", "js")
WRITTEN = ("js", "jsx", "json", "php", "python", "toml")
_BLOCK = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. title: the file that it is written to; without one it is run, or for ``console`` looked at."""

    language: str
    title: str
    text: str


def blocks(guide: Path) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(guide.read_text(encoding="utf-8"))]


class Reader:
    """Someone who follows guides in a folder of their own.

    Args:
        folder: Where they work: photo.jpg, notes.txt, photos/, and the command cutout on the path.
        service: Where ``make run`` is.
        places: What stands in the guides for places that a test has elsewhere, and where those are.
    """

    def __init__(self, folder: Path, service: Service, places: Mapping[str, str]) -> None:
        self.folder = folder
        self._places = places
        self.environment = {
            **os.environ, "CUTOUT_API_KEY": service.key, "CUTOUT_BASE_URL": service.url,
            "CUTOUT_CONFIG": str(folder / "none.toml"), "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(
                [str(ROOT), str(ROOT / "clients" / "python"), str(ROOT / "layers" / "cutout"), *filter(None, sys.path)]
            ),
        }  # fmt: skip
        (folder / "photo.jpg").write_bytes(astronaut(160))
        (folder / "notes.txt").write_text("no image")
        (folder / "photos").mkdir()
        for number in range(2):
            (folder / "photos" / f"{number}.jpg").write_bytes(cat(90 + number, 60, "JPEG"))
        (folder / ".local").mkdir()
        (folder / ".local" / "endpoints.json").write_text(json.dumps(service.endpoints))
        command = folder / "bin" / "cutout"
        command.parent.mkdir()
        command.write_text(f"#!{sys.executable}\nfrom cutout_client.cli import main\nmain()\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)

    def follow(self, guide: Path) -> str:
        """Write and run all blocks of a guide; return what they print."""
        return "".join(self._do(block) for block in blocks(guide) if block.language != "console")

    def write(self, name: str, text: str) -> Path:
        """Write a file of a guide, with the places as they are here."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.here(text), encoding="utf-8")
        return path

    def run(self, *command: str, text: str = "") -> str:
        """What a command prints; it has to end well."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, input=text, capture_output=True, text=True, check=False,
            timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)[:2000]}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def here(self, text: str) -> str:
        for place, here in self._places.items():
            text = text.replace(place, here)
        return text

    def _do(self, block: Block) -> str:
        if block.title:
            self.write(block.title, block.text)
            return ""
        text = self.here(block.text)
        if block.language == "js":
            return self.run(node(), str(self.write("example.mjs", text)))
        if block.language == "python":
            return self.run(sys.executable, "-W", "ignore::ResourceWarning", "-c", text)
        return self.run("bash", "-euc", text)


def picture(reader: Reader, name: str) -> Image.Image:
    return opened((reader.folder / name).read_bytes())


def is_cutout(found: Image.Image) -> bool:
    """Some of it is there, and some of it is not."""
    alpha = np.asarray(found.convert("RGBA"))[..., 3]
    return bool(alpha.max() == 255 and alpha.min() == 0)
