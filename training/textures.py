"""Procedural textures and places: wood, cloth, bricks, foliage, stone, sky, rooms.

Every function gives a PIL image of mode RGB and size (size, size).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from training.backgrounds import colour, image, noise, triple


def wood(rng: Generator, size: int) -> Image.Image:
    """Planks with grain along them: tables and floors."""
    base = np.array([rng.uniform(90, 225)] * 3) * np.array([1, rng.uniform(0.72, 0.9), rng.uniform(0.5, 0.8)])
    fibres = noise(rng, size, (int(rng.integers(2, 5)), int(rng.integers(40, 120))))
    planks = rng.integers(2, 9)
    y = np.arange(size) * planks // size
    shade = rng.normal(0, 14, planks)[y][:, None]
    seam = (np.diff(y, append=y[-1]) != 0)[:, None] * -45.0
    grain = image(base + (fibres.T * rng.uniform(10, 30) + shade + seam)[..., None])
    return grain.rotate(90 * int(rng.integers(0, 2)))


def weave(rng: Generator, size: int) -> Image.Image:
    """Woven or knitted cloth with folds."""
    period = rng.uniform(3, 12)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) * (2 * np.pi / period)
    threads = np.sin(x) * np.sin(y + x * rng.choice([0, 0.5, 1])) * rng.uniform(6, 30)
    folds = noise(rng, size, (int(rng.integers(2, 5)), int(rng.integers(2, 5)))) * rng.uniform(5, 35)
    return image(np.array(colour(rng)) + (threads + folds)[..., None])


def bricks(rng: Generator, size: int) -> Image.Image:
    """Bricks or tiles with joints, each a little different."""
    tall, wide = rng.uniform(0.03, 0.2) * size, rng.uniform(0.06, 0.35) * size
    shift = float(rng.choice([0, 0.5]))
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    row = np.floor(y / tall)
    across = x / wide + row * shift
    column = np.floor(across)
    shade = rng.normal(0, rng.uniform(2, 16), (97,))[((row * 31 + column * 17) % 97).astype(int)]
    joint = ((y % tall) < max(1, tall * 0.07)) | ((across % 1) * wide < max(1, tall * 0.07))
    rough = noise(rng, size, (60, 60)) * rng.uniform(0, 14)
    wall = np.array(colour(rng)) + (shade + rough)[..., None]
    return image(np.where(joint[..., None], np.array(colour(rng)), wall))


def foliage(rng: Generator, size: int) -> Image.Image:
    """Leaves over leaves, or pebbles: many turned ellipses, the last ones sharpest."""
    green = rng.random() < 0.7
    base = np.array([rng.uniform(30, 120), rng.uniform(70, 170), rng.uniform(20, 90)]) if green else colour(rng)
    picture = Image.new("RGB", (size, size), triple(np.array(base) * 0.4))
    draw = ImageDraw.Draw(picture)
    length = rng.uniform(0.03, 0.12) * size
    count = int(min(500, rng.uniform(0.6, 2) * (size / length) ** 2))
    for depth in np.linspace(0.45, 1.15, count):
        x, y, turn, slim = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0, np.pi), rng.uniform(0.15, 0.6)
        t = np.linspace(0, 2 * np.pi, 9)
        u, v = length * np.cos(t), length * slim * np.sin(t)
        outline = np.stack((x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)), 1)
        fill = triple(np.array(base) * depth + rng.normal(0, 12, 3))
        draw.polygon([(float(a), float(b)) for a, b in outline], fill=fill)
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3))))


def stone(rng: Generator, size: int) -> Image.Image:
    """Marble, plaster, concrete: veins are the zero lines of a noise."""
    rough = noise(rng, size, (5, 5)) + 0.5 * noise(rng, size, (14, 14)) + 0.25 * noise(rng, size, (60, 60))
    veins = np.exp(-np.abs(rough) * rng.uniform(4, 14)) * rng.uniform(-70, 70)
    return image(np.array(colour(rng)) + (veins + rough * rng.uniform(2, 20))[..., None])


def sky(rng: Generator, size: int) -> Image.Image:
    """Sky with clouds, down to a horizon of sea, sand, snow or grass in half of them."""
    y = np.linspace(0, 1, size)[:, None, None]
    high = np.array([rng.uniform(30, 150), rng.uniform(90, 190), rng.uniform(150, 255)])
    low = np.array(colour(rng)) * 0.4 + 140
    cloud = np.clip(noise(rng, size, (4, 3)) + 0.5 * noise(rng, size, (12, 8)) - rng.uniform(-0.3, 0.8), 0, 1)[
        ..., None
    ]
    scene = high * (1 - y) + low * y
    scene = scene + (rng.uniform(215, 250) - scene) * cloud
    if rng.random() < 0.5:
        ground = np.array(colour(rng)) + (noise(rng, size, (6, 90)).T * rng.uniform(3, 25))[..., None]
        scene = np.where(y > rng.uniform(0.45, 0.9), ground, scene)
    return image(scene)


def room(rng: Generator, size: int) -> Image.Image:
    """A wall, a floor with boards or plain, and a few boxes: door, window, picture, shelf."""
    floor = int(rng.uniform(0.55, 0.9) * size)
    picture = image(np.array(colour(rng)) + (noise(rng, size, (3, 3)) * rng.uniform(2, 18))[..., None])
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 5))):
        left, wide, tall = (rng.uniform(*span) * size for span in ((-0.1, 0.9), (0.08, 0.4), (0.08, 0.5)))
        bottom = floor if rng.random() < 0.4 else int(rng.uniform(0.2, 0.6) * size)
        box = (int(left), int(bottom - tall), int(left + wide), bottom)
        draw.rectangle(box, fill=colour(rng), outline=colour(rng), width=int(rng.integers(1, 6)))
    boards = wood(rng, size) if rng.random() < 0.5 else Image.new("RGB", (size, size), colour(rng))
    picture.paste(boards.crop((0, 0, size, size - floor)), (0, floor))
    skirting = int(rng.uniform(0, 0.03) * size)
    ImageDraw.Draw(picture).rectangle((0, floor - skirting, size, floor), fill=colour(rng))
    return picture.filter(ImageFilter.GaussianBlur(float(rng.choice([rng.uniform(0, 1), rng.uniform(1, 6)]))))
