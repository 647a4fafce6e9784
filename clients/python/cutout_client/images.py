"""Whatever stands for an image, as bytes or as a reference: paths, bytes, files, URLs, uploads, Pillow, numpy."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union

from cutout_client.documents import Upload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

ImageInput = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, Upload, "Image.Image", "NDArray[np.uint8]"
]
"""An image: a path, a URL, encoded bytes, a file opened for reading bytes, an upload, a Pillow image, or an array
uint8 [H, W], [H, W, 3] (RGB) or [H, W, 4] (RGBA)."""

_URL = re.compile(r"https?://", re.IGNORECASE)
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_OWN_PNG_LEVEL = 1
"""Compression of what comes as pixels: level 6 is a tenth smaller and takes four times as long."""


@dataclass(frozen=True)
class Picture:
    """An encoded image. name: of the file, for the form."""

    data: bytes
    name: str = "image"

    @property
    def media_type(self) -> str:
        """By the first bytes; image/jpeg when they are none of ours (the service decides by itself)."""
        if self.data[:4] == b"RIFF" and self.data[8:12] == b"WEBP":
            return "image/webp"
        return next((kind for magic, kind in _MAGIC if self.data.startswith(magic)), "image/jpeg")


@dataclass(frozen=True)
class RemoteImage:
    """An image that the service fetches itself. field: ``image_url`` or ``upload_id``."""

    field: str
    value: str


def is_url(text: str) -> bool:
    """Whether a text is an http(s) URL."""
    return _URL.match(text) is not None


def read_image(image: ImageInput) -> Picture | RemoteImage:
    """Return an image as what is sent. Reads files.

    Raises:
        OSError: The file cannot be read.
        TypeError: It is nothing that stands for an image.
    """
    if isinstance(image, Upload):
        return RemoteImage("upload_id", image.id)
    if isinstance(image, str) and is_url(image):
        return RemoteImage("image_url", image)
    if isinstance(image, (str, os.PathLike)):
        path = Path(image)
        return Picture(path.read_bytes(), path.name)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return Picture(bytes(image))
    return _read_object(image)


def _read_object(image: Any) -> Picture:
    """Whatever looks like an array, a Pillow image or a file; numpy and Pillow may not be there."""
    if hasattr(image, "__array_interface__") and hasattr(image, "dtype"):
        return Picture(_png(_from_array(image)), "image.png")
    if hasattr(image, "getexif"):
        return Picture(_png(image), "image.png")
    if callable(getattr(image, "read", None)):
        return _from_file(image)
    raise TypeError(f"{type(image).__name__} is not an image: give a path, URL, bytes, file, Pillow image or array")


def _from_file(file: Any) -> Picture:
    data = file.read()
    if not isinstance(data, bytes):
        raise TypeError("open the file for reading bytes: open(path, 'rb')")
    name = getattr(file, "name", "image")
    return Picture(data, os.path.basename(name) if isinstance(name, str) else "image")  # noqa: PTH119 - any name


def _from_array(array: Any) -> Any:
    from PIL import Image  # noqa: PLC0415 - an extra

    shape = tuple(array.shape)
    if str(array.dtype) != "uint8" or len(shape) not in {2, 3} or (len(shape) == 3 and shape[2] not in {3, 4}):  # noqa: PLR2004
        raise TypeError(f"an array must be uint8 [H, W], [H, W, 3] or [H, W, 4], not {array.dtype} {list(shape)}")
    return Image.fromarray(array)


def _png(image: Any) -> bytes:
    """A Pillow image, upright, without loss; its colour profile stays."""
    from PIL import ImageOps  # noqa: PLC0415 - an extra

    upright = ImageOps.exif_transpose(image)
    buffer = BytesIO()
    profile = upright.info.get("icc_profile")
    if upright.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"}:
        # PNG has no such mode. The profile of the old colours would be wrong for the new ones.
        upright, profile = upright.convert("RGB"), None
    upright.save(buffer, "PNG", compress_level=_OWN_PNG_LEVEL, icc_profile=profile)
    return buffer.getvalue()
