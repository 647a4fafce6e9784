"""Encoded bytes to an upright sRGB image at the size of the answer.

The format is decided by the first bytes (``formats``), each has a loader of its own, and the limits are checked
against the header before any pixel is decoded. An image that will be shown smaller is made smaller at once, for JPEG
already inside the decoder, so that no later step works on more pixels than the answer has.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cutout.errors import (
    ImageTooLargeError,
    InvalidImageError,
    ResolutionTooHighError,
    UnsupportedImageFormatError,
)
from cutout.imaging.arrays import Bytes, Words
from cutout.imaging.codecs.colour import is_rgb_profile, opaque_as_none, to_8bit, to_srgb
from cutout.imaging.codecs.endings import ends_early
from cutout.imaging.codecs.formats import describe_unsupported, sniff
from cutout.imaging.codecs.loaders.heif import load_avif, load_heic
from cutout.imaging.codecs.loaders.jpeg import load_jpeg
from cutout.imaging.codecs.loaders.png import load_png
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, load
from cutout.imaging.codecs.loaders.tiff import load_tiff
from cutout.imaging.codecs.loaders.webp import load_webp
from cutout.imaging.spec import Limits, SizeName, fit_size

Loader = Callable[[bytes, Plan], Raster]

_LOADERS: dict[str, Loader] = {
    "jpeg": load_jpeg,
    "png": load_png,
    "webp": load_webp,
    "tiff": load_tiff,
    "avif": load_avif,
    "heic": load_heic,
    "bmp": lambda data, plan: load(data, "BMP", plan),
    "gif": lambda data, plan: load(data, "GIF", plan),
}
"""Formats as :func:`~cutout.imaging.codecs.formats.sniff` names them."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to the operation that makes the picture upright; 1 and unknown values need none."""

_SIDEWAYS = {5, 6, 7, 8}
"""Orientations that swap width and height."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image in sRGB.

    Attributes:
        image: uint8 [H, W, 3].
        alpha: uint8 [H, W], straight; None when the file is opaque.
        source_width: Pixels of the file, upright, before it was made smaller.
        source_height: The same.
        profile: The ICC profile that the colours still are in; None for sRGB.
        exif: The file's EXIF; None without one.
        deep: The same image with all bits, uint16 [H, W, 3]; None where it has 8, or was not asked for.
    """

    image: Bytes
    alpha: Bytes | None
    source_width: int
    source_height: int
    profile: bytes | None = None
    exif: Image.Exif | None = None
    deep: Words | None = None


def decode(
    data: bytes, limits: Limits, size: SizeName = SizeName.FULL, *, keep_profile: bool = False, deep: bool = False
) -> Decoded:
    """Decode an image at the size of the answer, never larger than the file.

    Args:
        data: The encoded image.
        limits: Bounds of the file and of the answer.
        size: The answer's cap.
        keep_profile: Whether colours stay as they are where the file has an ICC profile for RGB.
        deep: Whether all bits are read as well, where the file has 16. Such a file keeps its profile.

    Returns:
        The upright image, in sRGB unless ``profile`` is given.

    Raises:
        ImageTooLargeError: The file has more bytes than ``limits.max_bytes``.
        UnsupportedImageFormatError: The bytes are no image of a supported format.
        ResolutionTooHighError: The header announces more pixels, or a longer side, than the limits.
        InvalidImageError: The image is damaged or incomplete.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLargeError(
            "The image has too many bytes.", {"size_bytes": len(data), "max_bytes": limits.max_bytes}
        )
    kind = sniff(data)
    if kind is None:
        raise UnsupportedImageFormatError(describe_unsupported(data), {"supported": sorted(_LOADERS)})
    try:
        raster = _LOADERS[kind](data, Plan(limits, size, deep))
        return finish(
            raster,
            fit_size(raster.width, raster.height, size, limits),
            keep_profile=keep_profile or raster.deep is not None,
        )
    except Image.DecompressionBombError as error:
        raise ResolutionTooHighError("The image has too many pixels.", {"max_pixels": limits.max_pixels}) from error
    except DECODER_ERRORS as error:
        what = (
            "incomplete: pixels are missing at its end"
            if ends_early(kind, data, error)
            else "damaged or of a rare kind"
        )
        raise InvalidImageError(f"The {kind.upper()} image is {what}.", {"format": kind}) from error


def finish(raster: Raster, target: tuple[int, int], *, keep_profile: bool) -> Decoded:
    """Reduce, turn and convert the pixels of a file.

    Args:
        raster: The pixels.
        target: Width and height of the answer, before turning.
        keep_profile: Whether colours stay as they are where the file has an ICC profile for RGB.

    Returns:
        The upright image.
    """
    turn = _UPRIGHT.get(raster.orientation)
    picture = _fit(to_8bit(raster.picture), target, turn)
    width, height = raster.width, raster.height
    if raster.orientation in _SIDEWAYS:
        width, height = height, width
    profile = raster.profile if keep_profile and is_rgb_profile(picture, raster.profile) else None
    pixels = raster.pixels if picture is raster.picture else None
    colours, own_alpha = to_srgb(picture, None if profile else raster.profile, raster.encoding, pixels)
    if raster.alpha is not None:
        own_alpha = opaque_as_none(np.array(_fit(raster.alpha, target, turn)))
    deep = None
    if raster.deep is not None and raster.encoding is None and (profile or not raster.profile):
        deep = np.dstack([_fit_words(raster.deep[..., channel], target, turn) for channel in range(3)])
    return Decoded(colours, own_alpha, width, height, profile, raster.exif, deep)


def _fit(picture: Image.Image, target: tuple[int, int], turn: Image.Transpose | None) -> Image.Image:
    reduced = picture if picture.size == target else picture.resize(target, Image.Resampling.LANCZOS)
    return reduced if turn is None else reduced.transpose(turn)


def _fit_words(plane: Words, target: tuple[int, int], turn: Image.Transpose | None) -> Words:
    fitted = np.asarray(_fit(Image.fromarray(plane.astype(np.float32)), target, turn))
    words: Words = (np.clip(fitted, 0, 65535) + np.float32(0.5)).astype(np.uint16)
    return words
