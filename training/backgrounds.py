"""Procedural backgrounds: studio grounds, gradients, noise, bokeh, patterns and pages of text.

Every function gives a PIL image of mode RGB and size (size, size).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPRSTUW0123456789"))


def colour(rng: Generator) -> tuple[int, int, int]:
    """A random colour; half the time a light or dark grey, as studios and pages have."""
    if rng.random() < 0.5:
        grey = int(rng.choice([rng.integers(215, 256), rng.integers(0, 256)], p=[0.7, 0.3]))
        tint = rng.integers(-8, 9, 3)
        return _triple(grey + tint)
    return _triple(rng.integers(0, 256, 3))


def plain(rng: Generator, size: int) -> Image.Image:
    """One colour; a quarter of them pure white, the commonest ground of product photos."""
    white = rng.random() < 0.25
    return Image.new("RGB", (size, size), (255, 255, 255) if white else colour(rng))


def studio(rng: Generator, size: int) -> Image.Image:
    """A wall and a table in nearly one colour with a soft edge between, and a vignette."""
    base = np.array(colour(rng), np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    horizon = rng.uniform(0.45, 0.9)
    step = np.clip((y - horizon) / rng.uniform(0.01, 0.3), 0, 1)[..., None]
    light = 1 - rng.uniform(0, 0.5) * np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.1, 0.7))[..., None]
    return _image((base + step * rng.uniform(-45, 45)) * light)


def gradient(rng: Generator, size: int) -> Image.Image:
    """Two colours blended along a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    t = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None]
    return _image(np.array(colour(rng)) * (1 - t) + np.array(colour(rng)) * t)


def clouds(rng: Generator, size: int) -> Image.Image:
    """Sum of noises of several coarsenesses: cloth, plaster, foliage out of focus."""
    total = np.zeros((size, size, 3), np.float32)
    for cells in (3, 8, 24, 80)[: int(rng.integers(1, 5))]:
        channels = 3 if rng.random() < 0.5 else 1
        grid = rng.integers(0, 256, (cells, cells, channels), dtype=np.uint8).repeat(3 // channels, 2)
        layer = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        total += (np.asarray(layer, np.float32) - 128) / np.sqrt(cells)
    return _image(np.array(colour(rng)) * 0.6 + 50 + total * rng.uniform(0.5, 2.5))


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
    return _image(np.array(colour(rng)) * (1 - t) + np.array(colour(rng)) * t)


def grain(rng: Generator, size: int) -> Image.Image:
    """Independent noise for each pixel, or for each small block of pixels."""
    cells = size // int(rng.integers(1, 9))
    noise = rng.normal(128, rng.uniform(20, 90), (cells, cells, int(rng.choice([1, 3]))))
    grid = np.clip(noise, 0, 255).astype(np.uint8).repeat(3 // noise.shape[2], 2)
    return Image.fromarray(grid).resize((size, size), Image.Resampling.NEAREST)


def page(rng: Generator, size: int) -> Image.Image:
    """A page or screenshot: lines of words, some boxes, dark on light or light on dark."""
    dark = rng.random() < 0.25
    paper, ink = ((24, 24, 28), (220, 220, 220)) if dark else ((250, 250, 247), (30, 30, 34))
    picture = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.integers(0, size, 2)
        draw.rectangle((x, y, x + int(rng.integers(20, size)), y + int(rng.integers(8, 60))), fill=colour(rng))
    font_px, margin = int(rng.integers(8, 22)), int(rng.integers(4, 40))
    for y in range(margin, size - margin, int(font_px * rng.uniform(1.2, 2))):
        words = ("".join(rng.choice(LETTERS, int(rng.integers(1, 10)))) for _ in range(int(rng.integers(1, 14))))
        draw.text((margin, y), " ".join(words), fill=ink, font_size=font_px)
    return picture


GROUNDS = (plain, studio, gradient, clouds, bokeh, pattern)  # to stand a subject on
EMPTIES = (plain, studio, gradient, clouds, bokeh, pattern, grain, page)  # without a subject


def _triple(values: np.ndarray) -> tuple[int, int, int]:
    r, g, b = np.clip(values, 0, 255).astype(int)
    return int(r), int(g), int(b)


def _image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
