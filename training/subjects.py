"""What is put into composites: subjects of photos, cutouts, thin and hollow things, furry blobs, glass, groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from training import compose, glass, hollow, strands, structures
from training.camera import upper_body
from training.compose import Subject
from training.shards import Collection, Item, pick

PHOTO_WEIGHTS = {"people-ccp": 2.5, "cats": 1.4, "pets": 1.6, "caltech-animals": 2.1, "caltech-objects": 2.1}
CUTOUT_WEIGHTS = {
    "objects-ycb": 3.0,
    "furniture-house": 2.0,
    "food-iconic": 1.5,
    "emoji-fluent3d": 1.6,
    "emoji-noto": 0.4,
}
MAKERS = {"photo": 0.30, "cutout": 0.23, "thin": 0.11, "hollow": 0.23, "blob": 0.03, "glass": 0.10}
RULES = {
    "thin": structures.thing,
    "hollow": hollow.hollow,
    "blob": structures.blob,
    "glass": glass.translucent,
}
HAIRY = {"people-ccp": 0.35, "cats": 0.35, "pets": 0.35, "blob": 0.7, "caltech-animals": 0.1}  # how many grow strands
GROUPS = ("people-ccp", "cats", "pets", "objects-ycb", "food-iconic", "emoji-fluent3d")


@dataclass(frozen=True)
class Subjects:
    """Draws subjects from one side of the split and from the rules; those have no sides."""

    items: Collection

    def one(self, rng: Generator, size: int) -> Subject:
        """Any subject, scaled for a canvas of ``size``."""
        makers = {k: v for k, v in MAKERS.items() if k != "photo" or self.items.photos}
        weights = np.array(list(makers.values()))
        kind = str(rng.choice(list(makers), p=weights / weights.sum()))
        if kind in ("photo", "cutout"):
            kind, subject = self.real(rng, self.items.photos if kind == "photo" else self.items.cutouts)
        else:
            make = RULES[kind]
            subject = make(rng, int(size * rng.uniform(0.5, 1)))
        return dress(rng, kind, compose.fit(rng, subject, size))

    def real(self, rng: Generator, sources: dict[str, list[Item]]) -> tuple[str, Subject]:
        """A subject of a photo or a cutout, as it is: its source and itself."""
        item = pick(rng, sources, PHOTO_WEIGHTS | CUTOUT_WEIGHTS)
        picture, alpha = item.open()
        if item.mask is None:
            return item.source, compose.crop_to_alpha(picture, alpha)
        if item.source == "people-ccp" and rng.random() < 0.5:
            picture, alpha = upper_body(rng, picture, alpha)
        if item.source == "caltech-objects" and rng.random() < 0.5:
            picture = compose.tint(rng, picture)
        return item.source, compose.lift(picture, alpha)

    def group(self, rng: Generator, size: int, *, far: bool = False) -> list[tuple[Subject, tuple[int, int]]]:
        """Two to five subjects of one source side by side, partly over each other, with their corners.

        ``far``: up to nine, a twentieth to a fifth of the picture tall.
        """
        everything = self.items.photos | self.items.cutouts
        sources = [s for s in GROUPS if s in everything]
        source = str(rng.choice(sources))
        n, share = int(rng.integers(2, 10 if far else 6)), rng.uniform(*((0.06, 0.22) if far else (0.4, 0.95)))
        ground = size * (rng.uniform(0.3, 0.95) if far else rng.uniform(0.75, 1.1))
        members = []
        for x in np.linspace(0.15, 0.85, n) + rng.normal(0, 0.07, n):
            _, subject = self.real(rng, {source: everything[source]})
            subject = compose.fit(
                rng, replace(subject, cut=subject.cut & {"bottom"}), size, share * rng.uniform(0.8, 1.1)
            )
            w, h = subject.picture.size
            foot = max(size, ground) if "bottom" in subject.cut and not far else ground * rng.normal(1, 0.03)
            members.append((dress(rng, source, subject), (round(x * size - w / 2), round(foot - h))))
        return [members[i] for i in rng.permutation(n)]


def dress(rng: Generator, kind: str, subject: Subject) -> Subject:
    """Perhaps with hair or fur, if its kind has any and it is large enough to show it."""
    if max(subject.picture.size) < 80 or rng.random() > HAIRY.get(kind, 0):
        return subject
    grow = strands.hair if kind == "people-ccp" and rng.random() < 0.8 else strands.fur
    return grow(rng, subject)
