"""PNG files as chunks: those that carry pixels are passed to the decoder, all others decide nothing.

A text, a profile or a checksum may be wrong or huge; the pixels are what counts (W3C PNG, third edition).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cutout.errors import UnsupportedImageFormatError
from cutout.imaging.codecs.cicp import read_cicp
from cutout.imaging.codecs.encoding import BT709, ColourEncoding

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
"""Of ordinary size, a file of 30 MB has 4,000; more serve only to be counted."""
_MAX_PROFILE_BYTES = 4 << 20
_MAX_TEXT_BYTES = 1 << 20
_KIND = re.compile(rb"[A-Za-z]{4}")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column, first row, step of columns, step of rows."""
_ORIENTED_TEXTS = {b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1"}
"""Texts that may say how the picture is turned."""


@dataclass(frozen=True, slots=True)
class PngFile:
    """What of a PNG matters.

    Attributes:
        header: The 13 bytes of IHDR.
        palette: The content of PLTE; empty without one.
        transparency: The content of tRNS; None without one.
        pixels: The deflate stream.
        metadata: Chunks, ready to be written, that may hold the orientation.
        profile: The ICC profile, if that is what describes the colours.
        encoding: The colour space, if it is described by cICP, gAMA or cHRM.
    """

    header: bytes
    palette: bytes
    transparency: bytes | None
    pixels: bytes
    metadata: bytes
    profile: bytes | None
    encoding: ColourEncoding | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        width, height = struct.unpack(">II", self.header[:8])
        return width, height

    @property
    def bit_depth(self) -> int:
        """Bits of a sample."""
        return self.header[8]

    @property
    def colour_type(self) -> int:
        """0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha."""
        return self.header[9]

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return _CHANNELS[self.colour_type]

    @property
    def interlaced(self) -> bool:
        """Whether the rows come in seven passes."""
        return self.header[12] == 1

    @property
    def passes(self) -> Iterator[tuple[int, int]]:
        """Rows, and the bytes of each, of every pass that has pixels; an image that is not interlaced has one."""
        width, height = self.size
        for left, top, across, down in _PASSES if self.interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(width - left) // across), -(-(height - top) // down)
            if columns > 0 and rows > 0:
                yield rows, 1 + -(-columns * self.channels * self.bit_depth // 8)

    def encoded(self, pixels: bytes | None = None) -> bytes:
        """Write the chunks that matter as a file.

        Args:
            pixels: Another deflate stream than the file's own.

        Returns:
            A PNG with right checksums, but for that of the pixels, which no decoder of ours checks.
        """
        stream = self.pixels if pixels is None else pixels
        parts = [SIGNATURE, write_chunk(b"IHDR", self.header), self.metadata]
        if self.palette:
            parts.append(write_chunk(b"PLTE", self.palette))
        if self.transparency is not None:
            parts.append(write_chunk(b"tRNS", self.transparency))
        parts += [struct.pack(">I", len(stream)), b"IDAT", stream, b"\0\0\0\0", write_chunk(b"IEND", b"")]
        return b"".join(parts)


def write_chunk(kind: bytes, content: bytes) -> bytes:
    """Write one chunk.

    Args:
        kind: Four letters.
        content: What it holds.

    Returns:
        Length, kind, content and checksum.
    """
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def read_png(data: bytes) -> PngFile:
    """Read the chunks that matter; checksums are not checked.

    Args:
        data: The file.

    Returns:
        Its parts.

    Raises:
        SyntaxError: There is no header, or one that the specification does not allow.
        ValueError: There are more than MAX_CHUNKS chunks.
        UnsupportedImageFormatError: The pixels are in Apple's own form, which is none of PNG.
    """
    found: dict[bytes, bytes] = {}
    pixels, texts = [], []
    for kind, content in chunks(data):
        if kind == b"IDAT":
            pixels.append(content)
        elif kind in {b"iTXt", b"zTXt", b"tEXt"}:
            texts.append((kind, content))
        else:
            found.setdefault(kind, bytes(content))
    if b"CgBI" in found:
        raise UnsupportedImageFormatError(
            "This is a PNG in Apple's own form for apps (CgBI); send it as an ordinary PNG."
        )
    header = found.get(b"IHDR", b"")
    if len(header) != 13 or header[8] not in _DEPTHS.get(header[9], ()):  # noqa: PLR2004
        raise SyntaxError("no PNG header")
    encoding, profile = _colours(found)
    return PngFile(
        header=header,
        palette=found.get(b"PLTE", b"")[: 3 * 256],
        transparency=_transparency(header, found.get(b"tRNS"), len(found.get(b"PLTE", b"")) // 3),
        pixels=b"".join(pixels),
        metadata=_orientation_chunks(found.get(b"eXIf"), texts),
        profile=profile,
        encoding=encoding,
    )


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and content of every chunk up to the end of the image; the last one may be cut off.

    Args:
        data: The file.

    Yields:
        Four letters, and what the chunk holds.

    Raises:
        ValueError: There are more than MAX_CHUNKS chunks.
    """
    view, position = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, kind = int.from_bytes(view[position : position + 4], "big"), bytes(view[position + 4 : position + 8])
        if kind == b"IEND" or not _KIND.fullmatch(kind):
            return
        yield kind, view[position + 8 : position + 8 + length]
        position += 12 + length
    raise ValueError("too many chunks")


def _transparency(header: bytes, content: bytes | None, colours: int) -> bytes | None:
    """Take tRNS where it has the right length; for gray of 2 and 4 bits at the scale of 8, which Pillow expects.

    One of more entries than the palette has colours is ignored, as libpng and so browsers do.
    """
    if content is None:
        return None
    if header[9] == 3:  # noqa: PLR2004
        return content if len(content) <= colours else None
    wanted = {0: 2, 2: 6}.get(header[9], 0)
    if not wanted or len(content) < wanted:
        return None
    if header[9] == 0 and header[8] in {2, 4}:
        return struct.pack(">H", content[1] * (255 // (2 ** header[8] - 1)) & 0xFF)
    return content[:wanted]


def _colours(found: dict[bytes, bytes]) -> tuple[ColourEncoding | None, bytes | None]:
    """Decide what describes the colours: cICP, then iCCP, then sRGB, then gAMA and cHRM (PNG, section 4.3)."""
    encoding = read_cicp(found.get(b"cICP", b""))
    if encoding is not None:
        return encoding, None
    profile = _inflate(found.get(b"iCCP", b"").partition(b"\0")[2][1:], _MAX_PROFILE_BYTES)
    if profile[36:40] == b"acsp":  # the mark of every ICC profile; another one is ignored, as libpng does
        return None, profile
    if b"sRGB" in found:
        return None, None
    return _gamma_and_chromaticities(found.get(b"gAMA", b""), found.get(b"cHRM", b"")), None


def _gamma_and_chromaticities(gamma: bytes, chromaticities: bytes) -> ColourEncoding | None:
    """Read gAMA and cHRM; where only one is there, the other is sRGB's, as in Chromium."""
    encoding = ColourEncoding()
    if len(gamma) == 4 and 1_000 <= (stored := int.from_bytes(gamma, "big")) <= 1_000_000:  # noqa: PLR2004
        encoding = ColourEncoding(BT709, 100_000 / stored)
    if len(chromaticities) == 32:  # noqa: PLR2004
        white, red, green, blue = ((x / 100_000, y / 100_000) for x, y in struct.iter_unpack(">II", chromaticities))
        encoding = ColourEncoding((red, green, blue, white), encoding.transfer)
    return None if encoding == ColourEncoding() else encoding


def _orientation_chunks(exif: bytes | None, texts: list[tuple[bytes, memoryview]]) -> bytes:
    """Write again the metadata that may hold the orientation, uncompressed and within bounds."""
    parts = []
    if exif and len(exif) <= _MAX_TEXT_BYTES:
        parts.append(write_chunk(b"eXIf", exif))
    for kind, content in texts:
        keyword, _, rest = bytes(content[:80]).partition(b"\0")
        if keyword not in _ORIENTED_TEXTS or not rest:
            continue
        body = bytes(content[len(keyword) + 1 :])
        if kind == b"iTXt":
            fields = body[2:].split(b"\0", 2)
            text = fields[2] if len(fields) == 3 else b""  # noqa: PLR2004  (language, translated keyword, text)
            text = _inflate(text, _MAX_TEXT_BYTES) if body[:1] == b"\1" else text
            parts.append(write_chunk(b"iTXt", keyword + b"\0\0\0\0\0" + text[:_MAX_TEXT_BYTES]))
        else:
            text = _inflate(body[1:], _MAX_TEXT_BYTES) if kind == b"zTXt" else body
            parts.append(write_chunk(b"tEXt", keyword + b"\0" + text[:_MAX_TEXT_BYTES]))
    return b"".join(parts[:4])


def _inflate(data: bytes, limit: int) -> bytes:
    """Inflate up to ``limit`` bytes; nothing where there are more, or where the stream is damaged."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, limit)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else content
