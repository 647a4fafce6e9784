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
    """Return jpeg, png, gif, bmp, tiff or webp by the magic bytes of ``data``, or None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


_STRANGERS: tuple[tuple[int, bytes, str], ...] = (
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
"""Things that are often sent in place of an image: offset, bytes (compared without case), what to do."""


def describe(data: bytes) -> str:
    """One sentence for the sender of bytes that :func:`sniff` does not know."""
    if not data:
        return "The image is empty."
    head = data[:32].lower()
    for offset, signature, message in _STRANGERS:
        if head[offset:].startswith(signature.lower()) or (not offset and head.lstrip().startswith(signature.lower())):
            return message
    return "The image is not in a supported format; send JPEG, PNG, WebP, BMP, TIFF or GIF."


def require_kind(data: bytes, kinds: Collection[str], told: str) -> None:
    """Let images of these kinds pass (names as :func:`sniff` has them). told: the kinds as their sender calls them.

    Raises UnsupportedImageFormatError.
    """
    kind = sniff(data)
    if kind not in kinds:
        raise UnsupportedImageFormatError(
            f"{kind.upper()} images are not supported; send {told}." if kind else describe(data)
        )
