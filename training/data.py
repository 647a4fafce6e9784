"""Samples for training: photos with masks, composites, and pictures without a subject.

A sample is (image float32 [3, S, S] as ``(rgb - 128) / 128``, alpha float32 [1, S, S] in 0..1, trust
float32 [1] in 0..1). ``trust`` says how far the sample's outline may be believed: exact for
composites, low for the clicked outlines of the caltech sources.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image, ImageChops, ImageFilter
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from training import backgrounds, compose, shards
from training.shards import Collection, Item

PHOTO_WEIGHTS = {"people-ccp": 3.0, "cats": 1.3, "pets": 2.0, "caltech-animals": 1.6, "caltech-objects": 1.8}
CUTOUT_WEIGHTS = {
    "objects-ycb": 3.0,
    "furniture-house": 2.0,
    "food-iconic": 1.5,
    "emoji-fluent3d": 1.6,
    "emoji-noto": 0.4,
}
BACKGROUND_WEIGHTS = {
    "bg-street-crops": 3.0,
    "bg-cats-crops": 3.0,
    "bg-pets-crops": 2.0,
    "bg-grocery": 0.7,
    "bg-budgie": 1.3,
    "bg-caltech": 2.0,
}
TRUST = {"caltech-animals": 0.25, "caltech-objects": 0.25, "people-ccp": 0.8}
KINDS = {"photo": 0.52, "composite": 0.42, "empty": 0.06}


@dataclass(frozen=True)
class Sampler:
    """Draws samples from one side of the split."""

    items: Collection
    size: int

    def draw(self, rng: Generator) -> tuple[Image.Image, Image.Image, float]:
        """Picture (RGB), alpha (L), both (size, size), and the trust in the outline."""
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        if kind == "photo":
            picture, alpha, trust = self._photo(rng)
        elif kind == "composite":
            picture, alpha, trust = *self.composite(rng), 1.0
        else:
            picture, alpha, trust = self._empty(rng), Image.new("L", (self.size, self.size), 0), 1.0
        if rng.random() < 0.5:
            picture, alpha = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (picture, alpha))
        return degrade(rng, picture), alpha, trust

    def _photo(self, rng: Generator) -> tuple[Image.Image, Image.Image, float]:
        item = _pick(rng, self.items.photos, PHOTO_WEIGHTS)
        picture, alpha = crop(rng, *item.open(), person=item.source == "people-ccp")
        picture, alpha = (p.resize((self.size, self.size), compose.BILINEAR) for p in (picture, alpha))
        if rng.random() < 0.2:
            angle = float(rng.normal(0, 10))
            edge = 1 + abs(np.sin(np.radians(angle)))  # zoom, so that no corner falls outside
            picture, alpha = (_turn(p, angle, edge) for p in (picture, alpha))
        return compose.jitter(rng, picture, 0.8), alpha, TRUST.get(item.source, 1.0)

    def _subject(self, rng: Generator) -> compose.Subject:
        if self.items.photos and rng.random() < 0.5:
            item = _pick(rng, self.items.photos, PHOTO_WEIGHTS)
            picture, alpha = item.open()
            if item.source == "people-ccp" and rng.random() < 0.45:
                picture, alpha = upper_body(rng, picture, alpha)
            if item.source == "caltech-objects" and rng.random() < 0.5:
                picture = compose.tint(rng, picture)
        else:
            picture, alpha = _pick(rng, self.items.cutouts, CUTOUT_WEIGHTS).open()
        return compose.crop_to_alpha(picture, alpha)

    def _scene(self, rng: Generator) -> Image.Image:
        if rng.random() < 0.42:
            ground = backgrounds.GROUNDS[int(rng.choice(6, p=[0.28, 0.26, 0.14, 0.12, 0.1, 0.1]))]
            return ground(rng, self.size)
        picture, alpha = _pick(rng, self.items.backgrounds, BACKGROUND_WEIGHTS).open()
        picture = crop(rng, picture, alpha)[0].resize((self.size, self.size), compose.BILINEAR)
        if rng.random() < 0.4:
            picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 6))))
        return compose.jitter(rng, picture)

    def composite(self, rng: Generator, *, one: bool = False) -> tuple[Image.Image, Image.Image]:
        """One to four subjects (or just one) on a ground: picture and union of their alphas."""
        scene, union = self._scene(rng), Image.new("L", (self.size, self.size), 0)
        for _ in range(1 if one else int(rng.choice([1, 2, 3, 4], p=[0.7, 0.18, 0.08, 0.04]))):
            scene, union = compose.add(rng, scene, union, self._subject(rng))
        return scene, union

    def _empty(self, rng: Generator) -> Image.Image:
        if rng.random() < 0.5:
            return backgrounds.EMPTIES[int(rng.integers(len(backgrounds.EMPTIES)))](rng, self.size)
        item = _pick(rng, self.items.backgrounds, BACKGROUND_WEIGHTS)
        picture = crop(rng, *item.open())[0].resize((self.size, self.size), compose.BILINEAR)
        return compose.jitter(rng, picture)


class Samples(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """An endless stream of samples; the same seed gives the same stream.

    ``busy`` names backgrounds to leave out because a subject may be seen in them.
    """

    def __init__(self, folder: Path, size: int, seed: int, busy: frozenset[str] = frozenset()) -> None:
        self.folder, self.size, self.seed, self.busy = folder, size, seed, busy

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        sampler = Sampler(shards.load(self.folder, validation=False, without=self.busy), self.size)
        while True:
            picture, alpha, trust = sampler.draw(rng)
            mask = torch.from_numpy(np.asarray(alpha, np.float32) / 255)[None]
            yield torch.from_numpy(normalise(picture)), mask, torch.tensor([trust])


def normalise(picture: Image.Image) -> np.ndarray:
    """RGB picture to float32 [3, H, W], ``(rgb - 128) / 128``."""
    values = (np.asarray(picture, np.float32) - 128) / 128
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def upper_body(rng: Generator, picture: Image.Image, alpha: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The head and what is below it, of a standing person: from a face to the waist."""
    left, top, right, bottom = alpha.getbbox() or (0, 0, *picture.size)
    height = int((bottom - top) * rng.choice([rng.uniform(0.16, 0.3), rng.uniform(0.3, 0.65)]))
    above = int(height * rng.uniform(0.02, 0.3))
    y0, y1 = max(0, top - above), min(picture.size[1], top + max(24, height))
    half = (y1 - y0) * rng.uniform(0.4, 0.9)
    columns = np.flatnonzero(np.asarray(alpha.crop((0, top, picture.size[0], y1))).max(0) > 127)
    centre = columns.mean() if len(columns) else (left + right) / 2
    x0, x1 = max(0, int(centre - half)), min(picture.size[0], int(centre + half) + 1)
    box = (x0, y0, x1, y1)
    return picture.crop(box), alpha.crop(box)


