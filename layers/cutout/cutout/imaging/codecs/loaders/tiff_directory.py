"""The directories of a TIFF or BigTIFF: what images the file holds, and which one is the picture.

Sources: TIFF revision 6.0, the BigTIFF proposal of Aware Systems, DNG specification 1.7.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MAX_DIRECTORIES = 256
_MAX_ENTRIES = 4_096
_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 7: "s", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 18: "Q"}
"""Types of fields to codes of ``struct``; rational numbers (5 and 10) say nothing about pixels and are left out."""
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType."""
_SAME_ASPECT = 0.02
_LARGER = 4
"""Times the pixels from which on a later page of the same aspect is the picture, and the first one a thumbnail."""
_RAW_PHOTOMETRIC = {32803, 34892}  # colour filter array, linear raw
_RAW_NAMES = {
    b"NIKON": "NEF",
    b"SONY": "ARW",
    b"PENTAX": "PEF",
    b"SAMSUNG": "SRW",
    b"EPSON": "ERF",
    b"KODAK": "DCR",
    b"HASSELBLAD": "3FR",
    b"PHASE": "IIQ",
    b"MAMIYA": "MEF",
}
"""Makers of cameras, and what their files are called."""
_CR2_MARK = b"CR\2\0"
"""Behind the header; two letters alone may be pixels."""
_JPEG_COMPRESSIONS = {6, 7}


class Tag(IntEnum):
    """The tags that decide about pixels."""

    SUBFILE_TYPE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    MAKE = 271
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    MAX_VALUE = 281
    PLANAR = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_BYTES = 325
    SUB_DIRECTORIES = 330
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_OFFSET = 513
    JPEG_BYTES = 514
    ICC_PROFILE = 34675
    DNG_VERSION = 50706


@dataclass(frozen=True, slots=True)
class Directory:
    """One image of the file.

    Attributes:
        offset: Where the directory begins.
        tags: Numbers of each tag, or bytes.
    """

    offset: int
    tags: dict[int, tuple[float, ...] | bytes]

    def numbers(self, tag: Tag) -> tuple[int, ...]:
        """Read the numbers of a tag.

        Args:
            tag: Its number.

        Returns:
            Whole numbers; nothing where the tag is not there or holds text.
        """
        values = self.tags.get(tag, ())
        return () if isinstance(values, bytes) else tuple(int(value) for value in values)

    def number(self, tag: Tag, default: int = 0) -> int:
        """Read a single number.

        Args:
            tag: Its number.
            default: Where the tag is not there.

        Returns:
            The first number of the tag.
        """
        return next(iter(self.numbers(tag)), default)

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.number(Tag.WIDTH) * self.number(Tag.HEIGHT)

    @property
    def is_raw(self) -> bool:
        """Whether it holds the samples of a camera's sensor."""
        return self.number(Tag.PHOTOMETRIC) in _RAW_PHOTOMETRIC

    @property
    def is_whole_picture(self) -> bool:
        """Whether it is neither a smaller copy, nor a mask, nor sensor data."""
        return self.pixels > 0 and not self.number(Tag.SUBFILE_TYPE) & (_REDUCED | _MASK) and not self.is_raw


@dataclass(frozen=True, slots=True)
class TiffFile:
    """A file's byte order and directories: those of the chain first, then those below each."""

    order: str
    is_big: bool
    is_cr2: bool
    directories: tuple[Directory, ...]

    @property
    def raw_name(self) -> str:
        """The name of the camera's raw format; empty for any other file."""
        if any(Tag.DNG_VERSION in each.tags for each in self.directories):
            return "DNG"
        if self.is_cr2:
            return "CR2"
        if not any(each.is_raw for each in self.directories):
            return ""
        make = self.directories[0].tags.get(Tag.MAKE, b"")
        words = make.rstrip(b"\0 ").upper().split() if isinstance(make, bytes) else []
        return next((name for maker, name in _RAW_NAMES.items() if maker in words), "RAW")


