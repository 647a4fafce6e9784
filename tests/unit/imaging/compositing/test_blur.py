from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.compositing.blur import gaussian_blur


@pytest.mark.parametrize("sigma", [1.0, 1.7, 2.6, 3.0, 8.0, 21.5])
def test_a_step_becomes_the_error_function(sigma: float) -> None:
    plane = np.zeros((200, 30), np.uint8)
    plane[100:] = 255
    column = gaussian_blur(plane, sigma).rows(slice(0, 200))[:, 15]
    exact = np.array([0.5 * (1 + erf((y + 0.5 - 100) / (sigma * sqrt(2)))) for y in range(200)])
    assert np.abs(column - exact).max() < 0.012


def test_a_point_becomes_a_round_bell_that_holds_all_its_light() -> None:
    plane = np.zeros((121, 121), np.float32)
    plane[61, 61] = 1000  # the middle of a cell
    bell = gaussian_blur(plane, 7.0).rows(slice(0, 121))
    y, x = np.mgrid[-61:60, -61:60]
    exact = 1000 * np.exp(-(x**2 + y**2) / (2 * 49)) / (2 * np.pi * 49)
    assert np.abs(bell - exact).max() < 0.03 * exact.max()
    assert bell.sum() == pytest.approx(1000, rel=0.01)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 60), st.integers(0, 255))
def test_an_even_plane_stays_as_it_is(height: int, width: int, sigma: float, value: int) -> None:
    soft = gaussian_blur(np.full((height, width), value, np.uint8), sigma).moved(3.5, -2.5)
    assert np.abs(soft.rows(slice(0, height)) - value / 255).max() < 1e-5


def test_bands_of_rows_leave_no_seams() -> None:
    plane = np.random.default_rng(1).integers(0, 256, (97, 53), np.uint8)
    soft = gaussian_blur(plane, 9.0).moved(4, 11)
    whole = soft.rows(slice(0, 97))
    parts = np.concatenate([soft.rows(slice(top, min(top + 10, 97))) for top in range(0, 97, 10)])
    assert np.abs(whole - parts).max() < 1e-5


def test_no_blur_gives_the_plane_back_exactly() -> None:
    plane = np.random.default_rng(1).random((31, 17), np.float32)
    assert np.array_equal(gaussian_blur(plane, 0).rows(slice(0, 31)), plane)


@pytest.mark.parametrize(("right", "down"), [(5, 0), (0, -7), (12, 3), (-500, 500)])
def test_a_moved_plane_is_moved_by_whole_pixels_and_continues_its_edges(right: int, down: int) -> None:
    plane = np.random.default_rng(2).random((40, 30), np.float32)
    moved = gaussian_blur(plane, 0).moved(right, down).rows(slice(0, 40))
    rows, columns = (np.clip(np.arange(size) - by, 0, size - 1) for size, by in ((40, down), (30, right)))
    assert np.abs(moved - plane[np.ix_(rows, columns)]).max() < 1e-5
