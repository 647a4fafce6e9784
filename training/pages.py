"""Flat graphics: pages of text, screenshots, charts. None of them has a subject.

Every function gives a PIL image of mode RGB and size (size, size).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from training.backgrounds import clouds, colour, gradient, image, noise

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPRSTUW0123456789"))
Ink = tuple[int, int, int]


def page(rng: Generator, size: int) -> Image.Image:
    """A printed or written page: lines of words, some boxes, dark on light or light on dark."""
    paper, ink = papers(rng)
    picture = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.integers(0, size, 2)
        draw.rectangle((x, y, x + int(rng.integers(20, size)), y + int(rng.integers(8, 60))), fill=colour(rng))
    margin = int(rng.integers(4, 40))
    text(rng, draw, (margin, margin, size - margin, size - margin), ink, int(rng.integers(8, 22)))
    if rng.random() < 0.3:
        picture = picture.rotate(float(rng.normal(0, 3)), fillcolor=paper)
    return photographed(rng, picture) if rng.random() < 0.4 else picture


def photographed(rng: Generator, picture: Image.Image) -> Image.Image:
    """The page lit unevenly, out of focus and a little grey, as a camera sees it."""
    size = picture.size[0]
    light = rng.uniform(0.55, 0.95) + 0.25 * noise(rng, size, (2, 2))
    seen = np.asarray(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1.2)))), np.float32)
    return image(seen * light[..., None] + rng.uniform(0, 25))


def screenshot(rng: Generator, size: int) -> Image.Image:
    """Windows with a bar, cards with a picture and words, buttons and icons."""
    paper, ink = papers(rng)
    picture = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(picture)
    bar, side = int(rng.uniform(0, 0.12) * size), int(rng.choice([0, rng.uniform(0.1, 0.3)]) * size)
    draw.rectangle((0, 0, size, bar), fill=colour(rng))
    draw.rectangle((0, bar, side, size), fill=colour(rng))
    columns, gap = int(rng.integers(1, 5)), int(rng.integers(3, 14))
    step = (size - side) // columns
    tall = int(step * rng.uniform(0.4, 1.3)) + 2 * gap
    for y in range(bar + gap, size, tall):
        for x in range(side + gap, size - step // 2, step):
            _card(rng, picture, (x, y, x + step - gap, y + tall - gap), ink)
    return picture


def chart(rng: Generator, size: int) -> Image.Image:
    """Bars, lines or a pie with a few labels on a plain sheet."""
    paper, ink = papers(rng)
    picture = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(picture)
    low, high = int(0.12 * size), int(0.88 * size)
    draw.line((low, low, low, high, high, high), fill=ink, width=int(rng.integers(1, 4)))
    for y in range(low, high, int(size * rng.uniform(0.08, 0.2))):
        draw.line((low, y, high, y), fill=tuple((p * 3 + i) // 4 for p, i in zip(paper, ink, strict=True)))
    n = int(rng.integers(3, 12))
    xs = np.linspace(low, high, n + 1).astype(int)
    for _ in range(int(rng.integers(1, 4))):
        tops, fill = rng.integers(low, high, n + 1), colour(rng)
        if rng.random() < 0.5:
            draw.line(
                [(int(x), int(y)) for x, y in zip(xs, tops, strict=True)], fill=fill, width=int(rng.integers(1, 6))
            )
        else:
            for x, y in zip(xs[:-1], tops, strict=False):
                draw.rectangle((int(x), int(y), int(x) + (high - low) // (2 * n), high), fill=fill)
    text(rng, draw, (low, 2, high, low), ink, int(rng.integers(8, 20)))
    return picture


def papers(rng: Generator) -> tuple[Ink, Ink]:
    """Paper and ink: light three times in four."""
    return ((24, 24, 28), (220, 220, 220)) if rng.random() < 0.25 else ((250, 250, 247), (30, 30, 34))


def text(rng: Generator, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: Ink, px: int) -> None:
    """Lines of random words of height ``px`` within the box."""
    left, top, right, bottom = box
    longest = max(2, (right - left) * 2 // px)
    for y in range(top, bottom - px, max(1, int(px * rng.uniform(1.2, 2)))):
        letters = rng.choice(LETTERS, int(rng.integers(1, longest)))
        letters[rng.random(len(letters)) < 0.17] = " "
        draw.text((left, y), "".join(letters), fill=ink, font_size=px)


def _card(rng: Generator, picture: Image.Image, box: tuple[int, int, int, int], ink: Ink) -> None:
    left, top, right, bottom = box
    if right - left < 8 or bottom - top < 8:
        return
    draw, middle = ImageDraw.Draw(picture), (top + bottom) // 2
    if rng.random() < 0.5:
        draw.rounded_rectangle(box, 4, fill=colour(rng))
    if rng.random() < 0.6:
        thumbnail = (gradient if rng.random() < 0.5 else clouds)(rng, 64)
        picture.paste(thumbnail.resize((right - left, max(1, middle - top))), (left, top))
    text(rng, draw, (left + 2, middle, right, bottom), ink, int(rng.integers(7, 14)))
