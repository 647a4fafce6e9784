"""How decided a mask is, and who is scored on what. Needs the training environment."""

from __future__ import annotations

import io

import numpy as np
import pytest

for name in ("torch", "onnx", "skimage"):
    pytest.importorskip(name)

from PIL import Image  # noqa: E402

from training import compare  # noqa: E402
from training.found import Photo  # noqa: E402


def disc(radius: float, side: int = 128) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] - side / 2
    return (np.hypot(x, y) < radius).astype(np.float32)


def test_a_soft_edge_is_decided_and_a_grey_middle_is_not():
    soft, grey = disc(40), disc(40)
    soft[disc(42) != disc(38)] = 0.5
    grey[disc(10) > 0] = 0.6
    assert compare.undecided(soft) == 0
    assert compare.undecided(grey) == pytest.approx(disc(10).mean())


def test_a_crumb_is_an_island_and_a_second_subject_is_none():
    crumb, second = disc(30), disc(30)
    crumb[5:8, 5:8] = 1
    second[5:25, 5:25] = 1
    assert [compare.islands(mask) for mask in (disc(30), crumb, second)] == [0, 1, 0]


def test_a_model_is_scored_on_the_photos_that_it_answers_to():
    cases = [compare.Case(Photo("cats", n, b""), disc(40), by_hand=True) for n in (1, 2)]
    rows = compare.measure(cases, lambda photo: disc(40) if photo.number == 1 else None)
    assert rows == {"cats": [(1.0, 1.0, 0.0, 0)]}
    page = compare.table({"ours": rows}, ["cats"], {"cats": 2})
    assert "| cats | 2 | 1.000 / 1.000 |" in page


def test_the_sheet_shows_the_photo_and_its_cutout_on_black_and_on_magenta():
    class Half:
        def alpha(self, picture: Image.Image) -> np.ndarray:
            return np.repeat([[1.0, 0.0]], picture.height, axis=0).repeat(picture.width // 2, axis=1)

    file = io.BytesIO()
    Image.new("RGB", (448, 448), "white").save(file, "PNG")
    cases = [compare.Case(Photo("cats", n, file.getvalue()), disc(40), by_hand=True) for n in range(5)]
    page = compare.show(cases, Half())
    tile, gap = 224, 8
    columns = [page.getpixel((column * (tile + gap) + x, 100)) for column in range(3) for x in (20, 200)]
    assert columns == [(255, 255, 255)] * 2 + [(255, 255, 255), (0, 0, 0), (255, 255, 255), (255, 0, 255)]
    assert page.height == 2 * (tile + gap)
