"""Pillow's many modes to 8-bit sRGB arrays: depth, palettes, CMYK, ICC profiles.

Answers are sRGB and carry no embedded profile, because every profile that came in has been converted here.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cutout.imaging.arrays import Bytes

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_PROFILE_SPACE = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}
"""Which colour space of a profile (ICC.1, table 19) fits which mode."""
_OPAQUE = {"LA": "L", "RGBA": "RGB"}
"""Modes without their alpha."""
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
        return Image.fromarray(_scale(unsigned, _NOMINAL[picture.mode]))
    if picture.mode in {"LA", "RGBA", "CMYK"}:
        return picture
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in {"L", "RGB"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def to_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Bytes, Bytes | None]:
    """Convert a picture to sRGB.

    A profile that is broken, or made for another colour space than the picture's, is ignored: the picture then
    counts as sRGB (CMYK: as plain ink amounts).

    Args:
        picture: In one of the modes of :func:`to_8bit`.
        profile: The file's ICC profile; None without one.

    Returns:
        Colours uint8 [H, W, 3], and alpha uint8 [H, W] or None when the picture is opaque.
    """
    alpha = np.array(picture.getchannel("A")) if picture.mode in {"LA", "RGBA"} else None
    if alpha is not None and alpha.min() == 255:  # noqa: PLR2004  (fully opaque)
        alpha = None
    transform = _transform(picture.mode, profile) if profile else None
    if transform is not None:
        opaque_mode = _OPAQUE.get(picture.mode, picture.mode)
        flat = picture if picture.mode == opaque_mode else picture.convert(opaque_mode)
        applied = ImageCms.applyTransform(flat, transform)
        picture = flat if applied is None else applied
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB")), alpha


def _scale(values: NDArray[np.generic], ranges: tuple[float, ...]) -> Bytes:
    numbers = np.nan_to_num(values.astype(np.float32), nan=0.0)
    top = float(numbers.max())
    white = next((white for white in ranges if top <= white), max(top, 1.0))
    scaled: Bytes = (np.clip(numbers / white, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return scaled


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
