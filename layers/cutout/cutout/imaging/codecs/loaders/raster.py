"""What every format's loader returns, and how Pillow is opened."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFile

from cutout.errors import ResolutionTooHighError
from cutout.imaging.arrays import Bytes, Words
from cutout.imaging.codecs.encoding import ColourEncoding
from cutout.imaging.pixels import allocate
from cutout.imaging.spec import Limits, SizeName, fit_size

DECODER_ERRORS = (
    OSError,  # most of them, among them UnidentifiedImageError and truncated files
    SyntaxError,  # broken structure of PNG and TIFF
    ValueError,  # text and profile chunks that unpack to too much, sizes of nothing
    TypeError,  # from here on: what Pillow's readers raise when a tag has another type, count or value than expected
    LookupError,
    ArithmeticError,
    MemoryError,
    AssertionError,  # a later frame of a GIF that has no palette
    EOFError,  # these two: the libraries behind AVIF and HEIC
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged files; the first three are what mutating files of every format brings (see tests)."""

_ORIENTATION = 0x0112  # EXIF 2.32, tag 274


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted of a file: sizes within limits, and whether all bits.

    Attributes:
        limits: Bounds of the file and of the answer.
        size: The answer's cap.
        deep: Whether colours of 16 bits are read, where the file has them.
    """

    limits: Limits
    size: SizeName = SizeName.FULL
    deep: bool = False

    def __call__(self, width: int, height: int) -> tuple[int, int]:
        """Check the size in a header against the limits.

        Args:
            width: Pixels.
            height: Pixels.

        Returns:
            Width and height of the answer.

        Raises:
            ResolutionTooHighError: There are more pixels, or a longer side, than the limits allow.
            ValueError: There are no pixels.
        """
        if width < 1 or height < 1:
            raise ValueError("no pixels")
        most_px, longest_px = self.limits.max_pixels, self.limits.max_side_px
        details = {"width": width, "height": height, "max_pixels": most_px, "max_side_px": longest_px}
        if width * height > most_px:
            raise ResolutionTooHighError(
                f"The image has too many pixels: {width} x {height} is more than {most_px / 1e6:g} megapixels.", details
            )
        if max(width, height) > longest_px:
            raise ResolutionTooHighError(
                f"The image is too long: a side of {max(width, height)} px is more than {longest_px}.", details
            )
        return fit_size(width, height, self.size, self.limits)


@dataclass(frozen=True, slots=True)
class Raster:
    """The pixels of a file, not yet upright, and what is needed to show them.

    Attributes:
        picture: Loaded, in any of Pillow's modes; not larger than the file.
        width: Pixels of the file, as stored.
        height: The same.
        orientation: 1..8 as in EXIF; 1 is upright.
        profile: An ICC profile; None without one.
        encoding: The colour space where no profile is there; None for sRGB.
        alpha: In mode L, of the picture's size, for modes that hold none; None without one.
        exif: The file's EXIF; None where there is none, or where it is damaged.
        deep: All bits of the colours, uint16 [H, W, 3]; None where they were not asked for, or are not there.
        pixels: The memory that ``picture`` was loaded into, uint8 [H, W, 3]; None where that is Pillow's own.
    """

    picture: Image.Image
    width: int
    height: int
    orientation: int = 1
    profile: bytes | None = None
    encoding: ColourEncoding | None = None
    alpha: Image.Image | None = None
    exif: Image.Exif | None = None
    deep: Words | None = None
    pixels: Bytes | None = None


@contextmanager
def open_picture(data: bytes, plugin: str) -> Iterator[ImageFile.ImageFile]:
    """Open a file with one of Pillow's plug-ins.

    Args:
        data: The file.
        plugin: Its name, such as "PNG".

    Yields:
        The picture, not yet loaded.
    """
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of pictures above its own size limit; ours is checked by the plan.
        warnings.simplefilter("ignore")
        with Image.open(BytesIO(data), formats=[plugin]) as picture:
            yield picture


def load(data: bytes, plugin: str, plan: Plan) -> Raster:
    """Load a file that Pillow reads by itself.

    Args:
        data: The file.
        plugin: The name of Pillow's plug-in.
        plan: The limits.

    Returns:
        The first frame.
    """
    with open_picture(data, plugin) as picture:
        width, height = picture.size
        target = plan(width, height)
        if target != (width, height):
            picture.draft(None, target)  # JPEG only: decode at 1/2, 1/4 or 1/8, not below the target
        pixels = None
        if picture.mode == "RGB" and plugin == "JPEG":
            pixels = allocate(picture)
        picture.load()
        # Only now: PNG may carry EXIF behind the pixels. TIFF is turned by Pillow itself and has lost its tag here.
        profile = picture.info.get("icc_profile")
        return Raster(
            picture,
            width,
            height,
            orientation=read_orientation(picture),
            profile=profile if isinstance(profile, bytes) else None,
            exif=read_exif(picture),
            pixels=pixels,
        )


def read_orientation(picture: Image.Image) -> int:
    """Read the orientation from EXIF or XMP.

    Args:
        picture: A loaded picture.

    Returns:
        1..8, or any other number that the file has; 1 where the metadata is damaged.
    """
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except DECODER_ERRORS:
        return 1


def read_exif(picture: Image.Image) -> Image.Exif | None:
    """Read EXIF.

    Args:
        picture: A loaded picture.

    Returns:
        Its EXIF; None where there is none, or where it is damaged.
    """
    try:
        return picture.getexif() or None
    except DECODER_ERRORS:
        return None
