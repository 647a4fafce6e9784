import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.compositing.stroke import dilate_disc


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_growing_takes_the_highest_value_within_the_disc(height: int, width: int, radius: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    plane = random.integers(0, 256, (height, width), np.uint8) * (random.random((height, width)) < 0.05)
    inner, outer = np.zeros_like(plane), np.zeros_like(plane)
    for y, x in zip(*np.nonzero(plane), strict=True):
        down, across = np.ogrid[-y : height - y, -x : width - x]
        for reached, limit in ((inner, radius), (outer, radius + 1)):
            within = (down**2 + across**2 <= limit**2) & (np.abs(down) <= radius) & (np.abs(across) <= radius)
            reached[within] = np.maximum(reached[within], plane[y, x])
    made = dilate_disc(plane.astype(np.uint8), radius)
    assert (made >= inner).all()
    assert (made <= outer).all()


def test_bands_of_rows_leave_no_seams() -> None:
    plane = np.where(np.random.default_rng(1).random((700, 9)) < 0.01, 255, 0).astype(np.uint8)
    assert np.array_equal(dilate_disc(plane, 5)[200:400], dilate_disc(plane[180:420], 5)[20:220])
