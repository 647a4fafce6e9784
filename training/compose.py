"""Putting subjects onto backgrounds: size, place, colour, edge and shadow.

Pictures are PIL images of mode RGB, alphas of mode L; ``size`` is the side of the square canvas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

BILINEAR = Image.Resampling.BILINEAR
SHADOWED = 0.4  # of the subjects
BARELY = 5  # grey levels by which a subject must differ from its ground
MIRRORED = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Subject:
    """A cutout that is to be placed: picture and alpha of one size, cropped to the subject.

    ``cut`` names the sides (left, top, right, bottom) at which the frame of its photo cut it off.
    """

    picture: Image.Image
    alpha: Image.Image
    cut: frozenset[str] = frozenset()


def crop_to_alpha(picture: Image.Image, alpha: Image.Image) -> Subject:
    """Cut both to the box of the non-zero alpha; an empty alpha leaves them whole."""
    box = alpha.getbbox()
    return Subject(picture.crop(box), alpha.crop(box)) if box else Subject(picture, alpha)


def lift(picture: Image.Image, alpha: Image.Image) -> Subject:
    """Take a subject out of its photo, without the old ground's colours at its edge; say where it was cut off."""
    left, top, right, bottom = alpha.getbbox() or (0, 0, *alpha.size)
    w, h = alpha.size
    touches = {"left": left < 2, "top": top < 2, "right": right > w - 2, "bottom": bottom > h - 2}
    subject = crop_to_alpha(picture, alpha)
    core = subject.alpha.filter(ImageFilter.BoxBlur(1)).point(lambda v: max(0, 3 * v - 2 * 255))
    clean = Image.composite(subject.picture, spread_colours(subject.picture, core), core)
    return Subject(clean, subject.alpha, frozenset(side for side, yes in touches.items() if yes))


def spread_colours(picture: Image.Image, alpha: Image.Image) -> Image.Image:
    """The colours under the alpha, carried on beyond its edge: from coarse to fine, the nearest known ones."""
    solid = ImageChops.multiply(picture, Image.merge("RGB", (alpha, alpha, alpha)))
    filled = Image.new("RGB", (1, 1), "grey")
    for factor in (10**6, 64, 16, 4):
        size = (max(1, picture.size[0] // factor), max(1, picture.size[1] // factor))
        weight = np.asarray(alpha.resize(size, Image.Resampling.BOX), np.float32)[..., None] / 255
        colours = np.asarray(solid.resize(size, Image.Resampling.BOX), np.float32) / np.maximum(weight, 0.004)
        share, below = np.minimum(4 * weight, 1), np.asarray(filled.resize(size, BILINEAR), np.float32)
        filled = Image.fromarray(np.clip(below + share * (colours - below), 0, 255).astype(np.uint8))
    return filled.resize(picture.size, BILINEAR)


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
    inside = np.asarray(picture)[np.asarray(alpha) > 127].astype(np.float32)
    if len(inside) < 16:
        return picture
    around = np.asarray(scene.resize((32, 32), BILINEAR), np.float32).reshape(-1, 3)
    spread = np.clip(around.std(0) / (inside.std(0) + 1), 0.6, 1.5)
    levels = np.arange(256)[:, None]
    moved = (levels - inside.mean(0)) * spread + around.mean(0)
    table = levels + rng.uniform(0, 0.5) * (moved - levels)
    return picture.point(np.clip(table, 0, 255).astype(int).T.ravel().tolist())


def fit(rng: Generator, subject: Subject, size: int, share: float | None = None) -> Subject:
    """Scale the subject to a tiny, small, usual or huge ``share`` of the canvas, mirror it, turn it a little."""
    spans, shares = ((0.06, 0.15), (0.15, 0.35), (0.35, 1.0), (1.0, 1.7)), (0.03, 0.15, 0.67, 0.15)
    drawn = rng.uniform(*spans[int(rng.choice(4, p=shares))])
    scale = float(share or drawn) * size / max(subject.picture.size)
    if {"left", "right"} <= subject.cut:  # it filled its photo from side to side, and does so here
        scale = max(scale, 1.1 * size / subject.picture.size[0])
    stretch = rng.uniform(0.85, 1.18)
    width, height = (
        max(6, round(side * scale * f)) for side, f in zip(subject.picture.size, (stretch, 1 / stretch), strict=True)
    )
    picture, alpha = subject.picture.resize((width, height), BILINEAR), subject.alpha.resize((width, height), BILINEAR)
    if not subject.cut and rng.random() < 0.35:
        angle = float(rng.normal(0, 12))
        picture, alpha = (p.rotate(angle, BILINEAR, expand=True) for p in (picture, alpha))
    if rng.random() < 0.5:
        picture, alpha = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (picture, alpha))
        return Subject(picture, alpha, frozenset(MIRRORED.get(side, side) for side in subject.cut))
    return Subject(picture, alpha, subject.cut)


def place(rng: Generator, subject: Subject, size: int) -> tuple[int, int]:
    """Top left corner: cut sides at the frame's edge; else up to a third of the subject may lie outside."""
    corner = []
    for side, near, far in zip(subject.picture.size, ("left", "top"), ("right", "bottom"), strict=True):
        low, high = sorted((-side * 0.33, size - side * 0.67))
        at = (
            rng.uniform(low, high)
            if rng.random() < 0.5
            else np.clip(rng.normal((size - side) / 2, size / 8), low, high)
        )
        beyond = side * rng.uniform(0, 0.1)
        if near in subject.cut:
            at = -beyond
        elif far in subject.cut:
            at = size - side + beyond
        corner.append(round(float(at)))
    return corner[0], corner[1]


def visible(layer: Image.Image, scene: Image.Image, alpha: Image.Image) -> bool:
    """Whether the layer differs from the scene by a few grey levels, on the mean over what is more than half opaque."""
    solid = np.asarray(alpha) > 127
    if not solid.any():
        return bool(np.asarray(alpha).any())
    difference = np.asarray(ImageChops.difference(layer, scene).convert("L"))
    return bool(difference[solid].mean() > BARELY)


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
    """Lay one subject, scaled already, over the scene: the new scene, and the union of the alphas with its own."""
    return lay(rng, scene, union, subject, place(rng, subject, scene.size[0]))


def lay(
    rng: Generator, scene: Image.Image, union: Image.Image, subject: Subject, corner: tuple[int, int]
) -> tuple[Image.Image, Image.Image]:
    """``add`` at a given top left corner; what could not be told from the ground is not laid at all."""
    picture = jitter(rng, subject.picture, 0.8)
    if rng.random() < 0.5:
        picture = harmonise(rng, picture, subject.alpha, scene)
    alpha, layer = Image.new("L", scene.size, 0), Image.new("RGB", scene.size)
    alpha.paste(soften(rng, subject.alpha), corner)
    layer.paste(picture, corner)
    if not visible(layer, scene, alpha):
        return scene, union
    if rng.random() < SHADOWED:
        scene = Image.composite(scene, cast_shadow(rng, scene, alpha), union)
    return Image.composite(layer, scene, alpha), ImageChops.screen(union, alpha)
