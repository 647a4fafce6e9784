"""The picture that checks cut out, and whether a cutout of it is one; without Pillow, for functions without a layer."""

import struct
import zlib
from pathlib import Path

PICTURE = Path(__file__).with_name("picture.jpg").read_bytes()
"""A cat on a sofa, 256 x 170 (docs/images/chelsea.jpg, smaller)."""
SIZE = (256, 170)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_SOLID, _CLEAR = 250, 5


class WrongCutoutError(Exception):
    """The answer is no cutout of the picture; the message says what it is."""


def check_cutout(data: bytes) -> float:
    """Read a cutout of the picture.

    Args:
        data: An RGBA PNG of 8 bits without interlacing.

    Returns:
        The part of the picture that is subject, above 0 and below 1.

    Raises:
        WrongCutoutError: It is no such PNG, has another size, or has no subject or no ground.
    """
    if not data.startswith(_SIGNATURE):
        raise WrongCutoutError(f"no PNG: {data[:80]!r}")
    chunks = _chunks(data)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (width, height) != SIZE or (depth, colour, interlaced) != (8, _RGBA, 0):
        raise WrongCutoutError(f"{width} x {height}, {depth} bits, colour type {colour}, interlaced {interlaced}")
    alpha = _alpha(zlib.decompress(chunks[b"IDAT"]), width, height)
    solid, clear = (sum(value >= _SOLID for value in alpha), sum(value <= _CLEAR for value in alpha))
    if not solid or not clear:
        raise WrongCutoutError(f"{solid} solid and {clear} clear pixels of {len(alpha)}")
    return sum(alpha) / 255 / len(alpha)


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks by name; those of one name joined."""
    found: dict[bytes, bytes] = {}
    place = len(_SIGNATURE)
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        name = data[place + 4 : place + 8]
        found[name] = found.get(name, b"") + data[place + 8 : place + 8 + length]
        place += 12 + length
    return found


def _alpha(filtered: bytes, width: int, height: int) -> list[int]:
    """Every fourth byte of the rows, their filters undone (PNG specification, third edition, section 9)."""
    stride = 4 * width
    above = bytearray(stride)
    found: list[int] = []
    for row in range(height):
        start = row * (stride + 1)
        kind, line = filtered[start], bytearray(filtered[start + 1 : start + 1 + stride])
        for index in range(3, stride, 4):  # the alpha bytes depend on alpha bytes alone
            left = line[index - 4] if index >= 4 else 0  # noqa: PLR2004
            corner = above[index - 4] if index >= 4 else 0  # noqa: PLR2004
            line[index] = (line[index] + _predicted(kind, left, above[index], corner)) & 255
        found.extend(line[3::4])
        above = line
    return found


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:  # noqa: PLR2004 - Paeth
        distances = [(abs(left + up - corner - value), order) for order, value in enumerate((left, up, corner))]
        return (left, up, corner)[min(distances)[1]]
    return (0, left, up, (left + up) // 2)[kind]
