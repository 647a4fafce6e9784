"""Samples for training: photos with masks, composites, and pictures without a subject.

A sample is a picture, an alpha and the trust in the alpha's outline: exact (1) for composites, low for the clicked
outlines of the caltech sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image

from training import camera, compose, grounds, shards
from training.shards import Collection
from training.subjects import PHOTO_WEIGHTS, Subjects

TRUST = {"caltech-animals": 0.25, "caltech-objects": 0.25, "people-ccp": 0.8}
KINDS = {"photo": 0.62, "composite": 0.32, "empty": 0.06}
COMPOSITES = {"several": 0.85, "group": 0.10, "near": 0.05}  # any subjects; one source's; one on its own colour


@dataclass(frozen=True)
class Sampler:
    """Draws samples from one side of the split."""

    items: Collection
    size: int

    def draw(self, rng: Generator) -> tuple[Image.Image, Image.Image, float]:
        """Picture (RGB), alpha (L), both (size, size), and the trust in the outline."""
        kind = choose(rng, KINDS)
        if kind == "photo":
            picture, alpha, trust = self._photo(rng)
        elif kind == "composite":
            picture, alpha, trust = *self.composite(rng), 1.0
        else:
            picture = grounds.empty(rng, self.items.backgrounds, self.size)
            alpha, trust = Image.new("L", picture.size, 0), 1.0
        if rng.random() < 0.5:
            picture, alpha = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (picture, alpha))
        return camera.degrade(rng, picture), alpha, trust

    def composite(self, rng: Generator) -> tuple[Image.Image, Image.Image]:
        """Subjects on a ground: picture and union of their alphas."""
        subjects, size = Subjects(self.items), self.size
        union = Image.new("L", (size, size), 0)
        kind = choose(rng, COMPOSITES)
        if kind == "near":
            subject = subjects.one(rng, size)
            return compose.add(rng, grounds.near(rng, subject, size), union, subject)
        scene = grounds.scene(rng, self.items.backgrounds, size)
        if kind == "group":
            for subject, corner in subjects.group(rng, size):
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
        return compose.jitter(rng, picture, 0.8), alpha, TRUST.get(item.source, 1.0)


def normalise(picture: Image.Image) -> np.ndarray:
    """RGB picture to float32 [3, H, W], ``(rgb - 128) / 128``."""
    values = (np.asarray(picture, np.float32) - 128) / 128
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def choose(rng: Generator, shares: dict[str, float]) -> str:
    """One of the names, by their shares (which sum to 1)."""
    return str(rng.choice(list(shares), p=list(shares.values())))
