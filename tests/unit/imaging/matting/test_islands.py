"""Faint islands go, whatever is part of a subject or large stays.

The subject is large enough (10,000 cells of one pixel) for islands of up to 99 cells to count as small: what stays
below stays for the reason that its test names, and not for its size.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.matting.islands import CELLS, FIRM, remove_small_islands
from cutout.imaging.matting.refine import refine_alpha, stretch


def subject(height: int = 200, width: int = CELLS) -> np.ndarray:
    """A firm square of 100 x 100 pixels at (50, 50), one cell a pixel."""
    alpha = np.zeros((height, width), np.uint8)
    alpha[50:150, 50:150] = 255
    return alpha


def test_a_faint_speck_far_from_the_subject_goes_and_nothing_else() -> None:
    alpha = subject()
    alpha[20:26, 200:204] = 102
    assert np.array_equal(remove_small_islands(alpha), subject())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(np.s_[100, 150:240], 51, id="a faint strand that leaves the subject"),
        pytest.param(np.s_[100, 152:240], 51, id="one with a gap of two cells"),
        pytest.param(np.s_[48, 48], 26, id="what is a cell off the subject's corner"),
        pytest.param(np.s_[20:23, 200:203], FIRM, id="a small firm island"),
        pytest.param(np.s_[20:30, 200:210], 76, id="a faint island of one per cent of the subject"),
    ],
)
def test_what_may_be_meant_stays(place: tuple[slice, slice], value: int) -> None:
    alpha = subject()
    alpha[place] = value
    assert np.array_equal(remove_small_islands(alpha), alpha)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(np.s_[100, 153:240], 51, id="a strand with a gap of three cells"),
        pytest.param(np.s_[20:23, 200:203], FIRM - 1, id="an island that is not quite firm"),
        pytest.param(np.s_[20:29, 200:211], 76, id="an island of a little less than one per cent"),
    ],
)
def test_what_is_just_less_goes(place: tuple[slice, slice], value: int) -> None:
    alpha = subject()
    alpha[place] = value
    assert np.array_equal(remove_small_islands(alpha), subject())


def test_a_faint_end_of_a_firm_island_stays_with_it() -> None:
    alpha = subject()
    alpha[20:22, 200:240] = np.linspace(230, 12, 40).astype(np.uint8)
    assert np.array_equal(remove_small_islands(alpha), alpha)


@pytest.mark.parametrize("value", [0, 76])
def test_without_anything_firm_nothing_is_taken(value: int) -> None:
    alpha = np.zeros((60, 90), np.uint8)
    alpha[5:9, 5:9] = value
    assert np.array_equal(remove_small_islands(alpha), alpha)


@pytest.mark.parametrize("turned", [False, True], ids=["along rows", "along columns"])
def test_a_winding_strand_stays_with_the_subject_to_its_end_and_goes_without_it(*, turned: bool) -> None:
    strand = np.zeros((CELLS, CELLS), np.uint8)
    for turn, row in enumerate(range(200, 248, 5)):
        strand[row, 200:206] = 51
        strand[row : row + 6, 205 if turn % 2 else 200] = 51
    assert np.count_nonzero(strand) < 150
    alpha = strand.copy()
    alpha[50:200, 50:206] = 255  # 23,400 cells; the strand begins at its lower right corner
    alone = strand.copy()
    alone[50:190, 50:206] = 255
    for joined, expected in ((alpha, alpha), (alone, np.where(alone == 255, alone, 0))):
        given_, wanted = (joined.T, expected.T) if turned else (joined, expected)
        assert np.array_equal(remove_small_islands(np.ascontiguousarray(given_)), wanted)


SPECKS = st.lists(st.tuples(st.integers(0, 199), st.integers(0, CELLS - 1), st.integers(1, 100)), max_size=30)


@settings(deadline=None)
@given(SPECKS)
def test_a_second_time_changes_nothing_and_firm_pixels_are_never_touched(specks: list[tuple[int, int, int]]) -> None:
    alpha = subject()
    for row, column, per_cent in specks:
        alpha[row, column] = max(alpha[row, column], per_cent * 255 // 100)
    once = remove_small_islands(alpha)
    assert np.array_equal(remove_small_islands(once), once)
    assert np.array_equal(once[alpha >= FIRM], alpha[alpha >= FIRM])
    assert ((once == alpha) | (once == 0)).all()


def test_a_wide_alpha_loses_a_speck_in_its_last_incomplete_cell() -> None:
    alpha = np.zeros((30, 3 * CELLS + 1), np.uint8)
    alpha[:, :600] = 255
    alpha[29, -1] = 76
    assert remove_small_islands(alpha)[29, -1] == 0


def test_the_refined_alpha_is_bounded_by_the_subject() -> None:
    coarse = subject(256).astype(np.float32) / 255
    coarse[30:34, 240:244] = 0.3
    image = np.random.default_rng(3).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    columns = np.flatnonzero((refine_alpha(image, stretch(coarse)) > 10).any(axis=0))
    assert columns[0] >= 90
    assert columns[-1] <= 310
