"""WebP files: those whose metadata or sizes are wrong are read without them."""

import struct
from collections.abc import Iterator

from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, load

_PIXELS = {b"ALPH", b"VP8 ", b"VP8L", b"ANIM", b"ANMF"}
_PROFILE, _EXIF = b"ICCP", b"EXIF"
_FLAGS = {b"ICCP": 0x20, b"ALPH": 0x10, b"EXIF": 0x08, b"XMP ": 0x04}
"""Bits of VP8X that announce other chunks (RFC 9649, section 2.7)."""
_MAX_CHUNKS = 10_000


def load_webp(data: bytes, plan: Plan) -> Raster:
    """Load a WebP; of an animation, the first frame.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture.
    """
    try:
        return load(data, "WEBP", plan)
    except DECODER_ERRORS:
        return load(without_damaged_metadata(data), "WEBP", plan)


def without_damaged_metadata(data: bytes) -> bytes:
    """Write the chunks again: those with pixels, and the profile and EXIF where they are whole.

    Args:
        data: The file.

    Returns:
        A file with the same pixels.
    """
    chunks = dict.fromkeys((b"VP8X",), b"")
    kept: list[tuple[bytes, bytes]] = []
    for kind, content, is_whole in _chunks(data):
        if kind == b"VP8X":
            chunks[kind] = content
        elif kind in _PIXELS or (kind in {_PROFILE, _EXIF} and is_whole):
            kept.append((kind, content))
    if chunks[b"VP8X"]:
        present = {kind for kind, _ in kept}
        flags = chunks[b"VP8X"][0]
        for kind, bit in _FLAGS.items():
            if kind not in present and kind != b"ALPH":
                flags &= ~bit
        kept.insert(0, (b"VP8X", bytes([flags]) + chunks[b"VP8X"][1:]))
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in kept
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield kind and content of every chunk, and whether it is whole."""
    position = 12
    for _ in range(_MAX_CHUNKS):
        head = data[position : position + 8]
        if len(head) < 8:  # noqa: PLR2004
            return
        length = int.from_bytes(head[4:], "little")
        content = data[position + 8 : position + 8 + length]
        yield head[:4], content, len(content) == length
        position += 8 + length + length % 2
