from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cutout.errors import InvalidImageError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.codecs.loaders.jpeg import MAX_SCANS, check_jpeg_scans
from cutout.imaging.spec import Limits


def jpeg(*, progressive: bool, **options: object) -> bytes:
    buffer = BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(buffer, "JPEG", progressive=progressive, **options)
    return buffer.getvalue()


def with_more_scans(data: bytes, more: int) -> bytes:
    """A good progressive JPEG with its last scan repeated."""
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * more + data[-2:]


@pytest.mark.parametrize("progressive", [False, True])
def test_an_ordinary_picture_passes(progressive):
    check_jpeg_scans(jpeg(progressive=progressive))


def test_a_picture_of_many_scans_is_refused_before_it_is_decoded():
    own = jpeg(progressive=True).count(b"\xff\xda")

    check_jpeg_scans(with_more_scans(jpeg(progressive=True), MAX_SCANS - own))
    with pytest.raises(InvalidImageError, match="scans"):
        check_jpeg_scans(with_more_scans(jpeg(progressive=True), MAX_SCANS - own + 1))
    with pytest.raises(InvalidImageError, match="scans"):
        decode(with_more_scans(jpeg(progressive=True), 10_000), Limits())


def test_a_picture_of_many_tiny_segments_is_refused():
    with pytest.raises(InvalidImageError, match="segments"):
        check_jpeg_scans(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5_000)


def test_what_looks_like_scans_outside_the_picture_does_not_count():
    scans = b"\xff\xda\x00\x02" * 1_000

    check_jpeg_scans(jpeg(progressive=False) + scans)  # the video of a motion photo
    check_jpeg_scans(jpeg(progressive=False, exif=b"Exif\0\0" + scans))  # a thumbnail, or anything else in metadata


def test_restart_markers_and_stuffed_bytes_are_no_scans():
    check_jpeg_scans(jpeg(progressive=False, restart_marker_blocks=1))


@given(st.binary())
def test_any_bytes_are_walked_to_an_end(data):
    check_jpeg_scans(b"\xff\xd8" + data[:MAX_SCANS])
