"""What the tests of dialects send, and how they look at what comes back."""

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from local import ROOT

CAT = ROOT / "docs" / "images" / "chelsea.jpg"
"""A cat that fills the left two thirds."""


@cache
def cat(width: int = 120, height: int = 80, image_format: str = "PNG", **options: Any) -> bytes:
    """The photo of the cat, encoded. options: of Pillow's writer."""
    with Image.open(CAT) as photo:
        return encoded(photo.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), image_format, **options)


@cache
def astronaut(side: int = 160, image_format: str = "JPEG") -> bytes:
    """A person in orange, whole but for the lower edge: background on both sides and above."""
    with Image.open(ROOT / "docs" / "images" / "astronaut.jpg") as photo:
        return encoded(photo.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), image_format)


def encoded(picture: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def plain(width: int, height: int, image_format: str = "PNG", colour: str = "navy") -> bytes:
    return encoded(Image.new("RGB", (width, height), colour), image_format)


def opened(data: bytes) -> Image.Image:
    """A picture that is decoded to its end."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def pixels(data: bytes) -> np.ndarray:
    """As Pillow reads them, as integers that do not wrap."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture).astype(int)
