"""Logos, wordmarks, icons and line drawings: flat ink on a ground. The ink is the subject, holes stay open.

Letters are drawn with the free fonts that Debian installs (DejaVu, Liberation) or with Pillow's own.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from training import backgrounds
from training.compose import Subject, crop_to_alpha
from training.pages import LETTERS

FINE = 2
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSansMono-Bold",
    "LiberationSans-Regular",
    "LiberationSans-Bold",
    "LiberationSerif-Italic",
    "LiberationSerif-Bold",
    "LiberationSansNarrow-Bold",
)
KINDS = {"word": 0.35, "badge": 0.2, "icon": 0.15, "drawing": 0.3}


def mark(rng: Generator, size: int) -> Subject:
    """Any of the kinds in one to three inks; its longer side is up to about ``size`` pixels."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    matte = {"word": word, "badge": badge, "icon": icon, "drawing": drawing}[kind](rng, size * FINE)
    alpha = matte.resize((max(6, matte.width // FINE), max(6, matte.height // FINE)), Image.Resampling.BOX)
    return crop_to_alpha(inks(rng, alpha.size), alpha)


def inks(rng: Generator, size: tuple[int, int]) -> Image.Image:
    """One colour, two by halves, or a gradient."""
    side = max(size)
    paint = backgrounds.gradient(rng, side) if rng.random() < 0.2 else Image.new("RGB", (side, side), ink(rng))
    if rng.random() < 0.3:
        paint.paste(ink(rng), (int(side * rng.uniform(0.2, 0.8)), 0, side, side))
    return paint.crop((0, 0, *size))


def ink(rng: Generator) -> tuple[int, int, int]:
    """Black half the time, else any colour."""
    if rng.random() < 0.4:
        return backgrounds.triple(rng.integers(0, 50) + rng.integers(-6, 7, 3))
    return backgrounds.triple(rng.integers(0, 256, 3))


def word(rng: Generator, side: int) -> Image.Image:
    """One to three lines of letters."""
    lines = [letters(rng, int(rng.integers(2, 10))) for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])))]
    longest = max(len(line) for line in lines)
    font = load(str(rng.choice(FONTS)), max(12, int(1.5 * side / longest)))
    text = "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font)
    matte = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    ImageDraw.Draw(matte).multiline_text((2 - left, 2 - top), text, 255, font, align="center")
    matte.thumbnail((side, side))
    if rng.random() < 0.3:
        matte = matte.rotate(float(rng.normal(0, 8)), Image.Resampling.BILINEAR, expand=True)
    return matte


def badge(rng: Generator, side: int) -> Image.Image:
    """A ring, frame or solid plate with letters inside, which are cut out of a solid one now and then."""
    matte, width = Image.new("L", (side, side), 0), max(2, int(side * rng.uniform(0.01, 0.12)))
    draw, box = ImageDraw.Draw(matte), (width, width, side - width, side - width)
    shape = (draw.ellipse, draw.rectangle, lambda *a, **k: draw.rounded_rectangle(*a, radius=side // 6, **k))
    solid = rng.random() < 0.4
    shape[int(rng.integers(3))](box, fill=255 if solid else None, outline=255, width=width)  # type: ignore[operator]
    if rng.random() < 0.75:
        inner = word(rng, int(side * rng.uniform(0.3, 0.6)))
        corner = ((side - inner.width) // 2, (side - inner.height) // 2)
        matte.paste(0 if solid else 255, corner, inner)
    return matte.resize((side, int(side * rng.uniform(0.4, 1)))) if rng.random() < 0.4 else matte


def icon(rng: Generator, side: int) -> Image.Image:
    """Rings, handles, bars and polygons over each other, some of them cut out of the rest."""
    matte = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(matte)
    for i in range(int(rng.integers(2, 6))):
        x, y, r = *rng.uniform(0.25, 0.75, 2) * side, side * rng.uniform(0.08, 0.25)
        fill, width = 0 if i and rng.random() < 0.3 else 255, max(2, int(side * rng.uniform(0.01, 0.05)))
        match int(rng.integers(4)):
            case 0:
                draw.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=width)
            case 1:
                draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
            case 2:
                draw.regular_polygon((x, y, r), int(rng.integers(3, 8)), float(rng.uniform(0, 360)), fill=fill)
            case _:
                draw.line((x - r, y, x + r, y + float(rng.uniform(-r, r))), fill=fill, width=width)
    return matte


def drawing(rng: Generator, side: int) -> Image.Image:
    """A few pen strokes: closed outlines and open lines, each of one width."""
    matte, width = Image.new("L", (side, side), 0), max(2, int(side * rng.uniform(0.004, 0.025)))
    draw = ImageDraw.Draw(matte)
    for _ in range(int(rng.integers(1, 7))):
        centre, radius = rng.uniform(0.3, 0.7, 2) * side, side * rng.uniform(0.05, 0.4)
        closed = rng.random() < 0.6
        angles = np.linspace(0, 2 * np.pi * (1 if closed else rng.uniform(0.2, 0.9)), 90) + rng.uniform(0, 6)
        waves = sum(rng.normal(0, 0.25 / n) * np.cos(n * angles + rng.uniform(0, 6)) for n in range(1, 6))
        stretch = rng.uniform(0.3, 1)
        points = [
            (float(centre[0] + radius * (1 + w) * np.cos(a)), float(centre[1] + stretch * radius * (1 + w) * np.sin(a)))
            for a, w in zip(angles, waves, strict=True)
        ]
        draw.line([*points, points[0]] if closed else points, fill=255, width=width, joint="curve")
    return matte


def letters(rng: Generator, n: int) -> str:
    """``n`` letters and digits."""
    return "".join(rng.choice(LETTERS, n))


@cache
def load(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font by its file's name, or Pillow's own where it is not installed."""
    try:
        return ImageFont.truetype(f"{name}.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
