"""Solid things with holes one sees through, drawn by rule: rings, frames, mugs, bags, keys, magnifiers, spectacles.

Each shape function gives a matte: PIL mode L, ``side`` pixels square; the ground shows through its holes.
"""

from __future__ import annotations

from collections.abc import Callable

from numpy.random import Generator
from PIL import Image, ImageDraw

from training.compose import Subject
from training.structures import FINE, dress

Box = tuple[float, float, float, float]


def hollow(rng: Generator, size: int) -> Subject:
    """A random solid thing with a hole, its longer side up to about ``size`` pixels."""
    matte = SHAPES[int(rng.integers(len(SHAPES)))](rng, size * FINE)
    return dress(rng, matte.rotate(float(rng.normal(0, 8)), Image.Resampling.BILINEAR), size)


def ring(rng: Generator, side: int) -> Image.Image:
    """A ring seen from above or from the side: tyres, bangles, rolls of tape, doughnuts."""
    matte, draw = _canvas(side)
    half, flat = side * 0.42, rng.uniform(0.45, 1)
    _hoop(draw, _around(side / 2, side / 2, half, half * flat), half * rng.uniform(0.08, 0.65), square=False)
    return matte


def frame(rng: Generator, side: int) -> Image.Image:
    """A frame of a picture, a mirror or a window, with bars across now and then."""
    matte, draw = _canvas(side)
    wide, tall = (side * float(rng.uniform(0.22, 0.44)) for _ in range(2))
    bar = min(wide, tall) * rng.uniform(0.08, 0.5)
    box = _around(side / 2, side / 2, wide, tall)
    _hoop(draw, box, bar, square=rng.random() < 0.8)
    if rng.random() < 0.25:
        draw.rectangle((side / 2 - bar / 4, box[1] + bar / 2, side / 2 + bar / 4, box[3] - bar / 2), fill=255)
    return matte


def mug(rng: Generator, side: int) -> Image.Image:
    """A body with one handle or two at its side: cups, jugs, pots, watering cans."""
    matte, draw = _canvas(side)
    wide, tall = side * rng.uniform(0.16, 0.26), side * rng.uniform(0.2, 0.4)
    body = _around(side / 2, side / 2, wide, tall)
    for edge in (body[2], body[0])[: 1 if rng.random() < 0.75 else 2]:
        handle = _around(edge, side / 2, wide * rng.uniform(0.5, 0.9), tall * rng.uniform(0.45, 0.75))
        _hoop(draw, handle, wide * rng.uniform(0.1, 0.3), square=False)
    draw.rounded_rectangle(body, wide * rng.uniform(0.02, 0.5), fill=255)
    return matte


def bag(rng: Generator, side: int) -> Image.Image:
    """A body with an arch above it: bags, baskets, buckets, padlocks, kettlebells."""
    matte, draw = _canvas(side)
    wide, top = side * rng.uniform(0.2, 0.42), side * rng.uniform(0.4, 0.6)
    arch = _around(side / 2, top, wide * rng.uniform(0.4, 0.9), top * rng.uniform(0.5, 0.85))
    _hoop(draw, arch, wide * rng.uniform(0.05, 0.25), square=rng.random() < 0.2)
    body = (side / 2 - wide, top, side / 2 + wide, side * rng.uniform(0.75, 0.95))
    draw.rounded_rectangle(body, wide * rng.uniform(0.02, 0.3), fill=255)
    return matte


def key(rng: Generator, side: int) -> Image.Image:
    """A ring on a stem: keys, magnifiers, rackets without strings, ladles; two of them are scissors."""
    matte, draw = _canvas(side)
    head, bar = side * rng.uniform(0.12, 0.25), side * rng.uniform(0.02, 0.07)
    for x in (side / 2,) if rng.random() < 0.7 else (side / 2 - head, side / 2 + head):
        draw.line((x, side * 0.06 + head, side / 2, side * 0.94), fill=255, width=round(bar))
        eye = _around(x, side * 0.06 + head, head, head)
        draw.ellipse(eye, fill=0)
        _hoop(draw, eye, head * rng.uniform(0.12, 0.5), square=False)
    return matte


def spectacles(rng: Generator, side: int) -> Image.Image:
    """Two rims, a bridge and two temples, of wire or of horn."""
    matte, draw = _canvas(side)
    wire = max(2.0, side * float(rng.choice([rng.uniform(0.004, 0.01), rng.uniform(0.01, 0.04)])))
    half, y, tall = side * rng.uniform(0.11, 0.16), side / 2, rng.uniform(0.6, 1)
    gap, reach, slope = half * rng.uniform(1.15, 1.5), side * 0.46, side * rng.uniform(-0.15, 0.05)
    square = rng.random() < 0.3
    for way in (-1, 1):
        x = side / 2 + way * gap
        _hoop(draw, _around(x, y, half, half * tall), wire, square=square)
        draw.line((x + way * half, y, side / 2 + way * reach, y + slope), fill=255, width=round(wire))
    draw.line((side / 2 - gap + half, y, side / 2 + gap - half, y), fill=255, width=round(wire))
    return matte


SHAPES: tuple[Callable[[Generator, int], Image.Image], ...] = (ring, frame, mug, bag, key, spectacles)


def _canvas(side: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    matte = Image.new("L", (side, side), 0)
    return matte, ImageDraw.Draw(matte)


def _around(x: float, y: float, wide: float, tall: float) -> Box:
    return (x - wide, y - tall, x + wide, y + tall)


def _hoop(draw: ImageDraw.ImageDraw, box: Box, width: float, *, square: bool) -> None:
    """The outline of a rectangle or an ellipse, drawn inwards from the box, in pixels."""
    (draw.rectangle if square else draw.ellipse)(box, outline=255, width=max(2, round(width)))
