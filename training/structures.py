"""Thin things drawn by rule: wheels, lattices, branches, wires, legs; and soft blobs.

Each shape function gives a matte: PIL mode L, ``FINE`` times larger than the subject; the holes are
part of what has to be learnt.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from training import backgrounds, textures
from training.compose import Subject, crop_to_alpha

FINE = 3
SKINS = (
    backgrounds.plain,
    backgrounds.gradient,
    backgrounds.clouds,
    backgrounds.pattern,
    textures.wood,
    textures.stone,
)
SKIN_SHARES = (0.3, 0.25, 0.15, 0.08, 0.12, 0.1)


def thing(rng: Generator, size: int) -> Subject:
    """A random thin structure, its longer side up to about ``size`` pixels."""
    return dress(rng, SHAPES[int(rng.integers(len(SHAPES)))](rng, size * FINE), size)


def blob(rng: Generator, size: int) -> Subject:
    """A smooth closed shape with up to two holes: a cushion, a pebble, something that fur may grow on."""
    side = size * FINE
    matte, draw = _canvas(side)
    draw.polygon(_round(rng, side * 0.5, side * rng.uniform(0.2, 0.34)), fill=255)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.75, 0.15, 0.1]))):
        draw.polygon(_round(rng, side * rng.uniform(0.4, 0.6), side * rng.uniform(0.04, 0.12)), fill=0)
    return dress(rng, matte, size)


def dress(rng: Generator, matte: Image.Image, size: int) -> Subject:
    """Reduce the matte and give it a surface, shaded as if lit from one side."""
    alpha = matte.resize((size, size), Image.Resampling.BOX)
    skin = SKINS[int(rng.choice(len(SKINS), p=SKIN_SHARES))](rng, size)
    relief = np.asarray(alpha.filter(ImageFilter.BoxBlur(float(rng.uniform(1, 0.03 * size + 2)))), np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = (relief - np.roll(relief, (2, 2), (0, 1))) * np.cos(angle) + (
        relief - np.roll(relief, (2, -2), (0, 1))
    ) * np.sin(angle)
    lit = np.asarray(skin, np.float32) + (slope * rng.uniform(0.2, 1.2))[..., None]
    return crop_to_alpha(backgrounds.image(lit), alpha)


def wheel(rng: Generator, side: int) -> Image.Image:
    """One or two rings with spokes and a hub: bicycles, fans, clocks."""
    matte, draw = _canvas(side)
    for centre in ((0.5,), (0.27, 0.73))[int(rng.integers(2))]:
        radius = side * (0.48 if centre == 0.5 else 0.22)
        x, y, width = side * centre, side * 0.5, _width(rng, side)
        _ring(draw, x, y, radius, int(width * rng.uniform(1, 4)))
        _ring(draw, x, y, max(radius * rng.uniform(0.06, 0.2), 4), int(radius))
        phase, spokes = rng.uniform(0, np.pi), int(rng.integers(3, 32))
        for a in np.linspace(0, 2 * np.pi, spokes, endpoint=False) + phase:
            draw.line((x, y, x + radius * np.cos(a), y + radius * np.sin(a)), fill=255, width=width)
    if rng.random() < 0.6:
        _polyline(draw, rng.uniform(0.1, 0.9, (int(rng.integers(3, 6)), 2)) * side, _width(rng, side) * 2)
    return matte


def lattice(rng: Generator, side: int) -> Image.Image:
    """A frame filled with bars one or two ways: fences, gates, racks, masts, rackets."""
    matte, draw = _canvas(side)
    w, h = (int(side * rng.uniform(0.25, 0.95)) for _ in range(2))
    left, top = (side - w) // 2, (side - h) // 2
    width, slant = _width(rng, side), rng.choice([0.0, rng.uniform(0.3, 1.2)])
    gap = max(width * 3, int(side * rng.uniform(0.03, 0.16)))
    for x in range(left - int(h * slant), left + w + int(h * slant), gap):
        draw.line((x, top, x + h * slant, top + h), fill=255, width=width)
        if slant:
            draw.line((x, top, x - h * slant, top + h), fill=255, width=width)
    for y in range(top, top + h, int(gap * rng.uniform(0.7, 4))) if rng.random() < 0.7 else ():
        draw.line((left, y, left + w, y), fill=255, width=width)
    shape = Image.new("L", matte.size, 0)
    box, edge = (left, top, left + w, top + h), int(width * rng.uniform(1, 4))
    outline = ImageDraw.Draw(shape).ellipse if rng.random() < 0.3 else ImageDraw.Draw(shape).rectangle
    outline(box, fill=255)
    matte = Image.composite(matte, Image.new("L", matte.size, 0), shape)
    (ImageDraw.Draw(matte).ellipse if outline.__name__ == "ellipse" else ImageDraw.Draw(matte).rectangle)(
        box, outline=255, width=edge
    )
    return matte


def branch(rng: Generator, side: int) -> Image.Image:
    """A stem that forks, with leaves or without: twigs, plants, antlers."""
    matte, draw = _canvas(side)
    leaves, spread = rng.random() < 0.55, rng.uniform(0.3, 0.8)
    leaf = side * rng.uniform(0.015, 0.05)

    def fork(at: tuple[float, float], angle: float, length: float, width: float, depth: int) -> None:
        x, y = at
        x1, y1 = x + length * np.cos(angle), y + length * np.sin(angle)
        draw.line((x, y, x1, y1), fill=255, width=max(2, int(width)))
        if depth == 0:
            if leaves:
                t = np.linspace(0, 2 * np.pi, 9)
                u, v = leaf * 2 * np.cos(t) + leaf, leaf * np.sin(t)
                outline = (x1 + u * np.cos(angle) - v * np.sin(angle), y1 + u * np.sin(angle) + v * np.cos(angle))
                draw.polygon([(float(a), float(b)) for a, b in zip(*outline, strict=True)], fill=255)
            return
        for _ in range(int(rng.integers(2, 4))):
            fork((x1, y1), angle + rng.normal(0, spread), length * rng.uniform(0.6, 0.9), width * 0.65, depth - 1)

    fork((side / 2, side * 0.97), -np.pi / 2, side * rng.uniform(0.15, 0.28), side * rng.uniform(0.008, 0.04), 4)
    return matte


def wires(rng: Generator, side: int) -> Image.Image:
    """Loose cables, straps and strings: smooth curves, some closed."""
    matte, draw = _canvas(side)
    for _ in range(int(rng.integers(1, 6))):
        knots = rng.uniform(0.05, 0.95, (int(rng.integers(4, 8)), 2)) * side
        t = np.linspace(0, 1, 60)[:, None]
        curve = np.zeros((60, 2))
        for i, knot in enumerate(knots):  # Bernstein polynomials
            n = len(knots) - 1
            curve += _choose(n, i) * t**i * (1 - t) ** (n - i) * knot
        _polyline(draw, curve, _width(rng, side))
    if rng.random() < 0.5:  # something that hangs on them
        draw.polygon(_round(rng, side * 0.5, side * rng.uniform(0.08, 0.25)), fill=255)
    return matte


def legs(rng: Generator, side: int) -> Image.Image:
    """A seat or table top on thin legs with rungs, perhaps a back: chairs, stools, tables, tripods, lamps."""
    matte, draw = _canvas(side)
    top, width = side * rng.uniform(0.25, 0.6), _width(rng, side) * 2
    left, right = side * rng.uniform(0.1, 0.3), side * rng.uniform(0.7, 0.9)
    thick = side * rng.uniform(0.01, 0.12)
    feet = np.linspace(left, right, int(rng.integers(2, 5))) + rng.normal(0, side * 0.06)
    for x0, x1 in zip(np.linspace(left, right, len(feet)), feet, strict=True):
        draw.line((x0, top, x1, side * rng.uniform(0.88, 0.98)), fill=255, width=width)
    for y in rng.uniform(top, side * 0.85, int(rng.integers(0, 3))):
        draw.line((left, y, right, y), fill=255, width=width)
    draw.rounded_rectangle((left, top, right, top + thick), thick / 3, fill=255)
    if rng.random() < 0.5:
        for x in np.linspace(left, right, int(rng.integers(2, 9))):
            draw.line((x, top, x, side * 0.06), fill=255, width=width)
        draw.line((left, side * 0.06, right, side * 0.06), fill=255, width=width * 2)
    return matte


SHAPES: tuple[Callable[[Generator, int], Image.Image], ...] = (wheel, lattice, branch, wires, legs)


def _canvas(side: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    matte = Image.new("L", (side, side), 0)
    return matte, ImageDraw.Draw(matte)


def _width(rng: Generator, side: int) -> int:
    return max(2, int(side * rng.choice([rng.uniform(0.004, 0.01), rng.uniform(0.01, 0.03)])))


def _ring(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, width: int) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=width)


def _polyline(draw: ImageDraw.ImageDraw, points: np.ndarray, width: int) -> None:
    draw.line([(float(x), float(y)) for x, y in points], fill=255, width=width, joint="curve")


def _round(rng: Generator, centre: float, radius: float) -> list[tuple[float, float]]:
    t = np.linspace(0, 2 * np.pi, 72)
    waves = sum(rng.normal(0, 0.16 / k) * np.cos(k * t + rng.uniform(0, 6)) for k in range(1, 6))
    r = radius * (1 + waves)
    return [(float(a), float(b)) for a, b in zip(centre + r * np.cos(t), centre + r * np.sin(t), strict=True)]


def _choose(n: int, k: int) -> float:
    return float(np.prod([(n - j) / (j + 1) for j in range(k)]))
