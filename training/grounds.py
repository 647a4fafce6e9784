"""The grounds that subjects stand on, and pictures without a subject: photos and procedural ones, by weight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from training import backgrounds, compose, pages, structures, textures
from training.camera import crop
from training.shards import Item, pick

Maker = Callable[[Generator, int], Image.Image]

PHOTO_WEIGHTS = {
    "bg-street-crops": 3.0,
    "bg-cats-crops": 3.0,
    "bg-pets-crops": 2.0,
    "bg-grocery": 0.7,
    "bg-budgie": 1.3,
    "bg-caltech": 2.0,
}


def overgrown(rng: Generator, size: int) -> Image.Image:
    """Lattices or branches that reach beyond the frame on every side: part of the ground, no subject."""
    ground = (textures.stone, textures.foliage, textures.sky, backgrounds.gradient)[int(rng.integers(4))](rng, size)
    for _ in range(int(rng.integers(1, 4))):
        shape = structures.branch if rng.random() < 0.3 else structures.lattice
        screen = structures.dress(rng, shape(rng, size * structures.FINE), size)
        side = int(size * rng.uniform(1.3, 2.2))
        x, y = rng.integers(0, side - size + 1, 2)
        box = (x, y, x + size, y + size)
        picture, alpha = (p.resize((side, side), compose.BILINEAR).crop(box) for p in (screen.picture, screen.alpha))
        ground = Image.composite(picture, ground, alpha)
    return ground


GROUNDS: dict[Maker, float] = {  # to stand a subject on; studio grounds are the main use
    backgrounds.plain: 6,
    backgrounds.studio: 8,
    backgrounds.gradient: 3,
    backgrounds.clouds: 2,
    backgrounds.bokeh: 2,
    backgrounds.pattern: 1,
    textures.wood: 2,
    textures.weave: 1.5,
    textures.bricks: 1.5,
    textures.foliage: 2,
    textures.stone: 1.5,
    textures.sky: 2,
    textures.room: 3,
    overgrown: 2.5,
    pages.page: 0.5,
    pages.screenshot: 0.5,
}
EMPTIES: dict[Maker, float] = {  # without a subject
    backgrounds.plain: 1,
    backgrounds.studio: 1.5,
    backgrounds.gradient: 1,
    backgrounds.clouds: 2.5,
    backgrounds.bokeh: 1,
    backgrounds.pattern: 1.5,
    backgrounds.grain: 1,
    textures.wood: 1,
    textures.weave: 1,
    textures.bricks: 1.5,
    textures.foliage: 1.5,
    textures.stone: 1,
    textures.sky: 2,
    textures.room: 2.5,
    pages.page: 2,
    pages.screenshot: 2,
    pages.chart: 2,
    overgrown: 2.5,
}
PROCEDURAL = 0.5  # of the grounds
PROCEDURAL_EMPTY = 0.6  # of the pictures without a subject
DEFOCUSED = 0.4  # of the photos used as grounds


def scene(rng: Generator, photos: dict[str, list[Item]], size: int) -> Image.Image:
    """A ground for a subject: drawn by rule or a photo, sharp or out of focus."""
    if rng.random() < PROCEDURAL:
        return draw(rng, GROUNDS, size)
    picture = photo(rng, photos, size)
    blur = float(rng.uniform(1, 6))
    return picture.filter(ImageFilter.GaussianBlur(blur)) if rng.random() < DEFOCUSED else picture


def empty(rng: Generator, photos: dict[str, list[Item]], size: int) -> Image.Image:
    """A picture without a subject."""
    return draw(rng, EMPTIES, size) if rng.random() < PROCEDURAL_EMPTY else photo(rng, photos, size)


def photo(rng: Generator, photos: dict[str, list[Item]], size: int) -> Image.Image:
    """A part of a background photo."""
    picture = crop(rng, *pick(rng, photos, PHOTO_WEIGHTS).open())[0]
    return compose.jitter(rng, picture.resize((size, size), compose.BILINEAR))


def near(rng: Generator, subject: compose.Subject, size: int) -> Image.Image:
    """A studio ground of nearly the subject's own colour: white on white, black on black."""
    solid = np.asarray(subject.alpha)
    inside = np.asarray(subject.picture)[solid >= 0.8 * solid.max()]
    paint = np.percentile(inside, rng.choice([15, 50, 90]), axis=0) + rng.normal(0, 12) + rng.normal(0, 4, 3)
    return backgrounds.studio(rng, size, backgrounds.triple(paint))


def draw(rng: Generator, makers: dict[Maker, float], size: int) -> Image.Image:
    """One of the makers' pictures, by their weights."""
    weights = np.array(list(makers.values()))
    return list(makers)[int(rng.choice(len(weights), p=weights / weights.sum()))](rng, size)
