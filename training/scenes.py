"""Scenes of 1024 px with an exact alpha, for the refiner.

The cutouts are at most 448 px, so nothing is only enlarged: enlarged outlines are drawn anew with an edge of a pixel
or two, their colours are carried outward over the new edge, hair and structures are drawn at full size, and grounds
are tiled rather than stretched. Photos with outlines take part too, at a lower weight, to show what is real: those of
people are drawn well enough to be judged at the edge itself, and so are masks that IS-Net and another teacher agree on.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageFilter, ImageOps

from training import compose, glass, marks, strands, structures
from training.backgrounds import bokeh, clouds, gradient, pattern, plain, studio
from training.compose import Subject
from training.fusion import Found
from training.shards import Collection, Item
from training.textures import bricks, room, stone, weave, wood

SIDE = 1024
CUTOUTS = {"objects-ycb": 3.0, "furniture-house": 2.5, "food-iconic": 1.0, "emoji-fluent3d": 1.5, "emoji-noto": 0.3}
PHOTOS = {"people-ccp": 3.0, "cats": 1.5, "pets": 1.5}  # outlines good enough to cut along
KINDS = {"cutout": 0.22, "lifted": 0.24, "structure": 0.09, "mark": 0.20, "glass": 0.05, "photo": 0.20}
HAIRY = {"cutout": 0.2, "lifted": 0.55, "structure": 0.0, "mark": 0.0, "glass": 0.0}  # share that is given hair or fur
PLAIN = (plain, studio, gradient, clouds)  # grounds
BUSY = (bokeh, pattern, wood, weave, bricks, stone, room)
FOUND = 0.5  # of the photos have teachers' masks
PHOTO_TRUST = 0.3
FINE_TRUST = 0.6
FINE = frozenset(("people-ccp",))
VAGUE_PX = 6  # of any other photo's outline, either side: not judged


@dataclass(frozen=True)
class Scene:
    """Picture (RGB), alpha (L) and how far each pixel's alpha may be believed (L), all 1024 x 1024."""

    picture: Image.Image
    alpha: Image.Image
    trust: Image.Image


def draw(rng: Generator, items: Collection, found: Found | None = None) -> Scene:
    """A scene of any kind, as a camera and the web would hand it over."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind != "photo":
        return degrade(rng, composite(rng, items, kind))
    return degrade(rng, labelled(rng, found) if found and rng.random() < FOUND else photo(rng, items))


def composite(rng: Generator, items: Collection, kind: str) -> Scene:
    """One or two subjects of the kind on a ground; the alpha is exact everywhere."""
    picture, union = ground(rng, items), Image.new("L", (SIDE, SIDE), 0)
    for _ in range(1 if rng.random() < 0.8 else 2):
        thing = subject(rng, items, kind)
        corner = tuple(round(rng.uniform(-0.25 * side, SIDE - 0.75 * side)) for side in thing.alpha.size)
        colours, cover = Image.new("RGB", picture.size), Image.new("L", picture.size, 0)
        colours.paste(thing.picture, corner)
        cover.paste(thing.alpha, corner)
        if rng.random() < 0.3:
            picture = Image.composite(picture, compose.cast_shadow(rng, picture, cover), union)
        picture = Image.composite(colours, picture, cover)
        union = ImageChops.screen(union, cover)
    return Scene(picture, union, Image.new("L", union.size, 255))


def subject(rng: Generator, items: Collection, kind: str) -> Subject:
    """One subject of a quarter of the frame's side or more, sharp at its edges."""
    side = round(float(rng.uniform(0.25, 1.15)) * SIDE)
    if kind == "structure":
        thing = structures.thing(rng, side)
    elif kind == "mark":
        thing = marks.mark(rng, side)
    elif kind == "glass":
        thing = glass.translucent(rng, side)
    else:
        group, weights = (items.cutouts, CUTOUTS) if kind == "cutout" else (items.photos, PHOTOS)
        thing = enlarge(rng, compose.lift(*pick(rng, group, weights).open()), side)
    if rng.random() < HAIRY[kind]:
        thing = (strands.fur if rng.random() < 0.4 else strands.hair)(rng, thing)
    picture, alpha = compose.jitter(rng, thing.picture, 0.8), thing.alpha
    return Subject(ImageOps.mirror(picture), ImageOps.mirror(alpha)) if rng.random() < 0.5 else Subject(picture, alpha)


def enlarge(rng: Generator, thing: Subject, side: int) -> Subject:
    """The longer side brought to ``side`` pixels, with the edge drawn anew and the surface sharpened."""
    scale = side / max(thing.alpha.size)
    size = (max(8, round(thing.alpha.size[0] * scale)), max(8, round(thing.alpha.size[1] * scale)))
    feather = float(rng.choice([rng.uniform(0.7, 2), rng.uniform(2, 6)], p=[0.85, 0.15]))
    picture = thing.picture.resize(size, Image.Resampling.BICUBIC)
    if scale > 1.2:
        picture = picture.filter(ImageFilter.UnsharpMask(scale, 80, 2))
    return Subject(picture, redraw(thing.alpha, size, feather), thing.cut)


