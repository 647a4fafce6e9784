"""TIFF files to pixels: Pillow reads the plain ones, and unpacks the strips of all others.

Kinds that Pillow does not know differ in how samples lie in the bytes, not in how the bytes are compressed. So the
same strips are given to it as gray bytes, and the samples are taken from the rows that it answers.
"""

import struct
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from cutout.errors import ResolutionTooHighError, UnsupportedImageFormatError
from cutout.imaging.arrays import Words
from cutout.imaging.codecs.colour import scale_by_range, to_bytes_by_range
from cutout.imaging.codecs.loaders.jpeg import load_jpeg
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, load, open_picture
from cutout.imaging.codecs.loaders.tiff_directory import (
    Directory,
    Tag,
    TiffFile,
    choose_picture,
    embedded_jpegs,
    read_tiff,
)

_FULL_SIZE = 0.8
"""Share of the sensor's pixels from which on a preview counts as the picture: cameras crop their borders."""
_BYTEWISE = {1, 5, 8, 32773, 32946, 34925, 50000}
"""Compressions of bytes: none, LZW, deflate (two numbers), PackBits, LZMA, Zstandard."""
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4}
"""Colour channels by PhotometricInterpretation: white is zero, black is zero, RGB, separated (CMYK)."""
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_WIDTHS = {8, 10, 12, 14, 16, 32, 64}
_LETTERS = {1: "u", 2: "i", 3: "f"}
"""SampleFormat as NumPy names it."""
_ASSOCIATED, _UNASSOCIATED = 1, 2
_HORIZONTAL, _FLOATING = 2, 3
_RANGES = {"f": (1.0, 255.0, 65535.0), "u": (255.0, 65535.0, 2147483647.0, 4294967295.0)}
"""White of floats, and of 32 bits, whose files often use less: the smallest range that holds all values."""
_MAX_SAMPLES = 32
_MAX_SAMPLE_BYTES = 600_000_000
"""Memory that unpacked samples may take: 50 megapixels of RGB in floats."""


def load_tiff(data: bytes, plan: Plan) -> Raster:
    """Load a TIFF or BigTIFF.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        The picture that :func:`choose_picture` chooses; of a camera's raw file, its embedded preview of full size.

    Raises:
        ResolutionTooHighError: All samples together would need too much memory.
        UnsupportedImageFormatError: It is a camera's raw file without such a preview.
    """
    file = read_tiff(data)
    if file.raw_name:
        return _load_preview(data, file, plan)
    directory = choose_picture(file)
    if directory is None:
        return load(data, "TIFF", plan)
    if _is_left_to_pillow(directory, file):
        return load(_starting_at(data, file, directory.offset), "TIFF", plan)
    width, height = directory.number(Tag.WIDTH), directory.number(Tag.HEIGHT)
    plan(width, height)
    sample_bytes = width * height * directory.number(Tag.SAMPLES, 1) * directory.number(Tag.BITS) // 8
    if sample_bytes > _MAX_SAMPLE_BYTES:
        raise ResolutionTooHighError(
            "The image is too large for its depth.", {"sample_bytes": sample_bytes, "max_bytes": _MAX_SAMPLE_BYTES}
        )
    profile = directory.tags.get(Tag.ICC_PROFILE)
    samples = _read_samples(data, file, directory)
    colours, alpha = _pictures(samples, directory)
    return Raster(
        colours,
        width,
        height,
        orientation=directory.number(Tag.ORIENTATION, 1),
        profile=profile if isinstance(profile, bytes) else None,
        alpha=alpha,
        deep=_deep_colours(samples, directory) if plan.deep else None,
    )


def _load_preview(data: bytes, file: TiffFile, plan: Plan) -> Raster:
    """Load the first preview that is about as large as the sensor; a thumbnail is no answer."""
    least = _FULL_SIZE * max(each.pixels for each in file.directories)
    for preview in embedded_jpegs(data, file):
        try:
            with open_picture(preview, "JPEG") as picture:
                is_whole = picture.width * picture.height >= least
        except DECODER_ERRORS:
            continue  # the sensor's samples, in lossless JPEG
        if is_whole:
            raster = load_jpeg(preview, plan)
            turn = file.directories[0].number(Tag.ORIENTATION, 1)
            return raster if raster.orientation != 1 else replace(raster, orientation=turn)
    raise UnsupportedImageFormatError(
        f"This is a camera RAW file ({file.raw_name}); send the photo developed, as JPEG, PNG or TIFF."
    )


