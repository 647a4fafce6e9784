"""Metadata never decides: files whose pixels are whole decode, whatever else is wrong with them."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cutout.errors import InvalidImageError, UnsupportedImageFormatError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.loaders import jpeg, raster
from cutout.imaging.codecs.loaders.png_chunks import MAX_CHUNKS
from cutout.imaging.spec import Limits, SizeName
from tests.unit.imaging.pictures import chunk, photo, png16, saved, to_bytes

LIMITS = Limits()
PHOTO = to_bytes(photo("astronaut.png", 120, 90))
WRONG = b"\xde\xad\xbe\xef"


def with_chunk(kind: bytes, content: bytes, *, crc: bytes | None = None, behind: bool = False) -> bytes:
    """A PNG with one more chunk before or behind the pixels."""
    plain, more = saved(PHOTO, "PNG"), chunk(kind, content)
    more = more if crc is None else more[:-4] + crc
    place = plain.rindex(b"IEND") - 4 if behind else 33
    return plain[:place] + more + plain[place:]


BOMB = zlib.compress(b"x" * 30_000_000, 9)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(with_chunk(b"zTXt", b"Comment\0\0" + BOMB), id="compressed text of 30 MB"),
        pytest.param(with_chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB), id="international text of 30 MB"),
        pytest.param(with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB), id="XMP of 30 MB"),
        pytest.param(with_chunk(b"iCCP", b"p\0\0" + BOMB), id="profile of 30 MB"),
        pytest.param(with_chunk(b"iCCP", b"p\0\7not deflated"), id="profile by an unknown method"),
        pytest.param(with_chunk(b"iCCP", b"no separator"), id="profile without a name"),
        pytest.param(with_chunk(b"tEXt", b"x" * 3_000_000), id="text of 3 MB"),
        pytest.param(with_chunk(b"tEXt", b"a\0b", crc=WRONG), id="text with a wrong CRC"),
        pytest.param(with_chunk(b"pHYs", b"\0\0", crc=WRONG), id="physical size that is too short"),
        pytest.param(
            with_chunk(b"tIME", b"\0" * 7, crc=WRONG, behind=True), id="time with a wrong CRC behind the pixels"
        ),
        pytest.param(with_chunk(b"gAMA", b"\0"), id="gamma that is too short"),
        pytest.param(with_chunk(b"cHRM", b"\0" * 32), id="chromaticities of nothing"),
        pytest.param(with_chunk(b"cICP", b"\1"), id="code points that are too short"),
        pytest.param(with_chunk(b"tRNS", b"\0"), id="transparency that is too short"),
        pytest.param(with_chunk(b"eXIf", b"garbage" * 100), id="EXIF that is none"),
        pytest.param(with_chunk(b"sBIT", b"\xff" * 9), id="significant bits that are none"),
        pytest.param(with_chunk(b"acTL", b"\0\0"), id="animation control that is too short"),
        pytest.param(with_chunk(b"ruBb", b"private" * 10, crc=WRONG), id="unknown chunk with a wrong CRC"),
        pytest.param(saved(PHOTO, "PNG")[:-12], id="without its last chunk"),
        pytest.param(saved(PHOTO, "PNG")[:-16], id="cut off in the CRC of the pixels"),
        pytest.param(saved(PHOTO, "PNG") + b"trailing bytes" * 100, id="bytes behind the end"),
    ],
)
def test_a_png_whose_metadata_is_wrong_gives_its_exact_pixels(data: bytes) -> None:
    decoded = decode(data, LIMITS)
    assert np.array_equal(decoded.image, PHOTO)
    assert decoded.alpha is None


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_wrong_crc_of_a_chunk_with_pixels_costs_none_of_them(kind: bytes) -> None:
    data = bytearray(saved(PHOTO, "PNG"))
    start = data.index(kind) - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    data[end - 4 : end] = WRONG
    assert np.array_equal(decode(bytes(data), LIMITS).image, PHOTO)


def repacked(data: bytes, change: object) -> bytes:
    """A PNG with its deflate stream changed by a function."""
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    stream = change(data[start + 4 : start + 4 + length])  # type: ignore[operator]
    return data[: start - 4] + chunk(b"IDAT", stream) + data[start + 8 + length :]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda stream: stream[:-4] + WRONG, id="wrong checksum"),
        pytest.param(lambda stream: stream[:-4], id="no checksum"),
        pytest.param(lambda stream: stream[:-2], id="half a checksum"),
        pytest.param(lambda stream: stream + b"\0" * 5_000, id="bytes behind the stream"),
        pytest.param(
            lambda stream: zlib.compress(zlib.decompress(stream) + b"\0" * 5_000), id="more rows than the size says"
        ),
    ],
)
@pytest.mark.parametrize("interlaced", [False, True])
def test_the_end_of_the_pixel_stream_does_not_decide(change: object, interlaced: bool) -> None:  # noqa: FBT001
    data = interlaced_png() if interlaced else saved(PHOTO, "PNG")
    assert np.array_equal(decode(repacked(data, change), LIMITS).image, PHOTO)


def interlaced_png() -> bytes:
    """An Adam7 PNG of PHOTO, which Pillow cannot write."""
    rows = b""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    for left, top, across, down in passes:
        for row in PHOTO[top::down, left::across]:
            rows += b"\0" + row.tobytes()
    header = struct.pack(">IIBBBBB", 120, 90, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_png_that_lacks_pixels_says_from_where_on() -> None:
    half = zlib.compress(zlib.decompress(idat(saved(PHOTO, "PNG")))[: 45 * 361])
    with pytest.raises(InvalidImageError, match=r"incomplete: pixels are missing from row 45 of 90 on") as caught:
        decode(repacked(saved(PHOTO, "PNG"), lambda _: half), LIMITS)
    assert caught.value.details == {"format": "png"}


def idat(data: bytes) -> bytes:
    start = data.index(b"IDAT")
    return data[start + 4 : start + 4 + int.from_bytes(data[start - 4 : start], "big")]


def test_the_orientation_is_read_whichever_chunk_holds_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    raw = b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"
    for kind, content in (
        (b"eXIf", block[6:]),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
        (b"tEXt", b"Raw profile type exif\0" + raw),
    ):
        decoded = decode(with_chunk(kind, content, crc=WRONG), LIMITS)
        assert (decoded.source_width, decoded.source_height) == (90, 120), (kind, content[:20])


def test_a_png_of_a_million_chunks_is_refused() -> None:
    head = saved(PHOTO, "PNG")[:33]
    with pytest.raises(InvalidImageError):
        decode(head + chunk(b"tEXt", b"") * (MAX_CHUNKS + 1), LIMITS)


def jpegs() -> dict[str, bytes]:
    noise = np.random.default_rng(1).integers(0, 256, PHOTO.shape, np.uint8)
    return {
        "baseline": saved(PHOTO, "JPEG"),
        "progressive": saved(PHOTO, "JPEG", progressive=True),
        "4:4:4": saved(PHOTO, "JPEG", subsampling=0, quality=95),
        "gray": saved(Image.fromarray(PHOTO).convert("L"), "JPEG"),
        "noise": saved(noise, "JPEG", quality=95),
        "restarts": saved(PHOTO, "JPEG", restart_marker_blocks=3),
        "CMYK": saved(Image.fromarray(PHOTO).convert("CMYK"), "JPEG"),
        "flat": saved(np.full((90, 120, 3), 200, np.uint8), "JPEG"),
    }


@pytest.mark.parametrize("kind", jpegs())
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_marker_gives_its_exact_pixels(kind: str, missing: int) -> None:
    data = jpegs()[kind]
    whole, cut = decode(data, LIMITS), decode(data[:-missing], LIMITS)
    assert np.array_equal(whole.image, cut.image)


@pytest.mark.parametrize("kind", sorted(set(jpegs()) - {"flat"}))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_jpeg_that_lacks_pixels_is_never_taken_as_whole(kind: str, share: float) -> None:
    data = jpegs()[kind]
    with pytest.raises(InvalidImageError, match="incomplete") as caught:
        decode(data[: int(len(data) * share)], LIMITS)
    assert caught.value.details == {"format": "jpeg"}


def test_a_jpeg_that_ends_between_two_restarts_or_scans_is_incomplete() -> None:
    restarts = jpegs()["restarts"]
    markers = [
        place for place in range(len(restarts) - 1) if restarts[place] == 0xFF and 0xD0 <= restarts[place + 1] <= 0xD7
    ]
    for place in (markers[5], markers[5] + 2, markers[-1], markers[-1] + 2):
        with pytest.raises(InvalidImageError, match="incomplete"):
            decode(restarts[:place], LIMITS)
    progressive = jpegs()["progressive"]
    with pytest.raises(InvalidImageError, match="before its last scan"):
        decode(progressive[: progressive.rindex(b"\xff\xda")], LIMITS)


def test_a_jpeg_without_its_end_is_read_as_a_preview_too() -> None:
    large = saved(to_bytes(photo("astronaut.png", 2000, 1400)), "JPEG")
    assert np.array_equal(
        decode(large, LIMITS, SizeName.PREVIEW).image, decode(large[:-2], LIMITS, SizeName.PREVIEW).image
    )


def webp_with(kind: bytes, content: bytes, claimed: int | None = None) -> bytes:
    """A WebP with VP8X and one more chunk at its end."""
    buffer = BytesIO()
    Image.fromarray(PHOTO).save(buffer, "WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", xmp=b"<x/>")
    data = buffer.getvalue()
    end = data.index(b"EXIF")
    length = len(content) if claimed is None else claimed
    body = data[8:end] + kind + struct.pack("<I", length) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(webp_with(b"EXIF", b"garbage!"), id="EXIF that is none"),
        pytest.param(webp_with(b"EXIF", b"cut off!", claimed=5_000), id="EXIF that is cut off"),
        pytest.param(webp_with(b"XMP ", b"cut off!", claimed=1 << 30), id="XMP that is cut off"),
        pytest.param(webp_with(b"ICCP", b"no profile"), id="profile at the wrong place"),
        pytest.param(webp_with(b"abcd", b"unknown!"), id="unknown chunk"),
        pytest.param(saved(PHOTO, "WEBP", lossless=True) + b"\0" * 77, id="bytes behind the end"),
        pytest.param(b"RIFF\xff\xff\xff\x7f" + saved(PHOTO, "WEBP", lossless=True)[8:], id="a size that is too large"),
    ],
)
def test_a_webp_whose_metadata_is_wrong_gives_its_exact_pixels(data: bytes) -> None:
    assert np.array_equal(decode(data, LIMITS).image, PHOTO)


def test_a_deep_png_without_its_checksum_decodes() -> None:
    values = (PHOTO.astype(np.uint16) << 8) | 0x55
    decoded = decode(repacked(png16(values), lambda stream: stream[:-4] + WRONG), LIMITS)
    assert np.abs(decoded.image.astype(int) - PHOTO).max() <= 1


@pytest.mark.parametrize("tail", [b"\xff" * 40, b"\0" * 512, b"\r\n--boundary--", b""])
@pytest.mark.parametrize("kind", ["baseline", "progressive", "restarts"])
def test_what_stands_in_place_of_the_end_marker_does_not_decide(kind: str, tail: bytes) -> None:
    data = jpegs()[kind]
    assert np.array_equal(decode(data, LIMITS).image, decode(data[:-2] + tail, LIMITS).image)


@pytest.mark.parametrize("kind", ["baseline", "4:4:4", "gray", "restarts", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_end_marker_does_not_make_half_a_jpeg_whole(kind: str, share: float) -> None:
    data = jpegs()[kind]
    with pytest.raises(InvalidImageError, match="incomplete: its pixels end at about row"):
        decode(data[: int(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9", LIMITS)


def test_a_jpeg_of_more_rows_than_it_has_is_incomplete() -> None:
    data = jpegs()["baseline"]
    size = data.index(b"\xff\xc0") + 5
    with pytest.raises(InvalidImageError, match=r"pixels end at about row \d+ of 154"):
        decode(data[:size] + struct.pack(">H", 154) + data[size + 2 :], LIMITS)


@pytest.mark.parametrize(("ground", "times"), [("white", 1), ("black", 1), ("navy", 1), ((128, 128, 128), 2)])
def test_a_jpeg_is_decoded_twice_only_where_it_ends_in_the_grey_of_missing_pixels(
    ground: str | tuple[int, ...], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    monkeypatch.setattr(jpeg, "load", lambda *arguments: loaded.append(1) or raster.load(*arguments))
    decode(saved(Image.new("RGB", (61, 47), ground), "JPEG"), LIMITS)
    assert len(loaded) == times


@pytest.mark.parametrize("ground", ["white", "black", "navy", (128, 128, 128)])
def test_half_a_jpeg_on_a_plain_ground_is_not_whole_whatever_its_colour(ground: str | tuple[int, ...]) -> None:
    picture = Image.new("RGB", (320, 240), ground)
    picture.paste(Image.fromarray(PHOTO), (0, 0))
    data = saved(picture, "JPEG")
    for share in (0.5, 0.8, 0.95):
        with pytest.raises(InvalidImageError, match="incomplete"):
            decode(data[: int(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9", LIMITS)


@pytest.mark.parametrize("kind", ["flat", "gray", "progressive", "restarts"])
def test_a_jpeg_that_ends_in_one_colour_is_whole(kind: str) -> None:
    white = Image.new("L" if kind == "gray" else "RGB", (61, 47), "white")
    options = {"progressive": {"progressive": True}, "restarts": {"restart_marker_blocks": 2}}.get(kind, {})
    assert decode(saved(white, "JPEG", **options), LIMITS).image.min() == 255


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE0, b"JFIF\0"),
        (0xE0, b"JFIF\0\1"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"ICC_PROFILE\0\1"),
        (0xEE, b"Adobe"),
        (0xEE, b"Adobe\0"),
    ],
)
def test_a_jpeg_whose_metadata_is_cut_short_gives_its_exact_pixels(marker: int, content: bytes) -> None:
    data = jpegs()["baseline"]
    odd = data[:2] + bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content + data[2:]
    assert np.array_equal(decode(odd, LIMITS).image, decode(data, LIMITS).image)


@pytest.mark.parametrize(
    ("frame", "bits", "word"), [(0xC1, 12, "12 bits"), (0xC3, 8, "lossless"), (0xC3, 16, "lossless")]
)
def test_a_jpeg_of_another_kind_is_refused_by_name(frame: int, bits: int, word: str) -> None:
    data = jpegs()["baseline"]
    size = data.index(b"\xff\xc0")
    with pytest.raises(UnsupportedImageFormatError, match=word):
        decode(data[: size + 1] + bytes([frame]) + data[size + 2 : size + 4] + bytes([bits]) + data[size + 5 :], LIMITS)


def test_more_transparent_entries_than_colours_are_ignored_as_browsers_do() -> None:
    indexed = Image.fromarray(PHOTO).quantize(16)
    data = saved(indexed, "PNG")
    start = data.index(b"IDAT") - 4
    decoded = decode(data[:start] + chunk(b"tRNS", b"\0" * 300) + data[start:], LIMITS)
    assert decoded.alpha is None
    assert np.array_equal(decoded.image, np.asarray(indexed.convert("RGB")))


def test_apple_s_own_form_of_png_is_named() -> None:
    data = saved(PHOTO, "PNG")
    with pytest.raises(UnsupportedImageFormatError, match="CgBI"):
        decode(data[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + data[8:], LIMITS)
