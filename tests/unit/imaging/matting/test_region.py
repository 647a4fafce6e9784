import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.errors import InvalidOptionError
from cutout.imaging.matting.region import paste_region, region_slices
from cutout.imaging.spec import Length, LengthUnit, Region


def percent(value: float) -> Length:
    return Length(value, LengthUnit.PERCENT)


def test_a_region_counts_in_pixels_of_the_file_or_in_percent() -> None:
    region = Region(Length(100), percent(50), Length(300), percent(100))
    assert region_slices(region, (200, 400), (200, 400)) == (slice(100, 200), slice(100, 300))
    assert region_slices(region, (100, 200), (200, 400)) == (slice(50, 100), slice(50, 150))  # a preview


def test_without_a_region_everything_counts_and_corners_may_come_in_any_order() -> None:
    assert region_slices(None, (7, 9), (70, 90)) == (slice(0, 7), slice(0, 9))
    swapped = Region(percent(75), percent(100), percent(25), percent(0))
    assert region_slices(swapped, (10, 100), (10, 100)) == (slice(0, 10), slice(25, 75))


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (Region(Length(0), Length(0), Length(401), Length(100)), "exceeds_bounds"),
        (Region(Length(-1), Length(0), Length(40), Length(100)), "exceeds_bounds"),
        (Region(Length(0), Length(0), Length(400), percent(101)), "exceeds_bounds"),
        (Region(Length(5), Length(0), Length(5), Length(100)), "empty"),
        (Region(percent(0), percent(30), percent(100), percent(30)), "empty"),
    ],
)
def test_a_region_outside_the_image_or_of_no_size_is_refused_with_the_reason(region: Region, reason: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        region_slices(region, (200, 400), (200, 400))
    assert caught.value.details == {"option": "roi", "reason": reason, "width": 400, "height": 200}


@given(st.integers(1, 50), st.integers(1, 500), st.floats(0, 100), st.floats(0, 100))
def test_every_region_has_at_least_one_pixel_of_the_picture(size: int, source: int, one: float, other: float) -> None:
    if one == other:
        return
    try:
        rows, columns = region_slices(
            Region(percent(one), percent(one), percent(other), percent(other)), (size, size), (source,) * 2
        )
    except InvalidOptionError:  # edges that differ by less than a number can tell
        return
    assert 0 <= rows.start < rows.stop <= size
    assert rows == columns


def test_what_lies_outside_the_region_comes_back_as_background() -> None:
    image = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
    part = slice(1, 4), slice(2, 7)
    colours, alpha = paste_region(np.full((3, 5, 3), 9, np.uint8), np.full((3, 5), 200, np.uint8), image, part)
    inside = np.zeros((6, 8), bool)
    inside[part] = True
    assert (alpha == np.where(inside, 200, 0)).all()
    assert (colours[inside] == 9).all()
    assert np.array_equal(colours[~inside], image[~inside])
