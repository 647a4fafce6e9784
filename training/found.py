"""Photos without hand-made masks (the shards ``more-*.tar``), and the masks that teachers made of them.

A shard has ``SOURCE/0001.webp`` and perhaps ``SOURCE/0001.TEACHER.png``; a folder of masks that ``training.teachers``
fills has the latter too, under the same names, and those count before the shard's.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from training import shards

SHARDS = ("more-things", "more-living", "more-living-2", "more-openstax")
# Whole sources that are never trained on, of different kinds: portraits, groups, aircraft, robots, amber pieces,
# products, animals and flowers, people at sports. The first photos of each are what is scored.
HELD_OUT = (
    "owasp-people",
    "codefor-de",
    "aircraft-skyrise",
    "poppy-docs",
    "getty-ambers",
    "spree-demo2",
    "ubuntu-wallpapers",
    "coco-living",
)
SCORED = 24
EMPTY_SHARD = "more-empty"  # photos without a subject


@dataclass(frozen=True)
class Photo:
    """A photo, still encoded, and its masks (PNG) by teacher."""

    source: str
    number: int
    picture: bytes
    masks: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.source}/{self.number:04d}"

    def open(self) -> Image.Image:
        """The picture, mode RGB."""
        return Image.open(io.BytesIO(self.picture)).convert("RGB")

    def planes(self, folder: Path | None) -> dict[str, np.ndarray]:
        """The teachers' masks, float32 [H, W] in 0..1 at the photo's size; those in the folder count first."""
        size = Image.open(io.BytesIO(self.picture)).size
        files: dict[str, io.BytesIO | Path] = {name: io.BytesIO(png) for name, png in self.masks.items()}
        if folder:
            files |= {path.name.split(".")[1]: path for path in folder.glob(f"{self.name}.*.png")}
        opened = {name: Image.open(file).convert("L") for name, file in files.items()}
        return {
            name: np.asarray(mask.resize(size, Image.Resampling.BILINEAR), np.float32) / 255
            for name, mask in opened.items()
        }


def outlined(data: Path) -> Iterator[Photo]:
    """The photos outlined by hand that are kept out of training; teachers answer to them to be scored."""
    for source, items in shards.load(data, validation=True).photos.items():
        for item in items:
            yield Photo(source, item.number, item.picture)


def read(data: Path, shard: str, masks: Path | None = None) -> Iterator[Photo]:
    """Every photo of a shard in the order of its name.

    Args:
        data: Folder of the shards.
        shard: Name without ``.tar``.
        masks: Folder of further masks.

    Yields:
        Photos with all masks that there are.
    """
    with tarfile.open(data / f"{shard}.tar") as tar:
        files = {m.name: m for m in tar.getmembers() if m.isfile()}
        given: dict[str, dict[str, bytes]] = {}
        for name, member in files.items():
            if name.endswith(".png"):
                stem, teacher, _ = name.rsplit(".", 2)
                given.setdefault(stem, {})[teacher] = _content(tar, member)
        for name in sorted(n for n in files if n.endswith((".webp", ".jpg"))):
            stem = name.rpartition(".")[0]
            source, number = stem.split("/")
            further = masks.glob(f"{stem}.*.png") if masks else ()
            made = {path.name.split(".")[1]: path.read_bytes() for path in further}
            yield Photo(source, int(number), _content(tar, files[name]), given.get(stem, {}) | made)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    if stream is None:
        raise ValueError(f"{member.name} is not a file")
    return stream.read()
