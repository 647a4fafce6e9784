from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout.imaging.pixels import allocate, as_picture, as_pixels, copied, four_bytes, new_pixels
from tests.unit.imaging.pictures import saved

RANDOM = np.random.default_rng(4)


def pixels(height: int = 20, width: int = 30) -> np.ndarray:
    made = new_pixels(height, width)
    made[...] = RANDOM.integers(0, 256, made.shape)
    return made


@pytest.mark.parametrize("part", [np.s_[:], np.s_[3:9], np.s_[:, 4:11], np.s_[5:20, 7:30]])
def test_the_fourth_byte_of_any_part_is_found(part: tuple[slice, ...]) -> None:
    colours = pixels()[part]
    whole = four_bytes(colours)
    assert whole is not None
    assert whole.shape == (*colours.shape[:2], 4)
    assert np.shares_memory(whole, colours)
    assert np.array_equal(whole[..., :3], colours)


@pytest.mark.parametrize(
    "colours",
    [
        RANDOM.integers(0, 256, (5, 6, 3), np.uint8),
        RANDOM.integers(0, 256, (5, 6, 3), np.uint8)[1:],
        RANDOM.integers(0, 256, (5, 6, 4), np.uint8)[..., 1:],
        RANDOM.integers(0, 256, (5, 6, 4), np.uint8)[:, ::2, :3],
        RANDOM.integers(0, 256, (5, 6, 4), np.uint16)[..., :3],
    ],
    ids=["three bytes", "a part of them", "another channel first", "every second pixel", "sixteen bits"],
)
def test_other_layouts_have_none(colours: np.ndarray) -> None:
    assert four_bytes(colours) is None
    assert np.array_equal(copied(colours), colours)


def test_pillow_sees_the_same_colours_with_and_without_a_copy() -> None:
    colours = pixels()
    for part in (colours, colours[2:9, 3:12], np.ascontiguousarray(colours)):
        assert np.array_equal(np.asarray(as_picture(part))[..., :3], part)
        assert np.array_equal(as_pixels(as_picture(part).convert("RGB")), part)
    shared = as_picture(colours)
    colours[0, 0] = 1, 2, 3
    assert shared.getpixel((0, 0))[:3] == (1, 2, 3)


def test_a_copy_keeps_its_fourth_byte_and_nothing_of_the_original() -> None:
    colours = pixels()
    copy = copied(colours)
    assert four_bytes(copy) is not None
    assert np.array_equal(copy, colours)
    assert not np.shares_memory(copy, colours)


def test_a_file_is_decoded_into_the_array(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(Image.fromarray(np.ascontiguousarray(pixels(40, 50))), "JPEG"))
    with Image.open(path) as plain, Image.open(path) as picture:
        colours = allocate(picture)
        picture.load()
        assert np.array_equal(colours, np.asarray(plain))
