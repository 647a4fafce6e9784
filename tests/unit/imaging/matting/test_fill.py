import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.matting.postprocess import fill_semitransparent
from tests.unit.imaging.pictures import soft_disc, to_bytes


def test_a_window_becomes_opaque_and_a_hole_stays_open() -> None:
    alpha = np.zeros((400, 600), np.uint8)
    alpha[100:300, 100:500] = 255
    alpha[150:250, 150:300] = 90  # a window
    alpha[150:250, 350:450] = 0  # a hole
    made = fill_semitransparent(alpha)
    assert (made[100:300, 150:300][10:-10] >= 250).all()
    assert not made[150:250, 350:450].any()
    assert not made[:100].any()


def test_edges_stay_soft() -> None:
    alpha = to_bytes(soft_disc(400, 400, 0.01))
    assert np.abs(fill_semitransparent(alpha).astype(int) - alpha).max() <= 2


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_nothing_becomes_clearer_and_what_is_clear_stays_so(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    alpha = random.choice(np.array([0, 5, 12, 90, 255], np.uint8), (height, width))
    before = alpha.copy()
    made = fill_semitransparent(alpha)
    assert np.array_equal(alpha, before)
    assert (made >= alpha).all()
    assert np.array_equal(made[alpha <= 12], alpha[alpha <= 12])
