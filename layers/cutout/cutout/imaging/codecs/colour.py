"""Pillow's many modes to 8-bit sRGB arrays: depth, palettes, CMYK, ICC profiles.

Answers are sRGB and carry no embedded profile, because every profile that came in has been converted here.
"""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cutout.imaging.arrays import Bytes, Words, row_bands
from cutout.imaging.codecs.encoding import ColourEncoding, convert_to_srgb
from cutout.imaging.pixels import as_pixels

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_PROFILE_SPACE = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}
"""Which colour space of a profile (ICC.1, table 19) fits which mode."""
_OPAQUE = {"LA": "L", "RGBA": "RGB"}
"""Modes without their alpha."""
_ROWS = 64
_PROBE_TOLERANCE = 1
"""A transform that moves no probe colour by more than this, of 255, is the identity (an sRGB profile)."""

_NOMINAL = {
    "I;16": (65535.0,),
    "I;16L": (65535.0,),
    "I;16B": (65535.0,),
    "I": (255.0, 65535.0, 2147483647.0, 4294967295.0),
    "F": (1.0, 255.0, 65535.0),
}
"""The value of white in deep gray modes; of several, the smallest range that holds all values of the file."""


def to_8bit(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode to 8 bits a channel, transparency of palettes and colour keys to alpha.

    Args:
        picture: A loaded picture.

    Returns:
        A picture in one of the modes L, LA, RGB, RGBA and CMYK.
    """
    if picture.mode in _NOMINAL:
        values = np.asarray(picture)
        unsigned = values.view(np.uint32) if picture.mode == "I" else values  # Pillow keeps 32 bits signed
        return Image.fromarray(to_bytes_by_range(unsigned, _NOMINAL[picture.mode]))
    if picture.mode in {"LA", "RGBA", "CMYK"}:
        return picture
    if picture.mode == "LAB":
        converted = ImageCms.profileToProfile(picture, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB")
        return picture.convert("RGB") if converted is None else converted
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in {"L", "RGB"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def to_bytes_by_range(values: NDArray[Any], ranges: tuple[float, ...]) -> Bytes:
    """Scale deep samples to bytes: see :func:`scale_by_range`."""
    return scale_by_range(values, ranges).astype(np.uint8)


def scale_by_range(values: NDArray[Any], ranges: tuple[float, ...], top: int = 255) -> Words:
    """Scale samples of any type to whole numbers.

    Args:
        values: Numbers of any type, [H, ...].
        ranges: Values that may be white, the smallest first; the first one that holds all values is.
        top: What white becomes.

    Returns:
        uint16 of the same shape; what is no number is black.
    """
    largest = max(
        (float(np.nan_to_num(values[rows], nan=0.0).max()) for rows in row_bands(len(values), _ROWS)), default=0
    )
    white = next((white for white in ranges if largest <= white), max(largest, 1.0))
    scaled = np.empty(values.shape, np.uint16)
    for rows in row_bands(len(values), _ROWS):
        numbers = np.nan_to_num(values[rows].astype(np.float32), nan=0.0)
        scaled[rows] = np.clip(numbers / white, 0.0, 1.0) * float(top) + 0.5
    return scaled


def to_srgb(
    picture: Image.Image,
    profile: bytes | None,
    encoding: ColourEncoding | None = None,
    pixels: Bytes | None = None,
) -> tuple[Bytes, Bytes | None]:
    """Convert a picture to sRGB.

    A profile that is broken, or made for another colour space than the picture's, is ignored: the picture then
    counts as sRGB (CMYK: as plain ink amounts).

    Args:
        picture: In one of the modes of :func:`to_8bit`.
        profile: The file's ICC profile; None without one.
        encoding: The file's colour space, where it has no profile; None for sRGB.
        pixels: The memory of an RGB picture, uint8 [H, W, 3]; None where that is Pillow's own.

    Returns:
        Colours uint8 [H, W, 3], and alpha uint8 [H, W] or None when the picture is opaque.
    """
    alpha = opaque_as_none(np.array(picture.getchannel("A"))) if picture.mode in {"LA", "RGBA"} else None
    transform = _transform(picture.mode, profile) if profile else None
    if transform is not None:
        opaque_mode = _OPAQUE.get(picture.mode, picture.mode)
        flat = picture if picture.mode == opaque_mode else picture.convert(opaque_mode)
        applied = ImageCms.applyTransform(flat, transform)
        picture, pixels = (flat if applied is None else applied), None
    if pixels is None:
        pixels = as_pixels(picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGB"))
    return pixels if encoding is None else convert_to_srgb(pixels, encoding), alpha


def is_rgb_profile(picture: Image.Image, profile: bytes | None) -> bool:
    """Tell whether a profile can stay with the pixels of an answer.

    Args:
        picture: In one of the modes of :func:`to_8bit`.
        profile: The file's ICC profile; None without one.

    Returns:
        Whether the picture is RGB and the profile is sound and made for RGB.
    """
    if profile is None or picture.mode not in {"RGB", "RGBA"}:
        return False
    try:
        return bool(ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space == _PROFILE_SPACE["RGB"])
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False


def opaque_as_none(alpha: Bytes) -> Bytes | None:
    """Drop an alpha that hides nothing.

    Args:
        alpha: uint8 [H, W].

    Returns:
        The same; None where every pixel is opaque.
    """
    return None if alpha.min() == 255 else alpha  # noqa: PLR2004


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Build the transform to sRGB; None when there is nothing to convert or no usable profile."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACE.get(mode):
            return None
        opaque_mode = _OPAQUE.get(mode, mode)
        transform = ImageCms.buildTransform(
            source,
            _SRGB,
            opaque_mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if opaque_mode == "RGB" and _is_identity(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(6, 36, 3)
    applied = ImageCms.applyTransform(Image.fromarray(probe), transform)
    moved = np.abs(np.asarray(applied).astype(np.int16) - probe)
    return int(moved.max()) <= _PROBE_TOLERANCE
