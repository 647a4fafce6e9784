"""Whether a file that no decoder takes ends before it says it does: then what is wrong with it can be said."""

import struct

from cutout.imaging.codecs.loaders.tiff_directory import Tag, read_tiff

_BOXES = 1_000
_PLACES = ((Tag.STRIP_OFFSETS, Tag.STRIP_BYTES), (Tag.TILE_OFFSETS, Tag.TILE_BYTES))


def ends_early(kind: str, data: bytes, error: Exception) -> bool:
    """Tell whether a file was cut off.

    Args:
        kind: Its format, as :func:`~cutout.imaging.codecs.formats.sniff` names it.
        data: The file.
        error: What the decoder raised.

    Returns:
        Whether the decoder, or the sizes within the file, say so.
    """
    if "truncated" in str(error).lower():
        return True
    if kind == "webp":
        return 8 + int.from_bytes(data[4:8], "little") > len(data)
    if kind in {"avif", "heic"}:
        return _last_box_end(data) > len(data)
    return kind == "tiff" and _last_place_end(data) > len(data)


def _last_box_end(data: bytes) -> int:
    """Walk the boxes of the outermost level (ISO/IEC 14496-12, section 4.2) to where the last one should end."""
    end = 0
    for _ in range(_BOXES):
        if end + 8 > len(data):
            break
        size = int.from_bytes(data[end : end + 4], "big")
        if size == 1:
            size = int.from_bytes(data[end + 8 : end + 16], "big")
        if size < 8:  # noqa: PLR2004  (0: to the end of the file)
            break
        end += size
    return end


def _last_place_end(data: bytes) -> int:
    """Find where the last strip or tile of a TIFF should end; a file without a readable directory lacks that."""
    try:
        file = read_tiff(data)
    except struct.error:
        return len(data) + 1
    places = (
        offset + length
        for each in file.directories
        for offsets, lengths in _PLACES
        for offset, length in zip(each.numbers(offsets), each.numbers(lengths), strict=False)
    )
    return max(places, default=len(data) + 1)
