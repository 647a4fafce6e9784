import numpy as np
import pytest
from PIL import Image

from cutout.imaging.pixels import as_pixels
from cutout.imaging.resampling import squash
from tests.unit.imaging.pictures import photo, to_bytes


@pytest.mark.parametrize("how", [Image.Resampling.BILINEAR, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (300, 200), (319, 320), (320, 320), (320, 5)])
def test_a_small_picture_becomes_the_square_that_pillow_makes(size: tuple[int, int], how: Image.Resampling) -> None:
    picture = Image.fromarray(to_bytes(photo("coffee.png", *size)))
    wanted = np.asarray(picture.resize((320, 320), how), np.int16)
    for colours in (np.asarray(picture), as_pixels(picture)):
        made = squash(colours, 320, how)
        assert made.shape == (320, 320, 3)
        assert np.abs(made - wanted).max() <= 2
        assert np.abs(made - wanted).mean() < 0.1


@pytest.mark.parametrize(("how", "most"), [(Image.Resampling.BILINEAR, 3), (Image.Resampling.LANCZOS, 0.5)])
@pytest.mark.parametrize("size", [(1999, 1501), (700, 2000), (333, 1000)])
def test_a_large_picture_is_averaged_and_does_not_move(
    size: tuple[int, int], how: Image.Resampling, most: float
) -> None:
    picture = Image.fromarray(to_bytes(photo("coffee.png", *size)))
    wanted = np.asarray(picture.resize((320, 320), how), np.int16)
    made = squash(np.asarray(picture), 320, how)
    assert np.abs(made - wanted).mean() < most


def test_a_picture_of_that_size_is_left_as_it_is() -> None:
    picture = np.zeros((320, 320, 3), np.uint8)
    assert squash(picture, 320) is picture
