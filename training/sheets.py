"""Contact sheets: photos beside their cutouts, to be looked at."""

from __future__ import annotations

import numpy as np
from PIL import Image

TILE = 224


def strip(picture: Image.Image, alpha: np.ndarray) -> Image.Image:
    """The photo (RGB), its cutout by alpha float32 [H, W] on black and on magenta, side by side."""
    size = (TILE * picture.size[0] // max(picture.size), TILE * picture.size[1] // max(picture.size))
    mask = Image.fromarray((alpha * 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    small = picture.resize(size, Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (3 * TILE + 16, TILE), "white")
    cutouts = (Image.composite(small, Image.new("RGB", size, ground), mask) for ground in ("black", "magenta"))
    for column, tile in enumerate((small, *cutouts)):
        sheet.paste(tile, (column * (TILE + 8) + (TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return sheet


def sheet(strips: list[Image.Image], columns: int) -> Image.Image:
    """Strips in rows of ``columns``."""
    width, height = strips[0].size
    page = Image.new("RGB", (columns * (width + 16), -(-len(strips) // columns) * (height + 8)), "white")
    for i, tile in enumerate(strips):
        page.paste(tile, (i % columns * (width + 16), i // columns * (height + 8)))
    return page
