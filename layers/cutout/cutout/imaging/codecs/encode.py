"""A picture to bytes in one of the output formats. All answers are sRGB; none carries an ICC profile.

PNG says so by its sRGB chunk, the others by convention (untagged means sRGB). No EXIF is written: pictures are
upright already, and nothing of the uploaded file's metadata leaves the service.
"""

from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.codecs.png import png_bytes
from cutout.imaging.matting.inpaint import continued
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat

_OPTIONS: dict[ImageFormat, dict[str, object]] = {
    # 4:4:4: half-resolution colour would smear the subject's edge into the new background.
    ImageFormat.JPEG: {"format": "JPEG", "quality": 92, "subsampling": 0},
    ImageFormat.WEBP: {"format": "WEBP", "quality": 92, "method": 2, "alpha_quality": 100},
    ImageFormat.BMP: {"format": "BMP"},
    ImageFormat.TIFF: {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    ImageFormat.GIF: {"format": "GIF"},
}


def chosen(picture: NDArray[np.uint8], spec: CutoutSpec) -> tuple[NDArray[np.uint8], ImageFormat]:
    """The picture as it is encoded, and how: a mask has a format of its own, an opaque cutout may be wanted as JPEG."""
    if spec.channels is Channels.ALPHA:
        return picture, spec.mask_format
    opaque = picture.shape[2] == 3 or bool(picture[..., 3].min() == 255)  # noqa: PLR2004
    if spec.opaque_as_jpeg and opaque:
        return np.ascontiguousarray(picture[..., :3]), ImageFormat.JPEG
    return picture, spec.format


def encode(picture: NDArray[np.uint8], image_format: ImageFormat) -> bytes:
    """Encode uint8 [H, W], [H, W, 3] or [H, W, 4]; a picture with alpha needs a format that keeps it."""
    if image_format is ImageFormat.PNG:
        return png_bytes(picture)
    if image_format is ImageFormat.ZIP:
        return bundle(picture, lambda colours: encode(colours, ImageFormat.JPEG), png_bytes)
    image = Image.fromarray(picture)
    if image_format is ImageFormat.GIF:
        image = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    buffer = BytesIO()
    image.save(buffer, **_OPTIONS[image_format])  # type: ignore[arg-type]
    return buffer.getvalue()


Encoder = Callable[[NDArray[np.uint8]], bytes]


def bundle(picture: NDArray[np.uint8], jpeg: Encoder, png: Encoder) -> bytes:
    """A ZIP of exactly color.jpg and alpha.png; cut out by that mask, the colours are the picture again.

    picture: uint8 [H, W, 3], whose mask is white, or [H, W, 4] with straight alpha. jpeg, png: encode [H, W, 3] and
    [H, W].
    """
    if picture.shape[2] == 3:  # noqa: PLR2004
        colours, alpha = picture, np.full(picture.shape[:2], 255, np.uint8)
    else:
        colours, alpha = continued(picture), np.ascontiguousarray(picture[..., 3])
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:  # both files are compressed already
        for name, data in (("color.jpg", jpeg(colours)), ("alpha.png", png(alpha))):
            archive.writestr(ZipInfo(name), data)  # its date is always 1980: the same picture, the same bytes
    return buffer.getvalue()
