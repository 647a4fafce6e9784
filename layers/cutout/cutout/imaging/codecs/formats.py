"""Image formats by their first bytes, and true names for everything else. No numpy, no Pillow.

Names and endings of files are never trusted.
"""

import re
from collections.abc import Collection

from cutout.errors import UnsupportedImageFormatError

SUPPORTED = "JPEG, PNG, WebP, AVIF, HEIC, BMP, TIFF or GIF"
"""The formats as people call them."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
)

_RAW = "a camera RAW file ({}); send the photo developed, as JPEG, PNG or TIFF."
_VIDEO = "a video ({}); send a frame of it as JPEG or PNG."
_AUDIO = "an audio file ({}), not an image."
_ARCHIVE = "an archive ({}); send the image itself."
_OFFICE = "an office document; send the picture in it as an image."
_IMAGE = "an image in a format that is not supported ({}); send JPEG, PNG or WebP."
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "a PDF document; send a page of it as an image.", ""),
    (0, b"%!PS", _IMAGE, "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", _IMAGE, "EPS"),
    (0, b"\xff\x0a", _IMAGE, "JPEG XL"),
    (4, b"JXL \r\n", _IMAGE, "JPEG XL"),
    (4, b"jP  \r\n", _IMAGE, "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", _IMAGE, "JPEG 2000"),
    (0, b"8BPS", _IMAGE, "Photoshop"),
    (0, b"gimp xcf", _IMAGE, "GIMP"),
    (0, b"\x00\x00\x01\x00", _IMAGE, "icon"),
    (0, b"\x00\x00\x02\x00\x00\x00", _IMAGE, "Targa"),
    (0, b"\x00\x00\x0a\x00\x00\x00", _IMAGE, "Targa"),
    (0, b"\x00\x00\x02\x00", _IMAGE, "cursor"),
    (0, b"icns", _IMAGE, "Apple icon"),
    (0, b"DDS ", _IMAGE, "DDS"),
    (0, b"v/1\x01", _IMAGE, "OpenEXR"),
    (0, b"#?RADIANCE", _IMAGE, "Radiance HDR"),
    (0, b"qoif", _IMAGE, "QOI"),
    (0, b"BPG\xfb", _IMAGE, "BPG"),
    (128, b"DICM", _IMAGE, "DICOM"),
    (0, b"SIMPLE  =", _IMAGE, "FITS"),
    (0, b"\xd7\xcd\xc6\x9a", _IMAGE, "Windows metafile"),
    (40, b" EMF", _IMAGE, "Windows metafile"),
    (0, b"\x0a\x05\x01", _IMAGE, "PCX"),
    (0, b"IIRO", _RAW, "ORF"),
    (0, b"IIRS", _RAW, "ORF"),
    (0, b"MMOR", _RAW, "ORF"),
    (0, b"IIU\x00", _RAW, "RW2"),
    (0, b"FUJIFILMCCD-RAW", _RAW, "RAF"),
    (0, b"\x00MRM", _RAW, "MRW"),
    (0, b"FOVb", _RAW, "X3F"),
    (6, b"HEAPCCDR", _RAW, "CRW"),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO, "Matroska or WebM"),
    (8, b"AVI ", _VIDEO, "AVI"),
    (0, b"FLV\x01", _VIDEO, "Flash"),
    (0, b"\x00\x00\x01\xba", _VIDEO, "MPEG"),
    (0, b"\x00\x00\x01\xb3", _VIDEO, "MPEG"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO, "Windows Media"),
    (4, b"moov", _VIDEO, "QuickTime"),
    (4, b"mdat", _VIDEO, "QuickTime"),
    (4, b"wide", _VIDEO, "QuickTime"),
    (0, b"OggS", _AUDIO, "Ogg"),
    (8, b"WAVE", _AUDIO, "WAV"),
    (0, b"ID3", _AUDIO, "MP3"),
    (0, b"\xff\xfb", _AUDIO, "MP3"),
    (0, b"\xff\xf3", _AUDIO, "MP3"),
    (0, b"\xff\xf1", _AUDIO, "AAC"),
    (0, b"\xff\xf9", _AUDIO, "AAC"),
    (0, b"fLaC", _AUDIO, "FLAC"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE, ""),
    (30, b"[Content_Types].xml", _OFFICE, ""),
    (30, b"mimetypeapplication/vnd.oasis", _OFFICE, ""),
    (0, b"PK\x03\x04", _ARCHIVE, "ZIP"),
    (0, b"PK\x05\x06", _ARCHIVE, "ZIP"),
    (0, b"Rar!\x1a\x07", _ARCHIVE, "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE, "7z"),
    (0, b"\x1f\x8b", _ARCHIVE, "gzip"),
    (0, b"BZh", _ARCHIVE, "bzip2"),
    (0, b"\xfd7zXZ\x00", _ARCHIVE, "xz"),
    (0, b"\x28\xb5\x2f\xfd", _ARCHIVE, "Zstandard"),
    (257, b"ustar", _ARCHIVE, "tar"),
)
"""What is often sent in place of an image: offset, bytes, and what it is."""
_BRANDS: tuple[tuple[bytes, str], ...] = (
    (rb"mif[12]|msf1|miaf", _IMAGE.format("HEIF")),
    (rb"crx ", _RAW.format("CR3")),
    (rb"M4A |M4B ", _AUDIO.format("MPEG-4")),
    (rb"qt  ", _VIDEO.format("QuickTime")),
    (rb"3g[pges0-9].", _VIDEO.format("3GP")),
)
"""Brands of files in the ISO base media format (ISO/IEC 14496-12): what is none of these is a video."""
_HEIF_KINDS = {b"avif": "avif", b"avis": "avif"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "heic"
)
_STILL_BRANDS = {*_HEIF_KINDS, b"mif1", b"mif2", b"msf1", b"miaf"}
"""Major brands of pictures; what is inside is said by the first brand of :data:`_HEIF_KINDS`."""
_NETPBM = re.compile(rb"P[1-7][\s#]")
_TRANSPORT_PACKET = 188
_TRANSPORT_SYNC = 0x47
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_PROLOGUE = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!doctype(?! html)[^>\[]*(?:\[.*?\])?[^>]*>", re.DOTALL | re.IGNORECASE
)
"""What may stand before the first element of an XML document."""
_HTML = re.compile(
    r"<(!doctype html|html|head|body|script|style|link|meta|title|base|div|span|p|h[1-6]|br|hr|b|i|a|img|pre|center|"
    r"font|table|ul|ol|form|iframe|main|header|section|article|noscript|strong)\b"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]{64,}")
_HEAD_BYTES = 4_096
_PRINTABLE = 0.95
"""Share of printable letters from which on bytes count as text."""


def sniff(data: bytes) -> str | None:
    """Name the format of an image by its magic bytes.

    Args:
        data: The file, or its beginning: 12 bytes, and for AVIF and HEIC the whole first box.

    Returns:
        jpeg, png, gif, bmp, tiff, webp, avif or heic; None for anything else.
    """
    brands = _brands(data)
    if brands and brands[0] in _STILL_BRANDS:
        return next((name for brand in brands if (name := _HEIF_KINDS.get(brand))), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


def describe_unsupported(data: bytes) -> str:
    """Say what a file is that :func:`sniff` does not know, and what to send instead.

    Args:
        data: The file, or its beginning.

    Returns:
        One sentence for the client.
    """
    if not data:
        return "The image is empty."
    head = data[:_HEAD_BYTES]
    what = _by_signature(head) or _by_brand(head) or _by_text(head)
    return f"This is {what}" if what else f"The image is not in a supported format; send {SUPPORTED}."


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


def _by_signature(head: bytes) -> str:
    for offset, signature, what, name in _OTHERS:
        if head.startswith(signature, offset):
            return what.format(name)
    if _NETPBM.match(head):
        return _IMAGE.format("Netpbm")
    if len(head) > _TRANSPORT_PACKET and set(head[::_TRANSPORT_PACKET]) == {_TRANSPORT_SYNC}:
        return _VIDEO.format("MPEG")
    return "a PDF document; send a page of it as an image." if b"%PDF-" in head[:1024] else ""


def _by_brand(head: bytes) -> str:
    """Name a file of the ISO base media format by its major brand, then by those that it is compatible with."""
    for brand in _brands(head):
        for pattern, what in _BRANDS:
            if re.fullmatch(pattern, brand):
                return what
    return _VIDEO.format("MPEG-4") if _brands(head) else ""


def _brands(head: bytes) -> list[bytes]:
    """List the major brand and those that the file is compatible with; none for a file of another format."""
    if head[4:8] != b"ftyp":
        return []
    box = head[: min(max(16, int.from_bytes(head[:4], "big")), _HEAD_BYTES)]
    return [box[8:12], *(box[position : position + 4] for position in range(16, len(box), 4))]


def _by_text(head: bytes) -> str:
    """Name markup and other text."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), "utf-8")
    text = head.decode(encoding, errors="replace")
    element = text
    while (prologue := _PROLOGUE.match(element)) and prologue.end():
        element = element[prologue.end() :]
    element = element.lower()
    if re.match(r"<([a-z]+:)?svg\b", element):
        return "an SVG drawing, a vector format; send it rendered as PNG."
    if _HTML.match(element):
        return "an HTML page, not an image."
    if element.startswith(("<", "<?xml")) or text.lstrip().startswith("<?xml"):
        return "an XML document, not an image; SVG must be sent rendered as PNG."
    letters = sum((letter.isprintable() and letter != "\ufffd") or letter.isspace() for letter in text)
    if letters < _PRINTABLE * len(text) or "\0" in text:
        return ""
    if text.startswith("data:image/") or _BASE64.fullmatch(text):
        return "base64 text; send the bytes that it stands for, or the text as a field that takes base64."
    return f"text, not an image; send {SUPPORTED}."
