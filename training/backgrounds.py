"""Simple procedural backgrounds: studio grounds, gradients, noise, bokeh, patterns.

Every function gives a PIL image of mode RGB and size (size, size).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter


def colour(rng: Generator) -> tuple[int, int, int]:
    """A random colour; half the time a light or dark grey, as studios and pages have."""
    if rng.random() < 0.5:
        grey = int(rng.choice([rng.integers(215, 256), rng.integers(0, 256)], p=[0.7, 0.3]))
        tint = rng.integers(-8, 9, 3)
        return triple(grey + tint)
    return triple(rng.integers(0, 256, 3))


def plain(rng: Generator, size: int) -> Image.Image:
    """One colour; a quarter of them pure white, the commonest ground of product photos."""
    white = rng.random() < 0.25
    return Image.new("RGB", (size, size), (255, 255, 255) if white else colour(rng))


def studio(rng: Generator, size: int, paint: tuple[int, int, int] | None = None) -> Image.Image:
    """A wall and a table in nearly one colour (``paint``) with a soft edge between, and a vignette."""
    base = np.array(paint or colour(rng), np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    horizon = rng.uniform(0.45, 0.9)
    step = np.clip((y - horizon) / rng.uniform(0.01, 0.3), 0, 1)[..., None]
    light = 1 - rng.uniform(0, 0.5) * np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.1, 0.7))[..., None]
    return image((base + step * rng.uniform(-45, 45)) * light)


def gradient(rng: Generator, size: int) -> Image.Image:
    """Two colours blended along a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    t = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None]
    return image(np.array(colour(rng)) * (1 - t) + np.array(colour(rng)) * t)


def clouds(rng: Generator, size: int) -> Image.Image:
    """Sum of noises of several coarsenesses: cloth, plaster, foliage out of focus."""
    total = np.zeros((size, size, 3), np.float32)
    for cells in (3, 8, 24, 80)[: int(rng.integers(1, 5))]:
        channels = 3 if rng.random() < 0.5 else 1
        grid = rng.integers(0, 256, (cells, cells, channels), dtype=np.uint8).repeat(3 // channels, 2)
        layer = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        total += (np.asarray(layer, np.float32) - 128) / np.sqrt(cells)
    return image(np.array(colour(rng)) * 0.6 + 50 + total * rng.uniform(0.5, 2.5))


def bokeh(rng: Generator, size: int) -> Image.Image:
    """Blurred discs of light on a gradient."""
    picture = gradient(rng, size)
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(int(rng.integers(5, 40))):
        x, y = rng.integers(0, size, 2)
        r = int(rng.uniform(0.01, 0.12) * size) + 1
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*colour(rng), int(rng.integers(40, 200))))
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 6))))


def pattern(rng: Generator, size: int) -> Image.Image:
    """Stripes, waves or a chequer in two colours."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, size / 4)
    u = (x * np.cos(angle) + y * np.sin(angle)) / period
    v = (y * np.cos(angle) - x * np.sin(angle)) / (period * rng.uniform(0.5, 2))
    wave = np.sin(2 * np.pi * u) * (np.sin(2 * np.pi * v) if rng.random() < 0.5 else 1)
    t = np.clip(wave * rng.uniform(0.5, 8) * 0.5 + 0.5, 0, 1)[..., None]
    return image(np.array(colour(rng)) * (1 - t) + np.array(colour(rng)) * t)


def grain(rng: Generator, size: int) -> Image.Image:
    """Independent noise for each pixel, or for each small block of pixels."""
    cells = size // int(rng.integers(1, 9))
    values = rng.normal(128, rng.uniform(20, 90), (cells, cells, int(rng.choice([1, 3]))))
    grid = np.clip(values, 0, 255).astype(np.uint8).repeat(3 // values.shape[2], 2)
    return Image.fromarray(grid).resize((size, size), Image.Resampling.NEAREST)


def noise(rng: Generator, size: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise of the given number of cells across and down, float32 [size, size], about -1..1."""
    grid = rng.normal(0, 0.5, cells[::-1]).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC))


def triple(values: np.ndarray) -> tuple[int, int, int]:
    """Three numbers as a colour of PIL, clipped to 0..255."""
    r, g, b = np.clip(values, 0, 255).astype(int)
    return int(r), int(g), int(b)


def image(values: np.ndarray) -> Image.Image:
    """Values [H, W, 3] as an RGB picture, clipped to 0..255."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
