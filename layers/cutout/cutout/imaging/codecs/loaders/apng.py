"""Animated PNG: its frames as a viewer shows them (W3C PNG, third edition, section 4.9).

Pillow reads them too, but blends translucent pixels wrongly, and refuses files for their metadata.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image

from cutout.errors import InvalidImageError
from cutout.imaging.codecs.colour import to_8bit
from cutout.imaging.codecs.loaders.png import load_parts
from cutout.imaging.codecs.loaders.png_chunks import PngFile, chunks
from cutout.imaging.codecs.loaders.raster import Plan

_CONTROL = struct.Struct(">IIIIIHHBB")
_TO_BACKGROUND, _TO_PREVIOUS = 1, 2
_OVER = 1
_USUAL_DENOMINATOR = 100


@dataclass(frozen=True, slots=True)
class _Frame:
    """One frame as it is stored: its place, its time, what comes before and after, and its deflate stream."""

    box: tuple[int, int, int, int]
    duration_ms: float
    dispose: int
    blend: int
    parts: list[bytes]


@dataclass(frozen=True, slots=True)
class Apng:
    """An animated PNG.

    Attributes:
        png: What its frames have in common.
        plays: How often it is shown; 0 is for ever.
        stored: Its frames as they are stored.
    """

    png: PngFile
    plays: int
    stored: list[_Frame]

    def frames(self, plan: Plan) -> Iterator[tuple[Image.Image, float]]:
        """Draw one frame after the other.

        Args:
            plan: The limits of each.

        Yields:
            The whole canvas in mode RGBA, and how long it is shown, in milliseconds.
        """
        canvas = Image.new("RGBA", self.png.size)
        for number, frame in enumerate(self.stored):
            before = canvas.copy() if frame.dispose == _TO_PREVIOUS and number > 0 else None
            picture = self._picture(frame, plan)
            if frame.blend == _OVER:
                canvas.alpha_composite(picture, frame.box[:2])
            else:
                canvas.paste(picture, frame.box[:2])
            yield canvas.copy(), frame.duration_ms
            if before is not None:
                canvas = before
            elif frame.dispose in {_TO_BACKGROUND, _TO_PREVIOUS}:
                canvas.paste((0, 0, 0, 0), frame.box)

    def _picture(self, frame: _Frame, plan: Plan) -> Image.Image:
        left, top, right, bottom = frame.box
        header = struct.pack(">II", right - left, bottom - top) + self.png.header[8:]
        part = replace(self.png, header=header, pixels=b"".join(frame.parts), metadata=b"")
        return to_8bit(load_parts(part, plan).picture).convert("RGBA")


def read_apng(data: bytes, png: PngFile) -> Apng | None:
    """Find the frames of an animated PNG.

    Args:
        data: The file.
        png: Its parts.

    Returns:
        The animation; None for a still picture, or one frame. A picture for viewers that show no motion is no frame.

    Raises:
        InvalidImageError: A frame that was announced is missing.
        ValueError: A frame lies partly outside the canvas.
    """
    announced, plays = 0, 0
    stored: list[_Frame] = []
    for kind, content in chunks(data):
        if kind == b"acTL":
            announced, plays = struct.unpack(">II", content[:8])
        elif kind == b"fcTL":
            stored.append(_frame(content, png.size))
        elif kind == b"IDAT" and stored:
            stored[-1].parts.append(bytes(content))
        elif kind == b"fdAT" and stored:
            stored[-1].parts.append(bytes(content[4:]))
    if announced < 2:  # noqa: PLR2004
        return None
    if len(stored) < announced:
        raise InvalidImageError(
            f"The PNG animation is incomplete: {announced - len(stored)} of {announced} frames are missing.",
            {"format": "png"},
        )
    return Apng(png, plays, stored[:announced])


def _frame(content: memoryview, size: tuple[int, int]) -> _Frame:
    _, width, height, left, top, numerator, denominator, dispose, blend = _CONTROL.unpack(content[: _CONTROL.size])
    box = (left, top, left + width, top + height)
    if min(width, height) < 1 or box[2] > size[0] or box[3] > size[1]:
        raise ValueError("a frame outside the canvas")
    return _Frame(box, 1000 * numerator / (denominator or _USUAL_DENOMINATOR), dispose, blend, [])
