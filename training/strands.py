"""Hair and fur for a matte: strands thinner than a pixel along its outline, with their exact soft alpha.

Lengths are in pixels of the subject that is given, so subjects are to be scaled first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from training.compose import Subject, spread_colours

FINE = 3  # strands are drawn this many times larger, and then averaged
MOST = 420  # strands on one subject


@dataclass(frozen=True)
class Coat:
    """What grows: how long (px), how far directions stray (radians), how strongly strands fall and bend."""

    length: float
    stray: float
    fall: float
    bend: float
    density: float  # strands for each pixel of outline
    width: int  # of a strand, in 1/FINE pixels


def fur(rng: Generator, subject: Subject) -> Subject:
    """Short hair all along the outline, combed one way here and there."""
    side = max(subject.picture.size)
    length = float(rng.uniform(0.012, 0.06)) * side + 1
    coat = Coat(length, rng.uniform(0.2, 0.6), rng.uniform(0, 0.8), 0.4, rng.uniform(0.5, 1.2), int(rng.integers(1, 4)))
    return grow(rng, subject, coat, upper=1.0)


def hair(rng: Generator, subject: Subject) -> Subject:
    """Long strands from the head, which is taken to be as high as half of the subject is wide."""
    w, h = subject.picture.size
    head = min(0.5, 0.5 * w / h)
    length = float(rng.uniform(0.15, 0.8)) * head * h + 2
    coat = Coat(length, rng.uniform(0.15, 0.6), rng.uniform(0, 1.5), 1.0, rng.uniform(0.8, 3), int(rng.integers(1, 4)))
    return grow(rng, subject, coat, upper=head)


def grow(rng: Generator, subject: Subject, coat: Coat, upper: float) -> Subject:
    """The subject with strands along the ``upper`` share of its height; the picture grows to hold them."""
    subject = widen(subject, round(coat.length))
    roots, outward = rim(subject.alpha)
    top = subject.alpha.getbbox() or (0, 0, 0, 0)
    chosen = np.flatnonzero(roots[:, 1] <= top[1] + upper * (top[3] - top[1]))
    if not len(chosen):
        return subject
    chosen = rng.choice(chosen, min(MOST, max(8, int(len(chosen) * coat.density))))
    lines = paths(rng, roots[chosen], outward[chosen], coat)
    return _lay(rng, subject, lines, coat.width)


def widen(subject: Subject, margin: int) -> Subject:
    """Empty room of ``margin`` pixels on every side at which the subject is not cut off."""
    left, top, right, bottom = (0 if side in subject.cut else margin for side in ("left", "top", "right", "bottom"))
    w, h = subject.picture.size
    box = (-left, -top, w + right, h + bottom)
    return Subject(subject.picture.crop(box), subject.alpha.crop(box), subject.cut)


def rim(alpha: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Points of the outline and the directions away from the subject, both float [N, 2] as (x, y)."""
    soft = np.asarray(alpha.filter(ImageFilter.BoxBlur(2)), np.float32) / 255
    y, x = np.nonzero((soft[1:-1, 1:-1] > 0.35) & (soft[1:-1, 1:-1] < 0.65))
    across = soft[y + 1, x] - soft[y + 1, x + 2]
    down = soft[y, x + 1] - soft[y + 2, x + 1]
    outward = np.stack((across, down), 1)
    return np.stack((x + 1.0, y + 1.0), 1), outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-3)


def paths(rng: Generator, roots: np.ndarray, outward: np.ndarray, coat: Coat) -> np.ndarray:
    """Bent lines from inside the outline outwards, float [N, 5, 2]; neighbours form locks."""
    n = len(roots)
    lock = _along(rng, roots, coat)
    angle = np.arctan2(outward[:, 1], outward[:, 0]) + coat.stray * (2 * lock + rng.normal(0, 0.5, n))
    bend = coat.bend * (_along(rng, roots, coat) + rng.normal(0, 0.15, n)) / 2
    step = coat.length * np.maximum(0.15, 0.5 + _along(rng, roots, coat)) * rng.beta(1.2, 3, n) / 2
    points = [roots - outward * np.minimum(step, 3)[:, None]]
    for _ in range(4):
        direction = np.stack((np.cos(angle), np.sin(angle) + coat.fall * len(points) / 4), 1)
        points.append(points[-1] + direction * step[:, None])
        angle = angle + bend
    return np.stack(points, 1)


def _along(rng: Generator, roots: np.ndarray, coat: Coat) -> np.ndarray:
    """A smooth random function of the place, about -0.5..0.5, float [N]."""
    wave = rng.normal(0, 2.5 / (coat.length + 4), (2, 2))
    return np.sin(roots @ wave + rng.uniform(0, 2 * np.pi, 2)).mean(1) / 2


def _lay(rng: Generator, subject: Subject, lines: np.ndarray, width: int) -> Subject:
    w, h = subject.picture.size
    matte, light = (Image.new("L", (w * FINE, h * FINE), value) for value in (0, 128))
    draw, shine = ImageDraw.Draw(matte), ImageDraw.Draw(light)
    spread = rng.uniform(5, 45)
    for line in lines * FINE:
        points = [(float(x), float(y)) for x, y in line]
        tone = int(np.clip(rng.normal(128, spread), 40, 215))
        draw.line(points[2:], fill=int(rng.integers(90, 230)), width=max(1, width - 1))  # thinner to the tip
        draw.line(points[:3], fill=255, width=width)
        shine.line(points, fill=tone, width=width + 1)
    matte, light = (p.reduce(FINE) for p in (matte, light))
    tones = np.asarray(light, np.float32)[..., None] / 128
    paint = np.asarray(spread_colours(subject.picture, subject.alpha), np.float32)
    strands = Image.fromarray(np.clip(paint * tones, 0, 255).astype(np.uint8))
    picture = Image.composite(subject.picture, strands, subject.alpha)
    return Subject(picture, ImageChops.lighter(subject.alpha, matte), subject.cut)
