import pytest

from cutout.errors import UnsupportedImageFormatError
from cutout.imaging.codecs.formats import describe_unsupported, require_format, sniff

PNG = b"\x89PNG\r\n\x1a\n"


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (4 + len(body)).to_bytes(4, "big") + body + b"\0\0\0\x08free"


def test_a_kind_that_is_allowed_passes():
    require_format(PNG, {"png", "jpeg"}, "PNG or JPEG")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GIF89a", "GIF images are not supported; send PNG or JPEG."),
        (b"%PDF-1.4", "PDF document"),
        (b"", "is empty"),
    ],
)
def test_other_kinds_are_refused_by_what_they_are(data, message):
    with pytest.raises(UnsupportedImageFormatError, match=message):
        require_format(data, {"png", "jpeg"}, "PNG or JPEG")


@pytest.mark.parametrize("data", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_tiff_and_big_tiff_in_both_byte_orders_are_tiff(data):
    assert sniff(data) == "tiff"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (ftyp(b"isom", b"isom", b"iso2", b"avc1", b"mp41"), "video"),
        (ftyp(b"mp42", b"isom"), "video"),
        (ftyp(b"qt  "), "QuickTime"),
        (ftyp(b"3gp5"), "3GP"),
        (ftyp(b"M4V "), "video"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0", "Matroska"),
        (b"RIFF\x10\0\0\0AVI LIST", "AVI"),
        (b"FLV\x01\x05", "Flash"),
        (b"\0\0\x01\xba\x44", "MPEG"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "QuickTime"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio"),
        (ftyp(b"crx ", b"crx ", b"isom"), "CR3"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"FOVb\0\0\x02\0", "X3F"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'<!-- drawn by hand -->\n<svg width="5"/>', "SVG"),
        (b'\xef\xbb\xbf<svg width="5"/>', "SVG"),
        ("\ufeff<svg/>".encode("utf-16-le"), "SVG"),
        (b'<?xml version="1.0"?><!-- x --><!DOCTYPE svg PUBLIC "-//W3C" "http://w3.org"><svg:svg/>', "SVG"),
        (b'<?xml version="1.0"?><note>hello</note>', "XML"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\r\n\r\n%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\0" * 257 + b"ustar\x0000", "tar"),
        (b"\n  <!DOCTYPE html><html></html>", "HTML"),
        (b"<!-- saved page --><html>", "HTML"),
        (b"\xef\xbb\xbf<HTML><body>404</body>", "HTML"),
        (b"<head><title>Sign in</title>", "HTML"),
        (b'{"error": "not found"}', "text"),
        (b"https://example.com/cat.jpg", "text"),
        ("größer als".encode(), "text"),
        (b"data:image/png;base64,iVBORw0KGgo=", "base64"),
        (b"/9j/4AAQSkZJRgABAQ" * 8, "base64"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"v/1\x01\x02", "OpenEXR"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"\xff\xfb\x90\x64", "MP3"),
        (b"\xff\xf1\x50\x80", "AAC"),
        ((b"\x47" + b"\0" * 187) * 3, "MPEG"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "office document"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text", "office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office document"),
        (b"<h2>404 Not Found</h2>", "HTML"),
        (b"<br />\n<b>Warning</b>: readfile()", "HTML"),
        (b"<center><h1>502 Bad Gateway</h1></center>", "HTML"),
        (b"P6\n10 10\n255\n", "Netpbm"),
        (b"P5 # by hand\n10 10 255\n", "Netpbm"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"SIMPLE  =" + b" " * 20 + b"T" + b" " * 60, "FITS"),
        (b"\0\0\x02\0\0\0\0\0\0\0\0\0\x40\0\x40\0\x20\0", "Targa"),
        (b"\0\0\x02\0\x01\0\x20\x20", "cursor"),
        (b"\xd7\xcd\xc6\x9a\0\0", "metafile"),
        (b"\x0a\x05\x01\x08", "PCX"),
        (bytes(range(128, 250)), "not in a supported format"),
    ],
)
def test_everything_else_is_named_as_what_it_is(data, word):
    assert word in describe_unsupported(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ftyp(b"avif", b"mif1", b"miaf"), "avif"),
        (ftyp(b"mif1", b"avif", b"heic"), "avif"),
        (ftyp(b"avis", b"msf1", b"avif"), "avif"),
        (ftyp(b"heic", b"mif1", b"heic"), "heic"),
        (ftyp(b"mif1", b"mif1", b"heix"), "heic"),
        (ftyp(b"hevc", b"msf1"), "heic"),
        (ftyp(b"mif1", b"jpeg"), None),
        (ftyp(b"isom", b"avif"), None),
    ],
)
def test_avif_and_heic_are_told_apart_by_their_brands(data, kind):
    assert sniff(data) == kind
    if kind is None:
        assert "HEIC" not in describe_unsupported(data).partition(";")[0]
