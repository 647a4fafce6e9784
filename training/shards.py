"""Reading the training shards and splitting them into train and validation.

A shard is a plain tar of ``SOURCE/0001.jpg`` with ``SOURCE/0001.png`` (photo and mask),
``SOURCE/0001.webp`` (cutout with alpha) or ``SOURCE/0001.jpg`` alone (background). Files are kept
encoded in memory, about 150 MB in all, and decoded for each sample.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

PHOTO_SHARDS = ("photos-people", "photos-cats", "photos-pets-animals", "photos-objects")
CUTOUT_SHARD = "foregrounds-alpha"
BACKGROUND_SHARD = "backgrounds"

VALIDATION_PERCENT = 6
# Views of one object, and photos of one place, have neighbouring numbers: a whole block goes to one
# side. Blocks are as long as the views of one object (8 in objects-ycb, 6 in furniture-house).
BLOCK = 8
BLOCKS = {"furniture-house": 6}
# Backgrounds that were cut from people-ccp, cats and pets go where their photo goes. Their names do not say which that
# is; normalised correlation with every validation photo at all scales does (0.98 and more for most true pairs), and so
# does their order, which is that of the photos. A correlation from 0.93 (0.90 in pets) counts, doubtful ones included.
CUT_FROM_VALIDATION = {
    "bg-street-crops": frozenset(
        [*range(49, 58), *range(107, 116), *range(144, 149), *range(219, 227), *range(280, 287), *range(321, 326)]
        + [6, 18, 42, 62, 72, 87, 104, 118, 122, 135, 138, 155, 174, 176, 188, 206, 246, 254, 306, 311, 312, 318, 328]
        + [338, 349]
    ),
    "bg-cats-crops": frozenset((9, 20, 21, 71, 76, 77, 177, 180, 190, 194, 248, 332)),
    "bg-pets-crops": frozenset((16, 32, 33, 39, 82, 83, 84)),
}


@dataclass(frozen=True)
class Item:
    """One picture, still encoded. ``mask`` is None for cutouts (alpha inside) and backgrounds."""

    source: str
    number: int
    picture: bytes
    mask: bytes | None

    @property
    def name(self) -> str:
        return f"{self.source}/{self.number:04d}"

    def open(self) -> tuple[Image.Image, Image.Image]:
        """The picture (mode RGB) and its alpha (mode L, same size; black for a background)."""
        picture: Image.Image = Image.open(io.BytesIO(self.picture))
        if self.mask is not None:
            return picture.convert("RGB"), Image.open(io.BytesIO(self.mask)).convert("L")
        if picture.mode == "RGBA":
            return picture.convert("RGB"), picture.getchannel("A")
        return picture.convert("RGB"), Image.new("L", picture.size, 0)


@dataclass(frozen=True)
class Collection:
    """All items of one side of the split, by kind and then by source."""

    photos: dict[str, list[Item]]
    cutouts: dict[str, list[Item]]
    backgrounds: dict[str, list[Item]]


def is_validation(source: str, number: int) -> bool:
    """Whether the item is kept out of training: decided by a checksum of its block's name, or by its photo."""
    if source in CUT_FROM_VALIDATION:
        return number in CUT_FROM_VALIDATION[source]
    block = (number - 1) // BLOCKS.get(source, BLOCK)
    return zlib.crc32(f"{source}/{block}".encode()) % 100 < VALIDATION_PERCENT


def read_shard(path: Path) -> Iterator[Item]:
    """Every item of a shard in the order of its name; masks are joined to their photos."""
    with tarfile.open(path) as shard:
        files = {m.name: m for m in shard.getmembers() if m.isfile()}
        for name in sorted(files):
            stem, _, suffix = name.rpartition(".")
            if suffix not in ("jpg", "webp"):
                continue
            source, number = stem.split("/")
            mask = files.get(f"{stem}.png")
            yield Item(source, int(number), _content(shard, files[name]), mask and _content(shard, mask))


def load(folder: Path, *, validation: bool, without: frozenset[str] = frozenset()) -> Collection:
    """One side of the split, from all shards of the folder, less the items named ``without``."""

    def gather(*shards: str) -> dict[str, list[Item]]:
        sources: dict[str, list[Item]] = {}
        for shard in shards:
            for item in read_shard(folder / f"{shard}.tar"):
                if item.name not in without and is_validation(item.source, item.number) == validation:
                    sources.setdefault(item.source, []).append(item)
        return sources

    return Collection(gather(*PHOTO_SHARDS), gather(CUTOUT_SHARD), gather(BACKGROUND_SHARD))


def pick(rng: Generator, sources: dict[str, list[Item]], weights: dict[str, float]) -> Item:
    """An item of a source drawn by its weight; sources without a weight are never drawn."""
    names = [n for n in weights if n in sources]
    shares = np.array([weights[n] for n in names])
    items = sources[names[int(rng.choice(len(names), p=shares / shares.sum()))]]
    return items[int(rng.integers(len(items)))]


def _content(shard: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = shard.extractfile(member)
    if stream is None:
        raise ValueError(f"{member.name} is not a file")
    return stream.read()
