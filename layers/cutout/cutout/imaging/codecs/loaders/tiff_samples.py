"""The samples of a TIFF, whatever their number, depth and order.

Kinds that Pillow does not know differ in how samples lie in the bytes, not in how the bytes are compressed. So the
same strips are given to it as gray bytes, and the samples are taken from the rows that it answers.
"""

import struct
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutout.imaging.codecs.loaders.tiff_directory import Directory, Tag, TiffFile

_LETTERS = {1: "u", 2: "i", 3: "f"}
"""SampleFormat as NumPy names it."""
_HORIZONTAL, _FLOATING = 2, 3


def read_samples(data: bytes, file: TiffFile, directory: Directory) -> NDArray[Any]:
    """Read all samples of an image.

    Args:
        data: The file.
        file: Its byte order.
        directory: The image; compressed by bytes, samples of 8 bits or more.

    Returns:
        [H, W, C] of the file's type: uint8 to uint64, int or float.
    """
    width, height = directory.number(Tag.WIDTH), directory.number(Tag.HEIGHT)
    channels = directory.number(Tag.SAMPLES, 1)
    if directory.number(Tag.PLANAR, 1) == 1:
        return _read_plane(data, file, directory, channels, slice(None))
    places = len(directory.numbers(Tag.STRIP_OFFSETS) or directory.numbers(Tag.TILE_OFFSETS)) // channels
    result = None
    for channel in range(channels):
        plane = _read_plane(data, file, directory, 1, slice(channel * places, (channel + 1) * places))
        if result is None:
            result = np.empty((height, width, channels), plane.dtype)
        result[..., channel] = plane[..., 0]
    if result is None:
        raise ValueError("no samples")
    return result


def _read_plane(data: bytes, file: TiffFile, directory: Directory, channels: int, places: slice) -> NDArray[Any]:
    """Read the strips or tiles ``places`` as rows of ``channels`` interleaved samples: [H, W, channels]."""
    width, bits = directory.number(Tag.WIDTH), directory.number(Tag.BITS)
    tile = directory.number(Tag.TILE_WIDTH)
    across = -(-width // tile) if tile else 1
    segment = tile or width
    rows = _unpack_rows(data, directory, across, -(-segment * channels * bits // 8), places)
    height = len(rows)
    samples = _samples(rows.reshape(height, across, -1), directory, file.order, segment * channels)
    samples = samples.reshape(height, across, segment, channels)
    if directory.number(Tag.PREDICTOR, 1) == _HORIZONTAL:
        whole = samples.view(f"u{samples.itemsize}")
        samples = np.cumsum(whole, axis=2, dtype=whole.dtype).view(samples.dtype)
    return samples.reshape(height, across * segment, channels)[:, :width]


def _unpack_rows(data: bytes, directory: Directory, across: int, row_bytes: int, places: slice) -> NDArray[np.uint8]:
    """Let Pillow unpack strips or tiles as a gray image whose rows have ``across`` times ``row_bytes`` pixels."""
    entries: dict[Tag, tuple[int, ...]] = {
        Tag.WIDTH: (across * row_bytes,),
        Tag.HEIGHT: (directory.number(Tag.HEIGHT),),
        Tag.BITS: (8,),
        Tag.COMPRESSION: (directory.number(Tag.COMPRESSION, 1),),
        Tag.PHOTOMETRIC: (1,),
        Tag.FILL_ORDER: (directory.number(Tag.FILL_ORDER, 1),),
        Tag.SAMPLES: (1,),
    }
    if directory.number(Tag.TILE_WIDTH):
        entries[Tag.TILE_WIDTH] = (row_bytes,)
        entries[Tag.TILE_HEIGHT] = directory.numbers(Tag.TILE_HEIGHT)
        where = Tag.TILE_OFFSETS, Tag.TILE_BYTES
    else:
        entries[Tag.ROWS_PER_STRIP] = (min(directory.number(Tag.ROWS_PER_STRIP, 2**32 - 1), 2**31 - 1),)
        where = Tag.STRIP_OFFSETS, Tag.STRIP_BYTES
    entries |= {tag: directory.numbers(tag)[places] for tag in where}
    from PIL import TiffImagePlugin  # noqa: PLC0415 - six milliseconds; few files are of this kind

    # Opened without Image.open, whose limit of pixels is meant for pixels and not for bytes.
    with TiffImagePlugin.TiffImageFile(BytesIO(_with_directory(data, entries))) as picture:
        picture.load()
        return np.asarray(picture)


def _with_directory(data: bytes, entries: dict[Tag, tuple[int, ...]]) -> bytes:
    """Append a directory to the file's bytes, and let it begin there. Strips stay where they are."""
    start = len(data) + len(data) % 2
    beyond = start + 2 + 12 * len(entries) + 4
    directory, values = struct.pack("<H", len(entries)), b""
    for tag, numbers in sorted(entries.items()):
        content = struct.pack(f"<{len(numbers)}I", *numbers)
        place = content if len(numbers) == 1 else struct.pack("<I", beyond + len(values))
        values += content if len(numbers) > 1 else b""
        directory += struct.pack("<HHI", tag, 4, len(numbers)) + place
    head = b"II*\0" + struct.pack("<I", start)
    return b"".join((head, data[8:], b"\0" * (start - len(data)), directory, b"\0\0\0\0", values))


def _samples(rows: NDArray[np.uint8], directory: Directory, order: str, count: int) -> NDArray[Any]:
    """Take ``count`` samples from the bytes of every segment, [H, segments, bytes]."""
    bits, letter = directory.number(Tag.BITS), _LETTERS.get(directory.number(Tag.SAMPLE_FORMAT, 1), "u")
    if bits % 8 or bits == 24:  # noqa: PLR2004
        return _unpack_bits(rows, bits, count)
    if letter == "f" and directory.number(Tag.PREDICTOR, 1) == _FLOATING:
        # Adobe's technical note 3: bytes of all samples by significance, each the difference to its left neighbour's.
        channels = directory.number(Tag.SAMPLES, 1) if directory.number(Tag.PLANAR, 1) == 1 else 1
        planes = rows.reshape(*rows.shape[:2], -1, channels)
        summed = np.cumsum(planes, axis=2, dtype=np.uint8).reshape(*rows.shape[:2], bits // 8, count)
        rows, order = np.ascontiguousarray(summed.swapaxes(2, 3)).reshape(rows.shape), ">"
    kind = np.dtype(f"{order}{letter}{bits // 8}")
    values = np.ascontiguousarray(rows).view(kind)
    return values.astype(kind.newbyteorder("="), copy=False)


def _unpack_bits(rows: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint16]:
    """Take samples that cross the borders of bytes, the highest bit first."""
    height, across, _ = rows.shape
    result = np.empty((height, across, count), np.uint16)
    weights = 2 ** np.arange(bits - 1, -1, -1, dtype=np.uint16)
    for row in range(height):
        line = np.unpackbits(rows[row], axis=-1, count=count * bits).reshape(across, count, bits)
        result[row] = line @ weights
    return result
