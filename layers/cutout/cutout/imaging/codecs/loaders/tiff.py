"""TIFF files to pixels: the usual kinds by Pillow, all others by their samples.

Kinds that Pillow does not know are read by ``tiff_samples``. Of a camera's raw file only a preview is shown.
"""

import struct
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
from cutout.imaging.codecs.loaders.tiff_samples import read_samples

_FULL_SIZE = 0.8
"""Share of the sensor's pixels from which on a preview counts as the picture: cameras crop their borders."""
_BYTEWISE = {1, 5, 8, 32773, 32946, 34925, 50000}
"""Compressions of bytes: none, LZW, deflate (two numbers), PackBits, LZMA, Zstandard."""
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4}
"""Colour channels by PhotometricInterpretation: white is zero, black is zero, RGB, separated (CMYK)."""
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_WIDTHS = {2, 4, 6, 8, 10, 12, 14, 16, 32, 64}
_GRAY_WIDTHS = {1, 2, 4}
"""Depths of gray that Pillow reads."""
_UNREAD = {
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34712: "JPEG 2000",
    34887: "LERC",
    34927: "WebP",
    50001: "WebP",
    34933: "PNG",
    34934: "JPEG XR",
    22610: "JPEG XR",
    50002: "JPEG XL",
    52546: "JPEG XL",
    34676: "LogLuv",
    34677: "LogLuv",
}
"""Compressions that are not read."""
_ASSOCIATED, _UNASSOCIATED = 1, 2
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
        UnsupportedImageFormatError: It is a camera's raw file without such a preview, or its compression is unknown.
    """
    file = read_tiff(data)
    if file.raw_name:
        return _load_preview(data, file, plan)
    directory = choose_picture(file)
    if directory is None:
        return load(data, "TIFF", plan)
    unread = _UNREAD.get(directory.number(Tag.COMPRESSION, 1))
    if unread:
        raise UnsupportedImageFormatError(
            f"This TIFF is compressed by {unread}, which is not supported; use LZW or ZIP."
        )
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
    samples = read_samples(data, file, directory)
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
    if samples == 1 and bits <= _GRAY_WIDTHS:
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
