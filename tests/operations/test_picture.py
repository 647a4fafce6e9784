"""What the checks take for a cutout of their picture."""

import io

import numpy as np
import picture
import pytest
from PIL import Image

RNG = np.random.default_rng(7)


def png(alpha, mode="RGBA", **options):
    image = Image.new("RGB", picture.SIZE, "navy").convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(alpha))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def halves(value=255):
    alpha = np.zeros(picture.SIZE[::-1], np.uint8)
    alpha[:, : picture.SIZE[0] // 2] = value
    return alpha


def test_the_picture_has_the_size_that_is_told():
    with Image.open(io.BytesIO(picture.PICTURE)) as image:
        assert (image.format, image.size) == ("JPEG", picture.SIZE)


def test_the_subjects_part_is_what_pillow_reads():
    assert picture.check_cutout(png(halves())) == pytest.approx(0.5)
    noise = RNG.integers(0, 256, picture.SIZE[::-1], np.uint8)  # every filter, as libpng chooses them
    assert picture.check_cutout(png(noise)) == pytest.approx(noise.mean() / 255)


@pytest.mark.parametrize("kind", range(5))
def test_every_filter_of_the_specification_is_undone(kind):
    noise = RNG.integers(0, 256, (picture.SIZE[1], picture.SIZE[0] * 4), np.uint8)
    rows, above = bytearray(), np.zeros(noise.shape[1], np.int64)
    for row in noise.astype(np.int64):
        left = np.concatenate([np.zeros(4, np.int64), row[:-4]])
        corner = np.concatenate([np.zeros(4, np.int64), above[:-4]])
        guess = left + above - corner
        distance = np.stack([abs(guess - left), abs(guess - above), abs(guess - corner)])
        paeth = np.choose(distance.argmin(0), [left, above, corner])
        predicted = [np.zeros_like(row), left, above, (left + above) // 2, paeth][kind]
        rows += bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
        above = row
    assert picture._alpha(bytes(rows), *picture.SIZE) == noise[:, 3::4].reshape(-1).tolist()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"error": {}}', "no PNG"),
        (png(None, "RGB"), "colour type 2"),
        (png(np.full(picture.SIZE[::-1], 255, np.uint8)), "0 clear pixels"),
        (png(halves(100)), "0 solid"),
    ],
)
def test_what_is_no_cutout_is_refused(data, said):
    with pytest.raises(picture.WrongCutoutError, match=said):
        picture.check_cutout(data)
