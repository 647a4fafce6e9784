"""PNG files to pixels: whatever is wrong besides the pixels themselves, they are read."""

import zlib
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.errors import InvalidImageError
from cutout.imaging.codecs.encoding import ColourEncoding, convert_to_srgb
from cutout.imaging.codecs.loaders.png_chunks import PngFile, read_png
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, open_picture, read_exif, read_orientation

_DEEP = 16
_STEP_BYTES = 1 << 14
"""Of a deflate stream: they become 17 MB at most."""
_GRAY, _RGB = 0, 2
_COLOUR_CHANNELS = 3


def load_png(data: bytes, plan: Plan) -> Raster:
    """Load a PNG.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture; of an animation, the default image.

    Raises:
        InvalidImageError: Pixels are missing.
    """
    return load_parts(read_png(data), plan)


def load_parts(png: PngFile, plan: Plan) -> Raster:
    """Load a PNG, or one frame of an animation.

    Args:
        png: Its parts.
        plan: The limits.

    Returns:
        The picture.

    Raises:
        InvalidImageError: Pixels are missing.
    """
    plan(*png.size)
    try:
        return _load(png, png.encoded(), plan)
    except DECODER_ERRORS as error:
        # Whatever the decoder objects to (a wrong checksum at the end, for example): are all pixels there?
        return _load(png, png.encoded(_complete_pixels(png, error)), plan)


def _load(png: PngFile, data: bytes, plan: Plan) -> Raster:
    with open_picture(data, "PNG") as picture:
        picture.load()
        _check_last_row(png, picture)
        pixels: Image.Image = picture
        encoding = png.encoding
        if png.bit_depth == _DEEP and png.transparency:
            pixels = _with_colour_key(png, data, picture)
        elif png.bit_depth == _DEEP and encoding and encoding.is_hdr and png.channels >= _COLOUR_CHANNELS:
            pixels, encoding = _from_hdr(read_deep(png, data), encoding), None
        deep = read_deep(png, data) if plan.deep and png.bit_depth == _DEEP else None
        if deep is not None:
            deep = np.repeat(deep[..., :1], 3, axis=2) if png.channels < _COLOUR_CHANNELS else deep[..., :3]
        return Raster(
            pixels, *png.size, read_orientation(picture), png.profile, encoding, exif=read_exif(picture), deep=deep
        )


def _check_last_row(png: PngFile, picture: Image.Image) -> None:
    """Raise OSError where the stream ended early: Pillow then leaves rows at zero."""
    last = picture.crop((0, picture.height - 1, picture.width, picture.height))
    if not png.interlaced and np.asarray(last).any():
        return
    missing = sum(rows * row_bytes for rows, row_bytes in png.passes)
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    for start in range(2, len(png.pixels), _STEP_BYTES):
        missing -= len(unpacker.decompress(png.pixels[start : start + _STEP_BYTES]))
        if missing <= 0:
            return
    raise OSError("the pixel stream is too short")


def _from_hdr(samples: NDArray[np.uint16], encoding: ColourEncoding) -> Image.Image:
    """Convert with all 16 bits: 8 bits of PQ or HLG are too few for dark tones."""
    colours = convert_to_srgb(samples[..., :_COLOUR_CHANNELS], encoding)
    if samples.shape[2] == _COLOUR_CHANNELS:
        return Image.fromarray(colours)
    return Image.fromarray(np.dstack([colours, (samples[..., _COLOUR_CHANNELS] // 257).astype(np.uint8)]))


def _complete_pixels(png: PngFile, error: Exception) -> bytes:
    """Inflate the pixels without asking for a checksum, and wrap them again as a stream that is whole."""
    wanted = sum(rows * row_bytes for rows, row_bytes in png.passes)
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    pixels = b""
    with suppress(zlib.error):
        pixels = unpacker.decompress(png.pixels[2:], wanted)
    if len(pixels) < wanted:
        height = png.size[1]
        rows = "" if png.interlaced else f" from row {len(pixels) // next(png.passes)[1]} of {height} on"
        raise InvalidImageError(f"The PNG image is incomplete: pixels are missing{rows}.", {"format": "png"}) from error
    return zlib.compress(pixels, 0)


def _with_colour_key(png: PngFile, data: bytes, picture: Image.Image) -> Image.Image:
    """Apply the transparent colour of a 16-bit image, which Pillow compares with 8 bits or not at all."""
    key = np.frombuffer(png.transparency or b"", ">u2")
    if png.colour_type == _GRAY:
        opaque = np.asarray(picture) != key[0]
        colours = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    elif png.colour_type == _RGB:
        opaque = (read_deep(png, data) != key).any(axis=-1)
        colours = picture.copy()
        colours.info.pop("transparency", None)
    else:
        return picture
    colours.putalpha(Image.fromarray(opaque.astype(np.uint8) * np.uint8(255)))
    return colours


def read_deep(png: PngFile, data: bytes) -> NDArray[np.uint16]:
    """Read a 16-bit image with all its bits.

    Pillow reads 16 bits of colour as 8. It is asked twice: for the upper bytes, and for the lower ones as if they
    were the upper ones.

    Args:
        png: The file's parts.
        data: The file, as :meth:`PngFile.encoded` writes it.

    Returns:
        uint16 [H, W, C], C as the file has channels.
    """
    if png.channels == 1:
        return _read_as(data, "I;16", "I;16B").astype(np.uint16)[..., None]
    if png.channels == 2:  # noqa: PLR2004
        pairs = _read_as(data, "RGBA", "RGBA").astype(np.uint16)
        return _joined(pairs[..., 0::2], pairs[..., 1::2])
    mode = "RGB" if png.channels == _COLOUR_CHANNELS else "RGBA"
    upper, lower = (_read_as(data, mode, f"{mode};16{order}").astype(np.uint16) for order in "BL")
    return _joined(upper, lower)


def _joined(upper: NDArray[np.uint16], lower: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return upper * np.uint16(256) + lower


def _read_as(data: bytes, mode: str, raw_mode: str) -> NDArray[Any]:
    with open_picture(data, "PNG") as picture:
        picture._mode = mode  # noqa: SLF001  (Pillow offers no other way to choose it)
        picture.tile = [tile._replace(args=raw_mode) for tile in picture.tile]
        picture.info.pop("transparency", None)
        picture.load()
        return np.asarray(picture)
