"""Image formats by their first bytes. Names and file endings are never trusted. No numpy, no Pillow."""

from collections.abc import Collection

from cutout.errors import UnsupportedImageFormatError

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)


def sniff(data: bytes) -> str | None:
    """Name the format of an image by its magic bytes.

    Args:
        data: The file, or its first 12 bytes.

    Returns:
        jpeg, png, gif, bmp, tiff or webp; None for anything else.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


_UNSUPPORTED: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypavif", "AVIF images are not supported; send JPEG, PNG or WebP."),
    (4, b"ftyp", "HEIC/HEIF images are not supported; send the photo as JPEG, PNG or WebP."),
    (0, b"%PDF-", "This is a PDF document; send a page of it as an image."),
    (0, b"<svg", "SVG is a vector format; send it rendered as PNG."),
    (0, b"<?xml", "This is XML or SVG, not a pixel image; send it rendered as PNG."),
    (0, b"<!doctype html", "This is an HTML page, not an image."),
    (0, b"<html", "This is an HTML page, not an image."),
    (0, b"\xff\x0a", "JPEG XL images are not supported; send JPEG, PNG or WebP."),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL images are not supported; send JPEG, PNG or WebP."),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000 images are not supported; send JPEG, PNG or WebP."),
    (0, b"8BPS", "Photoshop files are not supported; send JPEG, PNG or WebP."),
    (0, b"PK\x03\x04", "This is a ZIP archive; send the image itself."),
    (0, b"\x00\x00\x01\x00", "Icon files are not supported; send PNG."),
)
"""What is often sent in place of an image: offset, bytes (compared without case), and the message."""


def describe_unsupported(data: bytes) -> str:
    """Say what a file is that :func:`sniff` does not know, and what to send instead.

    Args:
        data: The file, or its beginning.

    Returns:
        One or two sentences for the client.
    """
    if not data:
        return "The image is empty."
    head = data[:32].lower()
    for offset, signature, message in _UNSUPPORTED:
        if head[offset:].startswith(signature.lower()) or (not offset and head.lstrip().startswith(signature.lower())):
            return message
    return "The image is not in a supported format; send JPEG, PNG, WebP, BMP, TIFF or GIF."


def require_format(data: bytes, formats: Collection[str], names: str) -> None:
    """Refuse images of any other format than these.

    Args:
        data: The file.
        formats: Allowed formats, as :func:`sniff` names them.
        names: The same for the message, such as "JPEG or PNG".

    Raises:
        UnsupportedImageFormatError: The image has another format.
    """
    found = sniff(data)
    if found not in formats:
        raise UnsupportedImageFormatError(
            f"{found.upper()} images are not supported; send {names}." if found else describe_unsupported(data)
        )
