"""Putting subjects onto backgrounds: size, place, colour, edge and shadow.

Pictures are PIL images of mode RGB, alphas of mode L; ``size`` is the side of the square canvas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Subject:
    """A cutout that is to be placed: picture and alpha of one size, cropped to the subject."""

    picture: Image.Image
    alpha: Image.Image


def crop_to_alpha(picture: Image.Image, alpha: Image.Image) -> Subject:
    """Cut both to the box of the non-zero alpha; an empty alpha leaves them whole."""
    box = alpha.getbbox()
    return Subject(picture.crop(box), alpha.crop(box)) if box else Subject(picture, alpha)


def jitter(rng: Generator, picture: Image.Image, strength: float = 1.0) -> Image.Image:
    """Brightness, contrast and saturation, each changed six times in ten."""
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if rng.random() < 0.6:
            picture = enhancer(picture).enhance(float(rng.uniform(1 - 0.4 * strength, 1 + 0.4 * strength)))
    return picture


def tint(rng: Generator, picture: Image.Image) -> Image.Image:
    """Multiply by a random colour: gives grey subjects (the cars) a paint."""
    paint = Image.new("RGB", picture.size, tuple(int(v) for v in rng.integers(60, 256, 3)))
    return ImageChops.multiply(ImageEnhance.Brightness(picture).enhance(1.4), paint)


def harmonise(rng: Generator, picture: Image.Image, alpha: Image.Image, scene: Image.Image) -> Image.Image:
    """Move the subject's colour mean and spread up to half-way to the scene's (Reinhard et al. 2001)."""
    values = np.asarray(picture, np.float32)
    inside = values[np.asarray(alpha) > 127]
    if len(inside) < 16:
        return picture
    around = np.asarray(scene.resize((32, 32), BILINEAR), np.float32).reshape(-1, 3)
    spread = np.clip(around.std(0) / (inside.std(0) + 1), 0.6, 1.5)
    moved = (values - inside.mean(0)) * spread + around.mean(0)
    share = rng.uniform(0, 0.5)
    return Image.fromarray(np.clip(values + share * (moved - values), 0, 255).astype(np.uint8))


def fit(rng: Generator, subject: Subject, size: int) -> Subject:
    """Scale the subject to a small, usual or huge share of the canvas and turn it a little."""
    share = rng.choice([rng.uniform(0.12, 0.35), rng.uniform(0.35, 1.0), rng.uniform(1.0, 1.6)], p=[0.2, 0.65, 0.15])
    scale = float(share) * size / max(subject.picture.size)
    stretch = rng.uniform(0.85, 1.18)
    width, height = (
        max(6, round(side * scale * f)) for side, f in zip(subject.picture.size, (stretch, 1 / stretch), strict=True)
    )
    picture, alpha = subject.picture.resize((width, height), BILINEAR), subject.alpha.resize((width, height), BILINEAR)
    if rng.random() < 0.35:
        angle = float(rng.normal(0, 12))
        picture, alpha = (p.rotate(angle, BILINEAR, expand=True) for p in (picture, alpha))
    if rng.random() < 0.5:
        picture, alpha = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (picture, alpha))
    return Subject(picture, alpha)


def place(rng: Generator, subject: Subject, size: int) -> tuple[int, int]:
    """Top left corner; up to a third of the subject may lie outside the frame."""
    corner = []
    for side in subject.picture.size:
        low, high = sorted((-side * 0.33, size - side * 0.67))
        centre = (size - side) / 2
        corner.append(
            round(rng.uniform(low, high) if rng.random() < 0.5 else np.clip(rng.normal(centre, size / 8), low, high))
        )
    return corner[0], corner[1]


def soften(rng: Generator, alpha: Image.Image) -> Image.Image:
    """Feather of up to about a pixel, so that no hard seam gives the composite away."""
    if rng.random() < 0.5:
        return alpha
    return alpha.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.1))))


def cast_shadow(rng: Generator, scene: Image.Image, alpha: Image.Image) -> Image.Image:
    """Darken the scene beside or below the subject; the shadow stays background."""
    size = scene.size[0]
    if rng.random() < 0.5:  # the subject's outline, moved
        offset = (round(rng.normal(0, size / 25)), round(rng.uniform(0, size / 15)))
        dark = Image.new("L", scene.size, 0)
        dark.paste(alpha, offset)
    else:  # flattened onto the ground
        left, top, right, bottom = alpha.getbbox() or (0, 0, 1, 1)
        flat = alpha.crop((left, top, right, bottom)).resize((max(2, right - left), max(2, (bottom - top) // 6)))
        dark = Image.new("L", scene.size, 0)
        dark.paste(flat, (left + round(rng.normal(0, size / 30)), bottom - flat.size[1] * 2 // 3))
    dark = dark.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.005, 0.03) * size)))
    strength = float(rng.uniform(0.15, 0.65))
    return Image.composite(ImageEnhance.Brightness(scene).enhance(1 - strength), scene, dark)


def add(rng: Generator, scene: Image.Image, union: Image.Image, subject: Subject) -> tuple[Image.Image, Image.Image]:
    """Lay one subject over the scene: the new scene, and the union of the alphas so far and its own."""
    size = scene.size[0]
    subject = fit(rng, subject, size)
    picture = jitter(rng, subject.picture, 0.8)
    if rng.random() < 0.5:
        picture = harmonise(rng, picture, subject.alpha, scene)
    corner = place(rng, subject, size)
    alpha, layer = Image.new("L", scene.size, 0), Image.new("RGB", scene.size)
    alpha.paste(soften(rng, subject.alpha), corner)
    layer.paste(picture, corner)
    if rng.random() < 0.3:
        scene = Image.composite(scene, cast_shadow(rng, scene, alpha), union)
    return Image.composite(layer, scene, alpha), ImageChops.screen(union, alpha)
