"""The frames of a GIF before any is decoded: Pillow lets a later one enlarge the canvas, and only counts by reading."""

from collections.abc import Iterator

_HEAD_BYTES = 13
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_DESCRIPTOR_BYTES = 10


def frame_edges(data: bytes) -> Iterator[tuple[int, int]]:
    """Walk the blocks of a GIF (GIF89a, section 20) without decompressing.

    Args:
        data: The file; it may end anywhere.

    Yields:
        The right and the lower edge of each frame, in pixels of the canvas.
    """
    position = _HEAD_BYTES + _table_bytes(data[10:11])
    while position < len(data):
        kind = data[position]
        if kind == _IMAGE:
            left, top, width, height = (
                int.from_bytes(data[position + offset : position + offset + 2], "little") for offset in (1, 3, 5, 7)
            )
            yield left + width, top + height
            flags = position + _DESCRIPTOR_BYTES - 1
            position = _after_blocks(data, flags + 2 + _table_bytes(data[flags : flags + 1]))
        elif kind == _EXTENSION:
            position = _after_blocks(data, position + 2)
        elif kind == _TRAILER:
            return
        else:  # Pillow skips what it does not know, too
            position += 1


def _table_bytes(flags: bytes) -> int:
    """Compute the size of the palette that follows these flags."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while position < len(data) and data[position]:
        position += 1 + data[position]
    return position + 1
