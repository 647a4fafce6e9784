"""One mask out of several teachers', and how far it may be believed.

No teacher is right everywhere, and each fails in its own way: where two that were trained on different data agree, they
are mostly right. So agreement decides, photo by photo and pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from training import found
from training.found import Photo

ENOUGH = 0.65  # IoU of the two that agree best, below which a photo teaches nothing
FULL = 0.90  # and from which on it teaches like one outlined by hand
DISPUTED = 0.25  # weight of a pixel about which the teachers disagree fully
EMPTY = 0.004  # share of the picture below which a mask counts as none


@dataclass(frozen=True)
class Fused:
    """Alpha and weight per pixel, float32 [H, W] in 0..1, and the trust in the whole, 0..1 (0: leave it out)."""

    alpha: np.ndarray
    weight: np.ndarray
    trust: float
    fine: bool  # drawn with IS-Net's help, whose outlines are the best


def fuse(masks: dict[str, np.ndarray]) -> Fused:
    """The median of three masks; of two the better drawn one, held to where the other agrees.

    Args:
        masks: float32 [H, W] in 0..1 by teacher, all of one size: of ``isnet``, ``u2netp`` and ``ours``.

    Returns:
        The mask. Of one alone, or of masks that do not agree, the trust is 0.
    """
    planes = [masks[name] for name in ("isnet", "u2netp", "ours") if name in masks]
    pairs = [(soft_iou(a, b), a, b) for a, b in combinations(planes, 2)]
    agreed, first, second = max(pairs, key=lambda pair: pair[0], default=(0.0, planes[0], planes[0]))
    alpha = np.median(np.stack(planes), 0) if len(planes) == 3 else first
    weight = 1 - (1 - DISPUTED) * np.abs(first - second)
    trust = (agreed - ENOUGH) / (FULL - ENOUGH)
    if alpha.mean() < EMPTY:
        trust = 0.0
    return Fused(alpha.astype(np.float32), weight.astype(np.float32), float(np.clip(trust, 0, 1)), "isnet" in masks)


def soft_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two soft masks, by minimum and maximum."""
    return float((np.minimum(a, b).sum() + 1e-6) / (np.maximum(a, b).sum() + 1e-6))


@dataclass(frozen=True)
class Found:
    """Photos of the second part to train on, and photos without a subject."""

    photos: dict[str, list[Photo]]
    empty: list[Photo]
    masks: Path | None
    doubtful: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, data: Path, masks: Path | None) -> Found:
        """All photos that are not held out; masks are looked up when a photo is drawn, so that new ones count."""
        photos: dict[str, list[Photo]] = {}
        for shard in found.SHARDS:
            for photo in found.read(data, shard):
                if photo.source not in found.HELD_OUT:
                    photos.setdefault(photo.source, []).append(photo)
        return cls(photos, list(found.read(data, found.EMPTY_SHARD)), masks)

    def pick(self, rng: Generator, *, fine: bool = False) -> tuple[Image.Image, Fused]:
        """A photo that at least two teachers agree about (``fine``: IS-Net among them); large sources less often."""
        names = list(self.photos)
        shares = np.array([len(self.photos[name]) for name in names]) ** 0.75
        for _ in range(1000):
            group = self.photos[names[int(rng.choice(len(names), p=shares / shares.sum()))]]
            photo = group[int(rng.integers(len(group)))]
            if photo.name in self.doubtful or (fine and not self._has_isnet(photo)):
                continue
            planes = photo.planes(self.masks)
            if len(planes) > 1:
                fused = fuse(planes)
                if fused.trust > 0:
                    return photo.open(), fused
                if len(planes) == 3:
                    self.doubtful.add(photo.name)
        raise ValueError("no photo has masks of two teachers that agree")

    def _has_isnet(self, photo: Photo) -> bool:
        return "isnet" in photo.masks or bool(self.masks and (self.masks / f"{photo.name}.isnet.png").exists())
