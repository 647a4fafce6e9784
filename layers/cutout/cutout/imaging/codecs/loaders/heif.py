"""AVIF and HEIC, the two formats of phones and of the web that are stored as HEIF (ISO/IEC 23008-12).

AVIF is read by Pillow, HEIC by pi-heif, which is loaded when the first one comes. Both turn the picture upright.
"""

import re
import struct
from dataclasses import replace

from cutout.errors import UnsupportedImageFormatError
from cutout.imaging.codecs.cicp import encoding_of
from cutout.imaging.codecs.encoding import ColourEncoding
from cutout.imaging.codecs.loaders.raster import Plan, Raster, load

_COLOUR_BOX = re.compile(rb"colrnclx(.{6})", re.DOTALL)
_HEAD_BYTES = 1 << 16
_LIKE_SRGB = {1: 13, 6: 13, 14: 13, 15: 13}
"""BT.709 and its like: what encoders write for any picture; browsers show it as sRGB."""


def load_avif(data: bytes, plan: Plan) -> Raster:
    """Load an AVIF; of a sequence, the first frame.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture, 8 bits a channel.
    """
    return _described(load(data, "AVIF", plan), data)


def load_heic(data: bytes, plan: Plan) -> Raster:
    """Load a HEIC: its primary image.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture, 8 bits a channel.

    Raises:
        UnsupportedImageFormatError: This installation has no decoder for HEVC.
    """
    try:
        from pi_heif import register_heif_opener  # noqa: PLC0415  (most processes never see a HEIC)
    except ImportError as error:
        raise UnsupportedImageFormatError(
            "HEIC images are not supported by this installation; send the photo as JPEG, PNG or WebP."
        ) from error
    register_heif_opener(thumbnails=False)
    return _described(load(data, "HEIF", plan), data)


def _described(raster: Raster, data: bytes) -> Raster:
    """Add the colour space of the ``colr`` box, where no ICC profile is there."""
    return raster if raster.profile else replace(raster, encoding=_read_encoding(data))


def _read_encoding(data: bytes) -> ColourEncoding | None:
    """Read the code points; the decoder has undone the matrix and the range already."""
    found = _COLOUR_BOX.search(data, 0, _HEAD_BYTES)
    if found is None:
        return None
    primaries, transfer, _ = struct.unpack(">HHH", found[1])
    return encoding_of(primaries, _LIKE_SRGB.get(transfer, transfer))