def _is_left_to_pillow(directory: Directory, file: TiffFile) -> bool:
    """Tell whether an image is of Pillow's usual kinds, or not made of whole samples."""
    bits, samples = set(directory.numbers(Tag.BITS)), directory.number(Tag.SAMPLES, 1)
    photometric = directory.number(Tag.PHOTOMETRIC, 1)
    if directory.number(Tag.COMPRESSION, 1) not in _BYTEWISE or photometric not in _COLOURS:
        return True
    if len(bits) != 1 or not bits <= _WIDTHS or not _COLOURS[photometric] <= samples <= _MAX_SAMPLES:
        return True
    is_usual = bits == {8} and directory.number(Tag.PLANAR, 1) == 1 and directory.number(Tag.SAMPLE_FORMAT, 1) == 1
    return is_usual and samples == _COLOURS[photometric] and not file.is_big


def _starting_at(data: bytes, file: TiffFile, offset: int) -> bytes:
    """Let the file begin with another directory."""
    if file.is_big:
        return data[:8] + struct.pack(file.order + "Q", offset) + data[16:]
    return data[:4] + struct.pack(file.order + "I", offset) + data[8:]


def _pictures(samples: NDArray[Any], directory: Directory) -> tuple[Image.Image, Image.Image | None]:
    """Make pictures of 8 bits from samples [H, W, C]: colours in L, RGB or CMYK, and alpha in L or None."""
    photometric = directory.number(Tag.PHOTOMETRIC, 1)
    channels = _COLOURS[photometric]
    white = _white(samples, directory)
    colours = to_bytes_by_range(samples[..., :channels], white)
    if photometric == 0:
        colours = 255 - colours
    extra = directory.numbers(Tag.EXTRA_SAMPLES) or (_UNASSOCIATED,)
    kinds = [kind for kind in extra[: samples.shape[2] - channels] if kind in {_ASSOCIATED, _UNASSOCIATED}]
    alpha = None
    if kinds:
        alpha = to_bytes_by_range(samples[..., channels + extra.index(kinds[0])], white)
        if kinds[0] == _ASSOCIATED:
            share = np.maximum(alpha, 1)[..., None].astype(np.uint32)
            colours = np.minimum((colours * np.uint32(255) + share // 2) // share, 255).astype(np.uint8)
    planes = [Image.fromarray(np.ascontiguousarray(colours[..., channel])) for channel in range(channels)]
    return Image.merge(_MODES[channels], planes), None if alpha is None else Image.fromarray(alpha)


def _deep_colours(samples: NDArray[Any], directory: Directory) -> Words | None:
    """Scale gray or RGB of more than 8 bits to 16; nothing for other kinds, and for colours that alpha has scaled."""
    photometric = directory.number(Tag.PHOTOMETRIC, 1)
    channels = _COLOURS[photometric]
    if channels > 3 or samples.dtype.itemsize == 1 or _ASSOCIATED in directory.numbers(Tag.EXTRA_SAMPLES):  # noqa: PLR2004
        return None
    colours = scale_by_range(samples[..., :channels], _white(samples, directory), 65535)
    if photometric == 0:
        colours = 65535 - colours
    return np.repeat(colours, 3, axis=2) if channels == 1 else colours


def _white(samples: NDArray[Any], directory: Directory) -> tuple[float, ...]:
    """Find the values that may be white, the smallest first: the file's, or those of the type."""
    bits = directory.number(Tag.BITS)
    if samples.dtype.kind == "f" or (samples.dtype.kind == "u" and bits >= 32):  # noqa: PLR2004
        return _RANGES[samples.dtype.kind]
    if samples.dtype.kind == "i":
        return (2.0 ** (bits - 1) - 1,)
    stated = directory.number(Tag.MAX_VALUE)
    if stated and stated + 1 & stated == 0 and stated < 2**bits:
        return float(stated), 2.0**bits - 1
    return (2.0**bits - 1,)


def _read_samples(data: bytes, file: TiffFile, directory: Directory) -> NDArray[Any]:
    """Read all samples, [H, W, C], uint8, uint16, uint32, uint64 or a float."""
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