def crop(
    rng: Generator, picture: Image.Image, alpha: Image.Image, *, person: bool = False
) -> tuple[Image.Image, Image.Image]:
    """A random part of a photo, refused where hardly any of the subject would remain."""
    if person and rng.random() < 0.45:
        return upper_body(rng, picture, alpha)
    if rng.random() < 0.35:
        return picture, alpha
    width, height = (int(side * rng.uniform(0.55, 1)) for side in picture.size)
    x, y = int(rng.integers(0, picture.size[0] - width + 1)), int(rng.integers(0, picture.size[1] - height + 1))
    part = alpha.crop((x, y, x + width, y + height))
    if np.asarray(part).mean() < 8 and alpha.getbbox():
        return picture, alpha
    return picture.crop((x, y, x + width, y + height)), part


def degrade(rng: Generator, picture: Image.Image) -> Image.Image:
    """What cameras and the web do to a picture: blur, casts, grey, noise, JPEG."""
    if rng.random() < 0.12:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.06:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < 0.15:
        cast = Image.new("RGB", picture.size, tuple(int(v) for v in rng.integers(190, 256, 3)))
        picture = ImageChops.multiply(picture, cast)
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 12), (*picture.size[::-1], 3)).astype(np.float32)
        picture = Image.fromarray(np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(rng.integers(35, 96)))
        picture = Image.open(stream).convert("RGB")
    return picture


def _pick(rng: Generator, sources: dict[str, list[Item]], weights: dict[str, float]) -> Item:
    names = [n for n in weights if n in sources]
    shares = np.array([weights[n] for n in names])
    items = sources[names[int(rng.choice(len(names), p=shares / shares.sum()))]]
    return items[int(rng.integers(len(items)))]


def _turn(picture: Image.Image, angle: float, zoom: float) -> Image.Image:
    side = round(picture.size[0] * zoom)
    margin = (side - picture.size[0]) // 2
    turned = picture.resize((side, side), compose.BILINEAR).rotate(angle, compose.BILINEAR)
    return turned.crop((margin, margin, margin + picture.size[0], margin + picture.size[0]))
