"""Files with a few bytes changed: the decoder answers a picture or a CutoutError, nothing else."""

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cutout.errors import CutoutError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.spec import Limits
from tests.unit.imaging.codecs.test_rare_kinds import one_page, raw_file
from tests.unit.imaging.pictures import chunk, photo, png16, saved, soft_disc, tiff_of, to_bytes

LIMITS = Limits(max_pixels=1_000_000, max_side_px=5_000)
RAW = raw_file(saved(Image.new("RGB", (40, 30)), "JPEG"))
"""A camera's file, which is refused."""


@cache
def files() -> list[bytes]:
    """One file of every kind that the decoder has a way for."""
    picture = Image.fromarray(to_bytes(photo("astronaut.png", 40, 30)))
    cut = picture.copy()
    cut.putalpha(Image.fromarray(to_bytes(soft_disc(40, 30))))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    modes = ("1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I;16")
    return [
        saved(picture, "JPEG", exif=exif),
        saved(picture, "JPEG", progressive=True),
        saved(picture.convert("CMYK"), "JPEG"),
        saved(picture.convert("L"), "JPEG"),
        saved(cut, "PNG", exif=exif),
        saved(picture.convert("P"), "PNG", transparency=3),
        png16(np.full((9, 7, 3), 40_000, np.uint16)),
        saved(picture, "GIF", save_all=True, append_images=[picture.rotate(90)]),
        saved(cut, "WEBP", exif=exif),
        saved(cut, "WEBP", save_all=True, append_images=[cut.rotate(90)]),
        saved(picture, "BMP"),
        saved(picture.convert("P"), "BMP"),
        *(saved((cut if mode == "RGBA" else picture).convert(mode), "TIFF") for mode in modes[:-1]),
        saved(picture, "TIFF", compression="tiff_lzw", exif=exif),
        saved(picture, "TIFF", compression="jpeg"),
        saved(cut, "TIFF", compression="tiff_adobe_deflate"),
        saved(picture.convert("1"), "TIFF", compression="group4"),
        tiff_of(np.full((9, 7, 3), 40_000, np.uint16)),
        one_page(np.dstack([np.full((9, 7, 4), 90, np.uint8), np.full((9, 7), 70, np.uint8)]), 5, (2,)),
        one_page(np.full((9, 7, 3), 0.5, np.float32), 2, order=">"),
        one_page(np.full((9, 7), 900, np.uint16), 1, big=True, t281=(4095,)),
        RAW,
        with_chunks(picture, cICP=bytes([9, 16, 0, 1])),
        with_chunks(picture, gAMA=b"\0\1\x86\xa0", tRNS=b"\0\1\0\2\0\3"),
        saved(cut, "AVIF", exif=exif),
        saved(picture, "AVIF", quality=100, subsampling="4:4:4"),
        saved(picture, "JPEG")[:-2],
        saved(picture, "JPEG", progressive=True, restart_marker_blocks=2)[:-2],
    ]


def with_chunks(picture: Image.Image, **chunks: bytes) -> bytes:
    plain = saved(picture, "PNG")
    extra = b"".join(chunk(kind.encode(), content) for kind, content in chunks.items())
    return plain[:33] + extra + plain[33:]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(files())))
    where = st.one_of(st.integers(0, min(255, len(data) - 1)), st.integers(0, len(data) - 1))
    for place, value in draw(st.lists(st.tuples(where, st.integers(0, 255)), max_size=12)):
        data[place] = value
    cut = draw(st.one_of(st.none(), st.integers(0, len(data))))
    return bytes(data[:cut])


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_a_mutated_file_gives_a_picture_or_a_cutout_error(data: bytes) -> None:
    try:
        decoded = decode(data, LIMITS)
    except CutoutError as error:
        assert error.message  # noqa: PT017  (either outcome is right)
    else:
        assert decoded.image.dtype == np.uint8
        assert decoded.image.shape[2] == 3
        assert decoded.image.shape[0] * decoded.image.shape[1] <= LIMITS.max_pixels
        assert decoded.alpha is None or decoded.alpha.shape == decoded.image.shape[:2]


def test_the_files_decode_as_long_as_nobody_touches_them() -> None:
    for data in files():
        if data != RAW:
            assert decode(data, LIMITS).image.size
