"""Samples for training: photos outlined by hand or by teachers, composites, marks, pictures without a subject.

A sample is a picture, an alpha, the weight of each pixel, and the trust in the alpha's outline: exact (1) for
composites, low for the clicked outlines of the caltech sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image

from training import backgrounds, camera, compose, grounds, marks, shards
from training.fusion import Found
from training.shards import Collection
from training.subjects import PHOTO_WEIGHTS, Subjects

TRUST = {"caltech-animals": 0.25, "caltech-objects": 0.25, "people-ccp": 0.8}
KINDS = {"photo": 0.24, "found": 0.38, "composite": 0.19, "mark": 0.09, "empty": 0.10}
COMPOSITES = {"several": 0.80, "group": 0.10, "far": 0.05, "near": 0.05}  # any subjects; one source's; one's own colour
TINY = 0.04  # of the pictures
AGAINST_LIGHT = 0.03  # of the photos
EMPTY_PHOTOS = 0.35  # of the pictures without a subject are photos of the second part
OUTLINED = {True: 0.7, False: 0.4}  # trust in a teacher's outline, with IS-Net among them and without


class Sample(NamedTuple):
    """Picture (RGB), alpha and weight (L), all (size, size), and the trust in the outline, 0..1."""

    picture: Image.Image
    alpha: Image.Image
    weight: Image.Image
    trust: float


@dataclass(frozen=True)
class Sampler:
    """Draws samples from one side of the split."""

    items: Collection
    size: int
    found: Found | None = None

    def draw(self, rng: Generator) -> Sample:
        """A sample of any kind."""
        kind, trust = choose(rng, KINDS), 1.0
        weight = Image.new("L", (self.size, self.size), 255)
        if kind == "found" and self.found:
            picture, alpha, weight, trust = self._found(rng, self.found)
        elif kind in ("photo", "found"):
            picture, alpha, trust = self._photo(rng)
        elif kind == "composite":
            picture, alpha = self.composite(rng)
        elif kind == "mark":
            picture, alpha = self.mark(rng)
        else:
            picture = self.empty(rng)
            alpha = Image.new("L", picture.size, 0)
        if rng.random() < TINY:
            picture, alpha = camera.tiny(rng, picture, alpha)
        if rng.random() < 0.5:
            picture, alpha, weight = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (picture, alpha, weight))
        return Sample(camera.degrade(rng, picture), alpha, weight, trust)

    def empty(self, rng: Generator) -> Image.Image:
        """A picture without a subject."""
        if self.found and rng.random() < EMPTY_PHOTOS:
            photo = self.found.empty[int(rng.integers(len(self.found.empty)))].open()
            picture, _ = camera.crop(rng, photo, Image.new("L", photo.size, 0))
            return compose.jitter(rng, picture.resize((self.size, self.size), compose.BILINEAR))
        return grounds.empty(rng, self.items.backgrounds, self.size)

    def mark(self, rng: Generator) -> tuple[Image.Image, Image.Image]:
        """A logo, a word, a drawing or an emoji, upright, on a flat or a textured ground."""
        flat = rng.random() < 0.65
        scene = backgrounds.plain(rng, self.size) if flat else grounds.scene(rng, self.items.backgrounds, self.size)
        share = float(rng.uniform(0.3, 0.95))
        emoji = {k: v for k, v in self.items.cutouts.items() if k.startswith("emoji")}
        if emoji and rng.random() < 0.25:
            _, subject = Subjects(self.items).real(rng, emoji)
        else:
            subject = marks.mark(rng, int(self.size * share))
        union = Image.new("L", scene.size, 0)
        return compose.add(rng, scene, union, compose.fit(rng, subject, self.size, share))

    def composite(self, rng: Generator) -> tuple[Image.Image, Image.Image]:
        """Subjects on a ground: picture and union of their alphas."""
        subjects, size = Subjects(self.items), self.size
        union = Image.new("L", (size, size), 0)
        kind = choose(rng, COMPOSITES)
        if kind == "near":
            subject = subjects.one(rng, size)
            return compose.add(rng, grounds.near(rng, subject, size), union, subject)
        scene = grounds.scene(rng, self.items.backgrounds, size)
        if kind in ("group", "far"):
            for subject, corner in subjects.group(rng, size, far=kind == "far"):
                scene, union = compose.lay(rng, scene, union, subject, corner)
            return scene, union
        for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.80, 0.15, 0.04, 0.01]))):
            scene, union = compose.add(rng, scene, union, subjects.one(rng, size))
        return scene, union

    def _photo(self, rng: Generator) -> tuple[Image.Image, Image.Image, float]:
        item = shards.pick(rng, self.items.photos, PHOTO_WEIGHTS)
        picture, alpha = camera.crop(rng, *item.open(), person=item.source == "people-ccp")
        picture, alpha = (p.resize((self.size, self.size), compose.BILINEAR) for p in (picture, alpha))
        if rng.random() < 0.2:
            angle = float(rng.normal(0, 10))
            edge = 1 + abs(np.sin(np.radians(angle)))  # zoom, so that no corner falls outside
            picture, alpha = (camera.turn(p, angle, edge) for p in (picture, alpha))
        if rng.random() < AGAINST_LIGHT:
            picture = camera.against_light(rng, picture, alpha)
        return compose.jitter(rng, picture, 0.8), alpha, TRUST.get(item.source, 1.0)

    def _found(self, rng: Generator, photos: Found) -> Sample:
        photo, fused = photos.pick(rng)
        planes = [Image.fromarray((plane * 255 + 0.5).astype(np.uint8)) for plane in (fused.alpha, fused.weight)]
        box = camera.window(rng, photo.size) if rng.random() < 0.6 else (0, 0, *photo.size)
        if np.asarray(planes[0].crop(box)).mean() < 8:
            box = (0, 0, *photo.size)
        square = (self.size, self.size)
        picture, alpha, weight = (p.crop(box).resize(square, compose.BILINEAR) for p in (photo, *planes))
        trust = fused.trust
        if rng.random() < AGAINST_LIGHT:
            picture = camera.against_light(rng, picture, alpha)
        weight = weight.point(lambda w: round(w * (0.3 + 0.7 * trust)))
        return Sample(compose.jitter(rng, picture, 0.8), alpha, weight, OUTLINED[fused.fine] * trust)


def normalise(picture: Image.Image) -> np.ndarray:
    """RGB picture to float32 [3, H, W], ``(rgb - 128) / 128``."""
    values = (np.asarray(picture, np.float32) - 128) / 128
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def choose(rng: Generator, shares: dict[str, float]) -> str:
    """One of the names, by their shares (which sum to 1)."""
    return str(rng.choice(list(shares), p=list(shares.values())))