def read_tiff(data: bytes) -> TiffFile:
    """Read the directories.

    Args:
        data: The file.

    Returns:
        Byte order and directories.

    Raises:
        struct.error: The header is cut off.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in {b"+\0", b"\0+"}
    first: int = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
    directories: list[Directory] = []
    seen, queue = set[int](), [first]
    while queue and len(directories) < MAX_DIRECTORIES:
        offset = queue.pop(0)
        if offset in seen or not 0 < offset < len(data):
            continue
        seen.add(offset)
        try:
            tags, following = _read_directory(data, offset, order, is_big=is_big)
        except (struct.error, ValueError):
            continue
        directory = Directory(offset, tags)
        directories.append(directory)
        queue.insert(0, following)
        queue += directory.numbers(Tag.SUB_DIRECTORIES)[:MAX_DIRECTORIES]
    return TiffFile(order, is_big, data[8:12] == _CR2_MARK, tuple(directories))


def choose_picture(file: TiffFile) -> Directory | None:
    """Choose the image that the file is about.

    The first page that is no smaller copy and no mask; unless a later one has the same aspect and four times the
    pixels, so that the first is its thumbnail.

    Args:
        file: The directories.

    Returns:
        The image's directory; None where the file has none that is whole.
    """
    whole = [each for each in file.directories if each.is_whole_picture]
    if not whole:
        return None
    first = whole[0]
    aspect = first.number(Tag.WIDTH) / first.number(Tag.HEIGHT)
    larger = [
        each
        for each in whole
        if each.pixels >= _LARGER * first.pixels
        and abs(each.number(Tag.WIDTH) / each.number(Tag.HEIGHT) / aspect - 1) <= _SAME_ASPECT
    ]
    return max(larger, key=lambda each: each.pixels, default=first)


def embedded_jpegs(data: bytes, file: TiffFile) -> Iterator[bytes]:
    """Find the JPEG previews that a camera stores in its raw file.

    Args:
        data: The file.
        file: Its directories.

    Yields:
        JPEG files, in the order of the directories.
    """
    for each in file.directories:
        start, length = each.number(Tag.JPEG_OFFSET), each.number(Tag.JPEG_BYTES)
        if (
            not start
            and each.number(Tag.COMPRESSION) in _JPEG_COMPRESSIONS
            and len(each.numbers(Tag.STRIP_OFFSETS)) == 1
        ):
            start, length = each.number(Tag.STRIP_OFFSETS), each.number(Tag.STRIP_BYTES)
        preview = data[start : start + length]
        if preview.startswith(b"\xff\xd8\xff") and not each.is_raw:
            yield preview


def _read_directory(
    data: bytes, offset: int, order: str, *, is_big: bool
) -> tuple[dict[int, tuple[float, ...] | bytes], int]:
    """Read the tags of a directory, and the offset of the next."""
    word, entry, head = ("Q", 20, 8) if is_big else ("I", 12, 2)
    count: int = struct.unpack_from(order + ("Q" if is_big else "H"), data, offset)[0]
    if count > _MAX_ENTRIES:
        raise ValueError("too many entries")
    tags: dict[int, tuple[float, ...] | bytes] = {}
    for position in range(offset + head, offset + head + count * entry, entry):
        tag, kind, number = struct.unpack_from(f"{order}HH{word}", data, position)
        code = _TYPES.get(kind)
        if code is None:
            continue
        size = struct.calcsize(order + code) * number
        place = position + 4 + struct.calcsize(order + word)
        if size > entry - 4 - struct.calcsize(order + word):
            place = struct.unpack_from(order + word, data, place)[0]
        if place + size > len(data):
            continue
        values = struct.unpack_from(f"{order}{number}{code}", data, place)
        tags.setdefault(tag, values[0] if code == "s" and values else values)
    end = offset + head + count * entry
    following: int = struct.unpack_from(order + word, data, end)[0] if end + 4 <= len(data) else 0
    return tags, following
