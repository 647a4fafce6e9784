"""Bad pictures, sent or behind URLs; in URLs ``{service}`` and ``{files}`` are ports."""

import os

from tests.contract.bad import JPEG, MEGABYTE, PNG, Table, form, js, raw
from tests.support import decompression_bombs as bombs

TRUNCATED = dict(bombs.truncated())

bad = Table()

# What is no picture
for name, body in {
    "MP4": b"\0\0\0\x18ftypisom" + bytes(100),
    "PDF": b"%PDF-1.7\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "HTML": b"<!doctype html><title>404</title>",
    "ZIP": b"PK\x03\x04" + bytes(100),
    "a program": b"\x7fELF" + bytes(1_000),
    "NUL bytes": bytes(MEGABYTE),
    "a megabyte of noise": os.urandom(MEGABYTE - 1) + b"\n",
}.items():
    bad(name, 400, "unsupported_image_format", form(image=b"\x00" + body if name == "a megabyte of noise" else body))

# Broken pictures
for file_format, half in TRUNCATED.items():
    bad(f"half a {file_format}", 400, "invalid_image", raw(half))
    bad(f"the head of a {file_format}", 400, "invalid_image", raw(half[:20]))
bad("PNG without pixels", 400, "invalid_image", raw(bombs.png(0, 0, b"")))
bad("PNG of noise", 400, "invalid_image", raw(b"\x89PNG\r\n\x1a\n" + os.urandom(1_000)))
bad("PNG with a colour type of its own", 400, "invalid_image", raw(bombs.png(8, 8, b"", colour_type=5)))

# Bombs
bad("PNG: 1 GB of pixels in 1 MB", 413, "resolution_too_high", lambda: raw(bombs.png_of_a_gigabyte()))
bad("PNG: 2**31 by 2**31", 413, "resolution_too_high", raw(bombs.png(2**31 - 1, 2**31 - 1, b"")))
bad("PNG: 65,536 by 1", 413, "resolution_too_high", raw(bombs.png(65_536, 1, b"")))
bad("GIF: 65,535 by 65,535", 413, "resolution_too_high", raw(bombs.gif(65_535, 65_535, (1, 1))))
bad("GIF: a frame larger than its screen", 413, "resolution_too_high", raw(bombs.gif(8, 8, (65_535, 65_535))))
bad("BMP: 30,000 by 30,000", 413, "resolution_too_high", raw(bombs.bmp(30_000, 30_000)))
bad("TIFF: 30,000 by 30,000", 413, "resolution_too_high", lambda: raw(bombs.tiff(30_000, 30_000)))
bad("TIFF: pixels that do not suffice", 400, "invalid_image", lambda: raw(bombs.tiff(7_000, 7_000)))
bad("WebP: 16,384 by 16,384", 413, "resolution_too_high", raw(bombs.webp(16_384, 16_384)))
bad("JPEG: 65,500 by 65,500", 413, "resolution_too_high", raw(bombs.jpeg(65_500, 65_500)))
bad("JPEG: 10,000 scans", 400, "invalid_image", lambda: raw(bombs.jpeg_of_scans(10_000)))
bad("a bomb in a form", 413, "resolution_too_high", lambda: form(image=bombs.png_of_a_gigabyte()))
bad("31 MB", 413, "image_too_large", lambda: raw(PNG + bytes(31 * MEGABYTE)))
bad("31 MB in a form", 413, "image_too_large", lambda: form(image=PNG + bytes(31 * MEGABYTE)))
bad("an option of 20 MB", 400, "invalid_option", lambda: form({"format": "p" * (20 * MEGABYTE)}, JPEG))
bad("a body of 65 MB", 413, "image_too_large", lambda: raw(bytes(65 * MEGABYTE)))

# URLs
for url in [
    "not a url", "file:///etc/passwd", "ftp://example.com/a.jpg", "http://", "http://127.0.0.1:{service}/health",
    "http://localhost:{service}/health", "http://[::1]:{service}/", "http://2130706433:{service}/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://127.0.0.1:22/",
    "http://user:secret@127.0.0.1:{files}/good.jpg", "http://localhost:{files}/good.jpg",
    "http://127.0.0.1:{files}/missing.jpg", "http://127.0.0.1:{files}/empty.jpg", "http://" + "a" * 10_000,
]:  # fmt: skip
    bad(f"URL {url[:50]}", 400, "image_url_fetch_failed", js({"image_url": url}))
bad("URL of a page", 400, "unsupported_image_format", js({"image_url": "http://127.0.0.1:{files}/page.html"}))
bad("URL of half a picture", 400, "invalid_image", js({"image_url": "http://127.0.0.1:{files}/half.jpg"}))
bad("URL of 31 MB", 413, "image_too_large", js({"image_url": "http://127.0.0.1:{files}/large.jpg"}))
bad("URL of a bomb", 413, "resolution_too_high", form({"image_url": "http://127.0.0.1:{files}/bomb.png"}))
