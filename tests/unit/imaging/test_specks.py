"""Faint islands go, whatever is part of a subject or large stays: on matted shapes with known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cutout.imaging.refine import refine_alpha
from cutout.imaging.specks import CELLS, FIRM, without_specks


def subject(height: int = 300, width: int = 400) -> np.ndarray:
    """A firm square of 100 x 100 pixels at (100, 100)."""
    alpha = np.zeros((height, width), np.float32)
    alpha[100:200, 100:200] = 1
    return alpha


def test_a_faint_speck_far_from_the_subject_goes_and_nothing_else() -> None:
    alpha = subject()
    alpha[40:46, 300:304] = 0.4
    assert np.array_equal(without_specks(alpha), subject())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(np.s_[150:152, 200:390], 0.2, id="a faint strand that leaves the subject"),
        pytest.param(np.s_[150:152, 202:390], 0.2, id="one with a gap of a cell"),
        pytest.param(np.s_[40:43, 300:303], 0.75, id="a small firm island"),
        pytest.param(np.s_[20:80, 300:380], 0.3, id="a large faint island"),
        pytest.param(np.s_[90:100, 90:100], 0.1, id="what touches the subject's corner"),
    ],
)
def test_what_may_be_meant_stays(place: tuple[slice, slice], value: float) -> None:
    alpha = subject()
    alpha[place] = value
    assert np.array_equal(without_specks(alpha), alpha)


def test_a_faint_end_of_a_firm_island_stays_with_it() -> None:
    alpha = subject()
    alpha[40:44, 300:340] = np.linspace(0.9, 0.05, 40, dtype=np.float32)
    assert np.array_equal(without_specks(alpha), alpha)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_without_anything_firm_nothing_is_taken(value: float) -> None:
    alpha = np.zeros((60, 90), np.float32)
    alpha[5:9, 5:9] = value
    assert np.array_equal(without_specks(alpha), alpha)


def test_a_long_winding_strand_is_one_island() -> None:
    alpha = np.zeros((CELLS, CELLS), np.float32)
    for row in range(0, CELLS, 4):
        alpha[row] = 0.2
        alpha[row : row + 4, -1 if row // 4 % 2 else 0] = 0.2
    alpha[0, 0] = 1
    assert np.array_equal(without_specks(alpha), alpha)
    alpha[0, 0] = 0.2
    assert np.array_equal(without_specks(alpha), alpha)  # all of it is faint
    alpha[-1, -1] = alpha[-2, -1] = 1
    assert np.array_equal(without_specks(alpha), alpha)


@settings(deadline=None)
@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1, width=32)))
def test_a_second_time_changes_nothing_and_firm_pixels_are_never_touched(alpha: np.ndarray) -> None:
    once = without_specks(alpha)
    assert np.array_equal(without_specks(once), once)
    assert np.array_equal(once[alpha >= FIRM], alpha[alpha >= FIRM])
    assert (once <= alpha).all()


def test_a_wide_alpha_loses_a_speck_in_its_last_incomplete_cell() -> None:
    alpha = np.zeros((30, 3 * CELLS + 1), np.float32)
    alpha[:, :300] = 1
    alpha[29, -1] = 0.3
    assert without_specks(alpha)[29, -1] == 0


def test_the_refined_alpha_is_bounded_by_the_subject() -> None:
    coarse = subject(256, 256)
    coarse[30:34, 240:244] = 0.3
    image = np.random.default_rng(3).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    columns = np.flatnonzero((refine_alpha(image, coarse) > 10).any(axis=0))
    assert columns[0] >= 190
    assert columns[-1] <= 410
