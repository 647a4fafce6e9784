"""Things one can see through: vessels of glass, bubbles, veils. Their alpha is partly between 0 and 1.

The picture is the thing's own colour (straight alpha), so that what lies behind shines through.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from training import backgrounds
from training.compose import Subject, crop_to_alpha

FINE = 2


def translucent(rng: Generator, size: int) -> Subject:
    """A vessel, a bubble or a veil, its longer side up to ``size`` pixels."""
    make = (vessel, vessel, bubble, veil)[int(rng.integers(4))]
    return make(rng, size)


def vessel(rng: Generator, size: int) -> Subject:
    """A tumbler, jar, bottle or stemmed glass, empty or filled, with bright streaks."""
    body = profile(rng, size)
    outline = body.resize((size, size), Image.Resampling.BOX)
    wall = rng.uniform(0.008, 0.03) * size
    core = outline.filter(ImageFilter.GaussianBlur(wall)).point(lambda v: max(0, 2 * v - 255))
    tint = 255 - rng.uniform(0, 70) * rng.random(3)
    return _blown(rng, outline, core, tint, liquid=rng.random() < 0.5)


def bubble(rng: Generator, size: int) -> Subject:
    """A ball or lens of glass, clearer in the middle than at its rim."""
    outline = Image.new("L", (size * FINE, size * FINE), 0)
    squeeze = rng.uniform(0.7, 1)
    edge = size * FINE * (1 - squeeze) / 2
    ImageDraw.Draw(outline).ellipse((2, 2 + edge, size * FINE - 3, size * FINE - 3 - edge), fill=255)
    outline = outline.resize((size, size), Image.Resampling.BOX)
    core = outline.filter(ImageFilter.GaussianBlur(rng.uniform(0.02, 0.12) * size)).point(lambda v: max(0, 2 * v - 255))
    return _blown(rng, outline, core, 255 - rng.uniform(0, 110) * rng.random(3), liquid=False)


def veil(rng: Generator, size: int) -> Subject:
    """Thin cloth: folds are denser than what lies between them."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    sway = backgrounds.noise(rng, size, (3, 3)) * 0.15
    edge = np.clip((0.45 - np.abs(x - 0.5 + sway * y)) * size / 3, 0, 1) * np.clip(
        (0.48 - np.abs(y - 0.5)) * size / 3, 0, 1
    )
    folds = np.sin((x + sway) * rng.uniform(15, 60)) * 0.5 + 0.5
    density = np.clip(rng.uniform(0.4, 0.6) + folds * rng.uniform(0.1, 0.4), 0, 1) * edge
    cloth = np.array(backgrounds.colour(rng)) * (0.75 + 0.25 * folds[..., None])
    return crop_to_alpha(backgrounds.image(cloth), _level(density))


def profile(rng: Generator, size: int) -> Image.Image:
    """Outline of a vessel seen from the side: PIL mode L, ``FINE`` times ``size``."""
    side = size * FINE
    heights = np.linspace(0.03, 0.97, 8)
    kind = rng.integers(3)
    if kind == 0:  # tumbler, jar
        widths = np.linspace(rng.uniform(0.2, 0.4), rng.uniform(0.15, 0.35), 8)
    elif kind == 1:  # bottle
        neck, body = rng.uniform(0.04, 0.09), rng.uniform(0.13, 0.25)
        widths = np.interp(heights, (0, 0.3, 0.45, 1), (neck, neck, body, body))
    else:  # stemmed
        bowl, foot = rng.uniform(0.18, 0.3), rng.uniform(0.12, 0.25)
        widths = np.interp(heights, (0, 0.3, 0.52, 0.56, 0.9, 0.97), (bowl * 0.8, bowl, 0.04, 0.02, 0.02, foot))
    fine = np.linspace(0.03, 0.97, 80)
    smooth = np.interp(fine, heights, widths) * side
    outline = np.concatenate(
        (np.stack((side / 2 - smooth, fine * side), 1), np.stack((side / 2 + smooth, fine * side), 1)[::-1])
    )
    matte = Image.new("L", (side, side), 0)
    ImageDraw.Draw(matte).polygon([(float(a), float(b)) for a, b in outline], fill=255)
    return matte


def _blown(rng: Generator, outline: Image.Image, core: Image.Image, tint: np.ndarray, *, liquid: bool) -> Subject:
    size = outline.size[0]
    whole, inside = (np.asarray(p, np.float32) / 255 for p in (outline, core))
    clear, rim = rng.uniform(0.25, 0.6), rng.uniform(0.7, 1.0)
    density = whole * (rim + (clear - rim) * inside)
    shade = np.where(inside < 0.6, rng.uniform(0.35, 1.0), rng.uniform(0.7, 1.05))[..., None]
    colour = tint * shade
    if liquid:
        filled = np.clip((np.mgrid[0:size, 0:size][0] - rng.uniform(0.25, 0.8) * size) / 2, 0, 1) * whole
        density = np.maximum(density, filled * rng.uniform(0.5, 0.97))
        colour = colour + (np.array(backgrounds.colour(rng)) - colour) * (filled * 0.85)[..., None]
    streaks = _streaks(rng, outline)
    density = np.maximum(density, streaks * 0.95)
    colour = colour + (255 - colour) * streaks[..., None]
    return crop_to_alpha(backgrounds.image(colour), _level(density))


def _streaks(rng: Generator, outline: Image.Image) -> np.ndarray:
    """Reflections of windows and lamps: bright bars and spots within the outline, 0..1."""
    size = outline.size[0]
    light = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(light)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(0.2, 0.8, 2) * size
        w, h = rng.uniform(0.005, 0.04) * size, rng.uniform(0.03, 0.3) * size
        draw.ellipse((x - w, y - h, x + w, y + h), fill=int(rng.integers(120, 256)))
    light = light.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 2))))
    return np.asarray(ImageChops.multiply(light, outline), np.float32) / 255


def _level(density: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.round(density * 255), 0, 255).astype(np.uint8))
