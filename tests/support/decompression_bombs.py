"""Small files that would be huge once decoded, made without ever being huge here."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

GIGABYTE = 2**30
_BLOCK = bytes(2**20)


def deflated_zeros(size_bytes: int) -> bytes:
    """``size_bytes`` zeros as a zlib stream, about a thousandth of that."""
    squeeze = zlib.compressobj(9)
    parts = [squeeze.compress(_BLOCK) for _ in range(size_bytes // len(_BLOCK))]
    return b"".join([*parts, squeeze.flush()])


def png(width: int, height: int, pixels: bytes, *more: tuple[bytes, bytes], colour_type: int = 6) -> bytes:
    """A PNG with this IHDR, these extra chunks and ``pixels`` (a zlib stream) as its IDAT."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def png_of_a_gigabyte() -> bytes:
    """16,384 x 16,384 RGBA, 1 GiB of pixels in about 1 MB."""
    return png(16_384, 16_384, deflated_zeros(GIGABYTE + 16_384))


def gif(width: int, height: int, frame: tuple[int, int]) -> bytes:
    """A GIF whose screen and whose only frame have these sizes; the frame's data is four bytes."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x4c\x01\x00;"


def bmp(width: int, height: int) -> bytes:
    """A BMP, run-length encoded: a header and one run."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 4, 0, 0, 256, 0)
    offset = 14 + len(info) + 1024
    return b"BM" + struct.pack("<IHHI", offset + 4, 0, 0, offset) + info + bytes(1024) + b"\xff\x00\x00\x01"


def tiff(width: int, height: int) -> bytes:
    """A TIFF in RGB, deflated, in one strip of zeros."""
    strip = deflated_zeros(2**24)
    entries = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 2), (273, 4, 8), (277, 3, 3),
        (278, 4, height), (279, 4, len(strip)),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = b"II*\0" + struct.pack("<I", 8 + len(strip))
    return head + strip + struct.pack("<H", len(entries)) + directory + bytes(4)


def webp(width: int, height: int) -> bytes:
    """The head of a lossless WebP of up to 16,384 x 16,384."""
    size = struct.pack("<I", (width - 1) | (height - 1) << 14)
    chunk = b"VP8L" + struct.pack("<I", 16) + b"\x2f" + size + bytes(11)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jpeg(width: int, height: int) -> bytes:
    """A JPEG of a few pixels that says it has many."""
    buffer = BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG of 4 megapixels that makes its decoder pass over all of them so often."""
    buffer = BytesIO()
    Image.new("RGB", (2_000, 2_000)).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def encoded(file_format: str, size: tuple[int, int] = (64, 48)) -> bytes:
    """A good picture, noisy so that it has some length."""
    buffer = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(buffer, file_format)
    return buffer.getvalue()


def truncated() -> Iterator[tuple[str, bytes]]:
    """Format, and half of a good picture of it."""
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        data = encoded(file_format)
        yield file_format, data[: len(data) // 2]
