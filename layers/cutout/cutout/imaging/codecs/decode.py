"""Encoded bytes to an upright sRGB image at the size of the answer.

The format is decided by the first bytes (``formats``), Pillow is opened with exactly that format, and the limits are
checked against the header before any pixel is decoded. An image that will be shown smaller is made smaller at once,
for JPEG already inside the decoder, so that no later step works on more pixels than the answer has.
"""

import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFile

from cutout.errors import (
    ImageTooLargeError,
    InvalidImageError,
    ResolutionTooHighError,
    UnsupportedImageFormatError,
)
from cutout.imaging.arrays import Bytes
from cutout.imaging.codecs.colour import to_8bit, to_srgb
from cutout.imaging.codecs.formats import describe_unsupported, sniff
from cutout.imaging.spec import Limits, SizeName, fit_size

MAX_SCANS = 64
"""Encoders write ten or so. Each costs a pass over the whole picture, and 75 bytes suffice for one: 30 MB of them would
keep a core busy for hours (libjpeg-turbo, "Two Issues with the JPEG Standard", issue LJT-01-004)."""
MAX_SEGMENTS = 4_096
"""Of 64 kB at most, so 30 MB of metadata need 480; more serve only to be counted."""

_READERS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF", "gif": "GIF"}
"""Names by :func:`~cutout.imaging.codecs.formats.sniff` to names of Pillow's plug-ins."""
_DECODER_ERRORS = (
    OSError,  # most of them, among them UnidentifiedImageError and truncated files
    SyntaxError,  # broken structure of PNG and TIFF
    ValueError,  # text and profile chunks that unpack to too much, sizes of nothing
    TypeError,  # from here on: what Pillow's readers raise when a tag has another type, count or value than expected
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged files; the first three are what mutating files of every format brings (see tests)."""

_ORIENTATION = 0x0112  # EXIF 2.32, tag 274
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

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those left out have no length, or are no markers
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image in sRGB.

    Attributes:
        image: uint8 [H, W, 3].
        alpha: uint8 [H, W], straight; None when the file is opaque.
        source_width: Pixels of the file, upright, before it was made smaller.
        source_height: The same.
    """

    image: Bytes
    alpha: Bytes | None
    source_width: int
    source_height: int


def decode(data: bytes, limits: Limits, size: SizeName = SizeName.FULL) -> Decoded:
    """Decode an image at the size of the answer, never larger than the file.

    Args:
        data: The encoded image.
        limits: Bounds of the file and of the answer.
        size: The answer's cap.

    Returns:
        The upright image in sRGB.

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
        raise UnsupportedImageFormatError(describe_unsupported(data), {"supported": sorted(_READERS)})
    if kind == "jpeg":
        check_jpeg_scans(data)
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and of pictures above its own size limit; ours is checked below.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=[_READERS[kind]]) as picture:
                _check_size(picture.size, limits)
                return _decode(picture, limits, size)
    except Image.DecompressionBombError as error:
        raise ResolutionTooHighError("The image has too many pixels.", {"max_pixels": limits.max_pixels}) from error
    except _DECODER_ERRORS as error:
        raise InvalidImageError(
            f"The {kind.upper()} image is damaged, incomplete or of a rare kind.", {"format": kind}
        ) from error


def check_jpeg_scans(data: bytes) -> None:
    """Refuse a JPEG that is built to keep the decoder busy.

    Segments are stepped over by their length, and what follows the end of the image (a motion photo's video) is not
    read. Source: ITU-T T.81, annex B.

    Args:
        data: The encoded JPEG.

    Raises:
        InvalidImageError: There are more than MAX_SCANS scans or MAX_SEGMENTS segments.
    """
    scans, segments, position = 0, 0, 2
    while (found := _MARKER.search(data, position)) and found[0] != _END_OF_IMAGE:
        segments += 1
        scans += found[0] == _START_OF_SCAN
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise InvalidImageError("The JPEG image has too many scans or segments.", {"format": "jpeg"})
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ValueError("no pixels")
    if width * height > limits.max_pixels or max(size) > limits.max_side_px:
        raise ResolutionTooHighError(
            "The image has too many pixels.",
            {"width": width, "height": height, "max_pixels": limits.max_pixels, "max_side_px": limits.max_side_px},
        )


def _decode(picture: ImageFile.ImageFile, limits: Limits, size: SizeName) -> Decoded:
    width, height = picture.size
    target = fit_size(width, height, size, limits)
    if target != (width, height):
        picture.draft(None, target)  # JPEG only: decode at 1/2, 1/4 or 1/8, not below the target
    picture.load()
    # Only now: PNG may carry EXIF behind the pixels. TIFF is turned by Pillow itself and has lost its tag here.
    turn = _UPRIGHT.get(_orientation(picture))
    profile = picture.info.get("icc_profile")
    upright = to_8bit(picture)
    if upright.size != target:
        upright = upright.resize(target, Image.Resampling.LANCZOS)
    if turn is not None:
        upright = upright.transpose(turn)
        if upright.size != target:
            width, height = height, width
    colours, alpha = to_srgb(upright, profile if isinstance(profile, bytes) else None)
    return Decoded(colours, alpha, width, height)


def _orientation(picture: ImageFile.ImageFile) -> int:
    """Read the orientation from EXIF (or XMP); a picture whose EXIF block is damaged counts as upright."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return 1
