"""What the photographer, the camera and the web do to a picture: framing, blur, casts, noise, JPEG."""

from __future__ import annotations

import io

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from training import compose


def upper_body(rng: Generator, picture: Image.Image, alpha: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The head and what is below it, of a standing person: from a face to the waist."""
    left, top, right, bottom = alpha.getbbox() or (0, 0, *picture.size)
    height = int((bottom - top) * rng.choice([rng.uniform(0.16, 0.3), rng.uniform(0.3, 0.65)]))
    above = int(height * rng.uniform(0.02, 0.3))
    y0, y1 = max(0, top - above), min(picture.size[1], top + max(24, height))
    half = (y1 - y0) * rng.uniform(0.4, 0.9)
    columns = np.flatnonzero(np.asarray(alpha.crop((0, top, picture.size[0], y1))).max(0) > 127)
    centre = columns.mean() if len(columns) else (left + right) / 2
    x0, x1 = max(0, int(centre - half)), min(picture.size[0], int(centre + half) + 1)
    box = (x0, y0, x1, y1)
    return picture.crop(box), alpha.crop(box)


def crop(
    rng: Generator, picture: Image.Image, alpha: Image.Image, *, person: bool = False
) -> tuple[Image.Image, Image.Image]:
    """A random part of a photo, refused where hardly any of the subject would remain."""
    if person and rng.random() < 0.45:
        return upper_body(rng, picture, alpha)
    if rng.random() < 0.35:
        return picture, alpha
    box = window(rng, picture.size)
    part = alpha.crop(box)
    if np.asarray(part).mean() < 8 and alpha.getbbox():
        return picture, alpha
    return picture.crop(box), part


def window(rng: Generator, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of more than half of each side, anywhere."""
    width, height = (int(side * rng.uniform(0.55, 1)) for side in size)
    x, y = int(rng.integers(0, size[0] - width + 1)), int(rng.integers(0, size[1] - height + 1))
    return x, y, x + width, y + height


def tiny(rng: Generator, picture: Image.Image, alpha: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both as if the picture had 16 to 64 pixels and had been enlarged; nothing finer is asked of the alpha."""
    side, full = round(float(np.exp(rng.uniform(np.log(16), np.log(64))))), picture.size
    grow = Image.Resampling.BICUBIC if rng.random() < 0.7 else Image.Resampling.NEAREST
    small = picture.resize((side, side), Image.Resampling.BOX)
    return small.resize(full, grow), alpha.resize((side, side), Image.Resampling.BOX).resize(full, compose.BILINEAR)


def dark(rng: Generator, picture: Image.Image) -> Image.Image:
    """Low light: few grey levels above black, and the noise of a sensor at its limit."""
    values = np.asarray(picture, np.float32) * rng.uniform(0.12, 0.45)
    values += rng.standard_normal(values.shape, np.float32) * np.float32(rng.uniform(1, 9))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def against_light(rng: Generator, picture: Image.Image, alpha: Image.Image) -> Image.Image:
    """The subject dark before a bright ground."""
    subject = ImageEnhance.Brightness(picture).enhance(float(rng.uniform(0.15, 0.55)))
    ground = ImageEnhance.Brightness(picture).enhance(float(rng.uniform(1.1, 1.8)))
    return Image.composite(subject, ground, alpha)


def degrade(rng: Generator, picture: Image.Image) -> Image.Image:
    """Blur, loss of resolution, gamma, casts, grey, low light, noise, JPEG."""
    if rng.random() < 0.04:
        picture = dark(rng, picture)
    if rng.random() < 0.12:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.08:
        low = tuple(int(side * rng.uniform(0.35, 0.8)) for side in picture.size)
        picture = picture.resize(low, compose.BILINEAR).resize(picture.size, compose.BILINEAR)
    if rng.random() < 0.15:
        gamma = float(np.exp(rng.normal(0, 0.35)))
        picture = picture.point([round(255 * (v / 255) ** gamma) for v in range(256)] * 3)
    if rng.random() < 0.06:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < 0.15:
        cast = Image.new("RGB", picture.size, tuple(int(v) for v in rng.integers(190, 256, 3)))
        picture = ImageChops.multiply(picture, cast)
    if rng.random() < 0.15:
        noise = rng.standard_normal((*picture.size[::-1], 3), np.float32) * np.float32(rng.uniform(2, 12))
        picture = Image.fromarray(np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(rng.integers(35, 96)))
        picture = Image.open(stream).convert("RGB")
    return picture


def turn(picture: Image.Image, angle: float, zoom: float) -> Image.Image:
    """A square picture turned by ``angle`` degrees after a zoom, so that no corner falls outside."""
    side = round(picture.size[0] * zoom)
    margin = (side - picture.size[0]) // 2
    turned = picture.resize((side, side), compose.BILINEAR).rotate(angle, compose.BILINEAR)
    return turned.crop((margin, margin, margin + picture.size[0], margin + picture.size[0]))