def redraw(alpha: Image.Image, size: tuple[int, int], feather: float) -> Image.Image:
    """Enlarge an outline and make its edge ``feather`` pixels wide again; what was softer stays softer."""
    scale = max(size) / max(alpha.size)
    large = np.asarray(alpha.resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    steeper = max(1.0, 1.3 * scale / feather)
    return Image.fromarray((np.clip((large - 0.5) * steeper + 0.5, 0, 1) * 255).astype(np.uint8))


def ground(rng: Generator, items: Collection) -> Image.Image:
    """Something to stand on: studio and procedural grounds at full size, or a photo in mirrored tiles."""
    if rng.random() < 0.55:
        make = PLAIN if rng.random() < 0.7 else BUSY
        return make[int(rng.integers(len(make)))](rng, SIDE)
    photos = items.backgrounds[str(rng.choice(list(items.backgrounds)))]
    picture = photos[int(rng.integers(len(photos)))].open()[0]
    scale = float(rng.uniform(1, 3.2))  # from tiles at their own sharpness to one tile for everything
    tile = picture.resize((round(picture.size[0] * scale), round(picture.size[1] * scale)), Image.Resampling.BICUBIC)
    pixels = np.asarray(tile)
    pixels = np.concatenate([pixels, pixels[:, ::-1]], 1)
    pixels = np.concatenate([pixels, pixels[::-1]], 0)
    repeats = [-(-SIDE // side) for side in pixels.shape[:2]]
    scene = Image.fromarray(np.tile(pixels, (*repeats, 1))[:SIDE, :SIDE])
    if rng.random() < 0.45:
        scene = scene.filter(ImageFilter.BoxBlur(float(rng.uniform(1, 14))))
    return compose.jitter(rng, scene)


def photo(rng: Generator, items: Collection) -> Scene:
    """A photo outlined by hand as it is, squashed to the square."""
    item = pick(rng, items.photos, PHOTOS)
    picture, alpha = (p.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for p in item.open())
    if item.source in FINE:
        trust = Image.new("L", alpha.size, round(255 * FINE_TRUST))
    else:
        soft = alpha.filter(ImageFilter.BoxBlur(VAGUE_PX))
        trust = soft.point(lambda a: round(255 * PHOTO_TRUST) if a < 3 or a > 252 else 0)
    return Scene(compose.jitter(rng, picture, 0.8), alpha, trust)


def labelled(rng: Generator, found: Found) -> Scene:
    """A photo with the mask that IS-Net and another teacher agree about, squashed to the square."""
    picture, fused = found.pick(rng, fine=True)
    trust = fused.weight * fused.trust * FINE_TRUST
    planes = (Image.fromarray((plane * 255 + 0.5).astype(np.uint8)) for plane in (fused.alpha, trust))
    picture, alpha, trusted = (p.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for p in (picture, *planes))
    return Scene(compose.jitter(rng, picture, 0.8), alpha, trusted)


def degrade(rng: Generator, scene: Scene) -> Scene:
    """Blur and enlargement, which soften the alpha too; noise and JPEG, which do not."""
    picture, alpha, side = scene.picture, scene.alpha, SIDE
    if rng.random() < 0.35:  # a small picture: everything below happens to it before it is enlarged
        side = int(rng.uniform(0.35, 0.9) * SIDE)
        picture, alpha = (p.resize((side, side), Image.Resampling.BILINEAR) for p in (picture, alpha))
    if rng.random() < 0.15:
        radius = float(rng.uniform(0.4, 1.8))
        picture, alpha = (p.filter(ImageFilter.GaussianBlur(radius)) for p in (picture, alpha))
    if rng.random() < 0.06:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < 0.3:
        noise = rng.standard_normal((side, side, int(rng.choice([1, 3]))), np.float32) * rng.uniform(2, 11)
        picture = Image.fromarray(np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(rng.integers(45, 96)))
        picture = Image.open(stream).convert("RGB")
    if side != SIDE:
        picture, alpha = (p.resize((SIDE, SIDE), Image.Resampling.BILINEAR) for p in (picture, alpha))
    return Scene(picture, alpha, scene.trust)


def pick(rng: Generator, group: dict[str, list[Item]], weights: dict[str, float]) -> Item:
    """An item of one of the named sources that are there."""
    names = [n for n in weights if n in group]
    shares = np.array([weights[n] for n in names])
    chosen = group[names[int(rng.choice(len(names), p=shares / shares.sum()))]]
    return chosen[int(rng.integers(len(chosen)))]
