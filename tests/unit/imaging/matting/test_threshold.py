import numpy as np
import pytest

from cutout.imaging.matting.postprocess import threshold


def plainly(alpha: np.ndarray) -> np.ndarray:
    """The same by a plain sum: Gaussian of 2 pixels, edges continued, cut at one half."""
    taps = np.exp(-(np.arange(-8, 9) ** 2) / 8)
    taps /= taps.sum()
    lines = [np.convolve(line, taps, "valid") for line in np.pad(alpha.astype(float), 8, mode="edge")]
    blurred = np.array([np.convolve(column, taps, "valid") for column in np.array(lines).T]).T
    return np.where(blurred >= 127.5, 255, 0).astype(np.uint8)


def disc(height: int, width: int, radius: float) -> np.ndarray:
    rows, columns = np.ogrid[:height, :width]
    away = np.hypot(rows - height / 2, columns - width / 2)
    return (np.clip(radius + 4 - away, 0, 8) / 8 * 255).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(61, 83), (300, 41), (257, 513)])
def test_a_soft_edge_becomes_a_hard_one_in_its_middle(height: int, width: int) -> None:
    alpha = disc(height, width, 15)
    made = threshold(alpha)
    assert made.dtype == np.uint8
    assert set(np.unique(made)) == {0, 255}
    assert (made != plainly(alpha)).mean() < 0.003


def test_specks_go_and_pinholes_close() -> None:
    alpha = np.zeros((80, 80), np.uint8)
    alpha[10, 10] = 255
    alpha[30:70, 30:70] = 255
    alpha[50, 50] = 0
    made = threshold(alpha)
    assert made[10, 10] == 0
    assert made[50, 50] == 255


@pytest.mark.parametrize("value", [0, 255])
def test_what_is_all_subject_or_all_ground_stays_so(value: int) -> None:
    alpha = np.full((33, 21), value, np.uint8)
    assert np.array_equal(threshold(alpha), alpha)


def test_a_picture_of_one_pixel_is_no_special_case() -> None:
    assert threshold(np.array([[200]], np.uint8)).tolist() == [[255]]
