"""A picture to bytes in one of the output formats. All answers are sRGB; none carries an ICC profile.

PNG says so by its sRGB chunk, the others by convention (untagged means sRGB). No EXIF is written: pictures are
upright already, and nothing of the uploaded file's metadata leaves the service.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutout.imaging.bundle import bundle
from cutout.imaging.png import png_bytes
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
