"""Words, numbers, URLs and files that no client should send: what the fuzz puts in the place of good ones."""

import io
import zipfile
import zlib

from tests.support import decompression_bombs as bombs
from tests.support.decompression_bombs import encoded

WORDS = (
    "", " ", "\t", "0", "-1", "1e999", "NaN", "-Infinity", "null", "None", "undefined", "true", "TRUE", "tRuE", "[]",
    "{}", "9" * 400, "-" + "9" * 40, "1e-400", "0x10", "٣", "\N{FULLWIDTH DIGIT ONE}", "1,5", "½",
    "<script>alert(1)</script>", "' OR 1=1 --", "${7*7}", "{{7*7}}", "%00", "%n%s", "../../../../etc/passwd",
    "..\\..\\windows", "\0", "a\0b", "\x1b[31m", "\x7f", "\u202e", "\ufeff", "\u2028", "é", "\N{PILE OF POO}",
    "Z\u0351\u036b\u0343", "a\r\nx-injected: 1", "x" * 3_000, "px", "-5px", "101%", "10% 10%", "0 0 0 0",
    "100% 100% 0% 0%", "1px 2px 3px 4px 5px", "#", "#12345", "#gggggg", "rgb(1,2,3)", "-0", "+1", "1_000", " 5 ", "5;",
    "png,jpg", "PNG", "image/png", "data:", "data:image/png;base64,", "data:image/png;base64,!!!!", "AAAA", "====",
    "\\", '"', "`id`", "constructor", "__proto__", "__class__", "toString", "con", "nul", "255,255,255", "1,2,3,4",
    "256,-1,0,0", "1,2,3,4,5",
)  # fmt: skip
"""As text; any may also be a name."""

VALUES = (
    *WORDS, "\ud800", "\udfff\ud800", 0, -1, 2**31, 2**63, 2**64, -(2**63), 10**400, 0.1, -0.0, 1e308, 5e-324,
    float("nan"), float("inf"), True, False, None, [], {}, [None], {"a": 1}, [[]], ["true"], {"": ""}, [1] * 200,
)  # fmt: skip
"""For a field of JSON; elsewhere their text."""

URLS = (
    "http://127.0.0.1:1/", "http://[::1]/x.png", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "https://user:secret@127.0.0.1/", "http://", "http:///x", "//example.test/x", "ftp://example.test/x.png",
    "file:///etc/passwd", "gopher://127.0.0.1:25/_", "javascript:alert(1)", "not a url", "http://exa mple.test/",
    "http://example.test:99999/", "http://example.test:-1/", "http://[/", "http://" + "a" * 300 + ".test/",
    "http://xn--.test/", "http://\u2024.test/", "http://\ud800.test/", "http://example.test\0.png",
    "http://nowhere.test/x.png", "http://example.test/" + "y" * 3_000, "data:image/png;base64,iVBORw0KGgo=",
    "data:text/html,<b>", "data:image/png,%89PNG", "data:,", "data:image/svg+xml;utf8,<svg/>", "HTTP://LOCALHOST/",
    "http://localhost.:80/", "http://0/", "http://example.test/\r\nHost: x",
)  # fmt: skip


def _zip(size_bytes: int) -> bytes:
    taken = io.BytesIO()
    with zipfile.ZipFile(taken, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("color.jpg", bytes(size_bytes))
    return taken.getvalue()


_SIZE = (24, 16)
_BLACK = zlib.compress(bytes(33 * 8))
_PNG, _JPEG, _WEBP, _GIF = (encoded(kind, _SIZE) for kind in ("PNG", "JPEG", "WEBP", "GIF"))

IMAGES = {
    "good": _PNG,
    "good JPEG": _JPEG,
    "good WebP": _WEBP,
    "good GIF": _GIF,
    "nothing": b"",
    "half a PNG": _PNG[: len(_PNG) // 2],
    "half a JPEG": _JPEG[: len(_JPEG) // 2],
    "half a WebP": _WEBP[: len(_WEBP) // 2],
    "head of a PNG": _PNG[:8],
    "head of a JPEG": _JPEG[:3],
    "PNG with a wrong sum": _PNG[:29] + b"\0\0\0\0" + _PNG[33:],
    "PNG that is a ZIP": _PNG + _zip(1_000),
    "GIF that is a script": b"GIF89a=1;alert(1)//" + _GIF[19:],
    "JPEG with HTML": _JPEG[:-2] + b"<script>alert(1)</script>" + _JPEG[-2:],
    "PNG called JPEG": b"\xff\xd8\xff" + _PNG[3:],
    "PDF with a JPEG": b"%PDF-1.7\n" + _JPEG,
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'><image href='file:///etc/passwd'/></svg>",
    "HTML": b"<!doctype html><title>404</title>",
    "MP4": b"\0\0\0\x18ftypisom" + bytes(100),
    "a program": b"\x7fELF" + bytes(200),
    "a ZIP of zeros": _zip(10_000_000),
    "PNG of no pixels": bombs.png(0, 0, b""),
    "PNG of 900 megapixels": bombs.png(30_000, 30_000, zlib.compress(bytes(100_000))),
    "PNG with text of 8 MB": bombs.png(8, 8, _BLACK, (b"zTXt", b"Comment\0\0" + bombs.deflated_zeros(2**23))),
    "PNG with profile of 8 MB": bombs.png(8, 8, _BLACK, (b"iCCP", b"sRGB\0\0" + bombs.deflated_zeros(2**23))),
    "PNG of an odd colour type": bombs.png(8, 8, b"", colour_type=5),
    "GIF of 65,535": bombs.gif(65_535, 65_535, (1, 1)),
    "GIF with a larger frame": bombs.gif(8, 8, (65_535, 65_535)),
    "BMP of 900 megapixels": bombs.bmp(30_000, 30_000),
    "WebP of 16,384": bombs.webp(16_384, 16_384),
    "JPEG of 65,500": bombs.jpeg(65_500, 65_500),
    "JPEG of one row": encoded("JPEG", (40, 1)),
    "a pixel": encoded("PNG", (1, 1)),
    "text": b"hello",
    "base64 as file": b"iVBORw0KGgoAAAANSUhEUg==",
}  # fmt: skip
"""Files by what they are. The large ones are bombs of some MB, so that thousands can be sent."""
