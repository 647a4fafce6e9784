import builtins
import importlib
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from cutout.imaging.codecs import png
from cutout.imaging.codecs.png import encode_png
from tests.unit.imaging.pictures import opened, photo, to_bytes

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([isal_zlib, zlib]),
    st.booleans(),
)
def test_what_is_written_is_what_pillow_reads(
    height: int,
    width: int,
    channels: int,
    engine: Any,
    smooth: bool,  # noqa: FBT001
) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    picture = np.random.default_rng(height * width).integers(0, 256, shape, np.uint8)
    if smooth:
        picture = np.sort(picture, axis=0)
    read = opened(encode_png(picture, engine))
    assert read.mode == MODES[channels]
    assert np.array_equal(np.asarray(read), picture)


def test_pictures_of_several_bands_have_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = to_bytes(photo("astronaut.png", 101, 97))
    for band_bytes in (1, 303, 1000, 1 << 20):
        monkeypatch.setattr(png, "_BAND_BYTES", band_bytes)
        assert np.array_equal(np.asarray(opened(encode_png(picture))), picture)


def test_bands_make_one_deflate_stream_with_one_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = to_bytes(photo("astronaut.png", 60, 50))
    monkeypatch.setattr(png, "_BAND_BYTES", 1000)
    file, at, stream = encode_png(picture), 8, b""
    while at < len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        stream += file[at + 8 : at + 8 + length] if file[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(stream), np.uint8).reshape(50, 181)  # zlib checks the Adler-32
    assert np.array_equal(np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8).reshape(picture.shape), picture)


def test_views_that_are_not_contiguous_are_written_right() -> None:
    picture = to_bytes(photo("astronaut.png", 60, 50))
    assert np.array_equal(np.asarray(opened(encode_png(picture[10:40, 5:45]))), picture[10:40, 5:45])
    assert np.array_equal(np.asarray(opened(encode_png(picture[..., 0]))), picture[..., 0])


def test_colour_is_marked_as_srgb_and_a_mask_is_not() -> None:
    colour = np.zeros((4, 4, 4), np.uint8)
    assert b"sRGB" in encode_png(colour)
    assert b"sRGB" not in encode_png(colour[..., 0])
    assert opened(encode_png(colour)).info["srgb"] == 0


def test_it_is_not_larger_than_pillows_fastest_level() -> None:
    picture = to_bytes(photo("astronaut.png", 512, 512))
    from tests.unit.imaging.pictures import saved  # noqa: PLC0415

    assert len(encode_png(picture)) < 1.1 * len(saved(picture, "PNG", compress_level=1))


def test_without_isal_the_standard_library_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, package: str | None = None) -> Any:
        if name.startswith("isal"):
            raise ImportError(name)
        return builtins.__import__(name)

    picture = to_bytes(photo("coffee.png", 33, 21))
    with monkeypatch.context() as patched:
        patched.setattr(importlib, "import_module", missing)
        plain = importlib.reload(png)
        assert plain._DEFLATE is zlib
        assert np.array_equal(np.asarray(opened(plain.encode_png(picture))), picture)
    assert importlib.reload(png)._DEFLATE is isal_zlib
