import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.imaging.matting.grid import STEP, grid_shape, sample_bilinear, shrink
from cutout.imaging.matting.pyramid import double, halve, pull_push

RANDOM = np.random.default_rng(1)


@given(st.integers(1, 16_384), st.integers(1, 16_384), st.integers(32, 1024))
def test_a_grid_is_a_multiple_of_its_step_and_about_as_long_as_wanted(height: int, width: int, longest: int) -> None:
    rows, columns = grid_shape(height, width, longest)
    assert rows % STEP == columns % STEP == 0
    assert STEP <= max(rows, columns) <= longest + STEP / 2


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 13), (33, 500), (500, 33)])
def test_reading_a_grid_equals_enlarging_it(height: int, width: int) -> None:
    values = RANDOM.random((3, 16, 32), np.float32)
    enlarged = np.stack([bilinear(plane, height, width) for plane in values])
    pixels = np.flatnonzero(RANDOM.random(height * width) < 0.7)
    assert np.allclose(
        sample_bilinear(values, pixels, 0, (height, width)), enlarged.reshape(3, -1)[:, pixels], atol=1e-5
    )
    top = height // 2
    below = np.arange((height - top) * width)
    expected = enlarged[:, top:].reshape(3, -1)
    assert np.allclose(sample_bilinear(values, below, top, (height, width)), expected, atol=1e-5)


def test_reading_no_pixel_gives_nothing() -> None:
    assert sample_bilinear(np.zeros((2, 16, 16), np.float32), np.empty(0, np.intp), 0, (9, 9)).shape == (2, 0)


def test_halving_means_and_doubling_interpolates() -> None:
    values = RANDOM.random((2, 16, 32), np.float32)
    assert np.allclose(halve(values), values.reshape(2, 8, 2, 16, 2).mean(axis=(2, 4)), atol=1e-6)
    assert np.allclose(double(values), np.stack([bilinear(plane, 32, 64) for plane in values]), atol=1e-6)


def test_shrinking_averages_and_scales_to_one() -> None:
    picture = RANDOM.integers(0, 256, (64, 96, 3), np.uint8)
    small = shrink(picture, (16, 32))
    assert small.shape == (3, 16, 32)
    expected = picture.reshape(16, 4, 32, 3, 3).mean(axis=(1, 3)).transpose(2, 0, 1) / 255
    assert np.abs(small - expected).max() < 0.006  # rounded twice to bytes
    assert shrink(picture[..., 0], (16, 32)).shape == (1, 16, 32)


def test_known_colours_spread_everywhere_and_stay_where_they_are_known() -> None:
    colours = RANDOM.random((3, 64, 64), np.float32)
    known = np.zeros((1, 64, 64), np.float32)
    known[:, 20:40, 10:30] = 1
    filled = pull_push(colours, known)
    assert np.allclose(filled[:, 20:40, 10:30], colours[:, 20:40, 10:30], atol=1e-5)
    inside = colours[:, 20:40, 10:30].reshape(3, -1)
    assert (filled >= inside.min(axis=1)[:, None, None] - 1e-5).all()
    assert (filled <= inside.max(axis=1)[:, None, None] + 1e-5).all()


def test_of_two_known_colours_the_nearer_one_wins() -> None:
    colours = np.zeros((3, 64, 64), np.float32)
    colours[0, :, :8] = 1
    colours[2, :, -8:] = 1
    known = np.zeros((1, 64, 64), np.float32)
    known[..., :8] = known[..., -8:] = 1
    filled = pull_push(colours, known)
    assert (filled[0, :, 12] > 0.9).all()
    assert (filled[2, :, 51] > 0.9).all()


def test_without_any_known_colour_the_mean_is_taken() -> None:
    colours = RANDOM.random((3, 32, 32), np.float32)
    filled = pull_push(colours, np.zeros((1, 32, 32), np.float32))
    assert np.allclose(filled, colours.mean(axis=(1, 2))[:, None, None], atol=1e-5)


def bilinear(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Slow reference: the four cells around every pixel centre, edges repeated."""
    result = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * plane.shape[0] / height - 0.5, 0), plane.shape[0] - 1)
            u = min(max((x + 0.5) * plane.shape[1] / width - 0.5, 0), plane.shape[1] - 1)
            y0, x0 = int(v), int(u)
            y1, x1 = min(y0 + 1, plane.shape[0] - 1), min(x0 + 1, plane.shape[1] - 1)
            upper = plane[y0, x0] * (1 - u + x0) + plane[y0, x1] * (u - x0)
            lower = plane[y1, x0] * (1 - u + x0) + plane[y1, x1] * (u - x0)
            result[y, x] = upper * (1 - v + y0) + lower * (v - y0)
    return result
