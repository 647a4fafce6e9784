"""Pillow's many modes to 8-bit sRGB arrays: depth, palettes, CMYK, ICC profiles. Knows no files and no limits.

Answers are sRGB and carry no embedded profile, because every profile that came in has been converted here.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_PROFILE_SPACE = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}
"""Which colour space of a profile (ICC.1, table 19) fits which mode."""
_PROBE_TOLERANCE = 1
"""A transform that moves no probe colour by more than this, of 255, is the identity (an sRGB profile)."""

_NOMINAL = {
    "I;16": (65535.0,),
    "I;16L": (65535.0,),
    "I;16B": (65535.0,),
    "I": (255.0, 65535.0, 2147483647.0, 4294967295.0),
    "F": (1.0, 255.0, 65535.0),
}
"""White of deep gray modes. Where a file does not say it (I, F), the smallest range that holds all its values."""


def eight_bit(picture: Image.Image) -> Image.Image:
    """``picture`` in one of the modes L, LA, RGB, RGBA, CMYK, transparency of palettes and colour keys as alpha."""
    if picture.mode in _NOMINAL:
        values = np.asarray(picture)
        unsigned = values.view(np.uint32) if picture.mode == "I" else values  # Pillow keeps 32 bits signed
        return Image.fromarray(_scaled(unsigned, _NOMINAL[picture.mode]))
    if picture.mode in {"LA", "RGBA", "CMYK"}:
        return picture
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in {"L", "RGB"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def to_srgb(picture: Image.Image, profile: bytes | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colours in sRGB, uint8 [H, W, 3], and alpha, uint8 [H, W] or None when opaque, of a picture.

    picture: in one of the modes of :func:`eight_bit`. profile: the file's ICC profile.

    A profile that is broken, or made for another colour space than the picture's, is ignored: the picture then
    counts as sRGB (CMYK: as plain ink amounts).
    """
    alpha = np.array(picture.getchannel("A")) if picture.mode in {"LA", "RGBA"} else None
    if alpha is not None and alpha.min() == 255:  # noqa: PLR2004  (fully opaque)
        alpha = None
    transform = _transform(picture.mode, profile) if profile else None
    if transform is not None:
        ground = {"LA": "L", "RGBA": "RGB"}.get(picture.mode, picture.mode)
        flat = picture if picture.mode == ground else picture.convert(ground)
        applied = ImageCms.applyTransform(flat, transform)
        picture = flat if applied is None else applied
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB")), alpha


def _scaled(values: NDArray[np.generic], ranges: tuple[float, ...]) -> NDArray[np.uint8]:
    numbers = np.nan_to_num(values.astype(np.float32), nan=0.0)
    top = float(numbers.max())
    white = next((white for white in ranges if top <= white), max(top, 1.0))
    bytes_: NDArray[np.uint8] = (np.clip(numbers / white, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return bytes_


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """The way from ``profile`` to sRGB, or None when there is nothing to convert or no usable profile."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACE.get(mode):
            return None
        ground = {"LA": "L", "RGBA": "RGB"}.get(mode, mode)
        transform = ImageCms.buildTransform(
            source,
            _SRGB,
            ground,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if ground == "RGB" and _is_identity(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(6, 36, 3)
    applied = ImageCms.applyTransform(Image.fromarray(probe), transform)
    moved = np.abs(np.asarray(applied).astype(np.int16) - probe)
    return int(moved.max()) <= _PROBE_TOLERANCE
