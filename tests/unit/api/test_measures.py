from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api import measures
from cutout.errors import InvalidOptionError
from cutout.imaging.spec import Length, LengthUnit, Margins, Position, Region


def percent(value: float) -> Length:
    return Length(value, LengthUnit.PERCENT)


def any_length(text: str) -> Length:
    return measures.length("x", text, (-50, 500), (-10, 100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12px", Length(12)),
        ("12", Length(12)),
        (" 0 ", Length(0)),
        ("-50PX", Length(-50)),
        ("+1.5px", Length(1.5)),
        (".5%", percent(0.5)),
        ("100%", percent(100)),
    ],
)
def test_a_length_is_pixels_or_percent(text, expected):
    assert any_length(text) == expected


@pytest.mark.parametrize(
    "text", ["", "px", "%", "1em", "1 px x", "501px", "-51", "101%", "-11%", "1e2", "nan", "inf", "٣px", "1_0", "1,5px"]
)
def test_another_length_is_refused_in_words_that_help(text):
    with pytest.raises(InvalidOptionError) as caught:
        any_length(text)
    assert caught.value.details == {"option": "x", "value": text}
    assert "pixels (-50px to 500px) or percent (-10% to 100%)" in caught.value.message


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("100", 100), ("37.5%", 37.5), (" 9 ", 9)])
def test_a_percentage_may_leave_its_sign_out(text, value):
    assert measures.percentage("x", text) == value


@pytest.mark.parametrize("text", ["-1", "100.1", "9px", "half", "", "9 9"])
def test_another_percentage_is_refused(text):
    with pytest.raises(InvalidOptionError):
        measures.percentage("x", text)


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("10%", (percent(10),) * 4),
        ("30px 5%", (Length(30), percent(5), Length(30), percent(5))),
        ("1 2 3 4", (Length(1), Length(2), Length(3), Length(4))),
        ("1,2, 3 ,4px", (Length(1), Length(2), Length(3), Length(4))),
    ],
)
def test_margins_are_one_two_or_four_lengths_from_the_top_on(text, sides):
    assert measures.margins("x", text, 500, 50) == Margins(*sides)


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 4 5", "51%", "501px", "-1", "", ",", "1 x"])
def test_other_margins_are_refused(text):
    with pytest.raises(InvalidOptionError):
        measures.margins("x", text, 500, 50)


def test_a_region_is_two_corners_and_bare_numbers_are_pixels():
    assert measures.region("x", "0 0 100% 50%") == Region(Length(0), Length(0), percent(100), percent(50))


@pytest.mark.parametrize("text", ["0 0 1", "0 0 1 1 1", "-1 0 5 5", "0% 0% 101% 5%", "a b c d"])
def test_another_region_is_refused(text):
    with pytest.raises(InvalidOptionError):
        measures.region("x", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("original", None),
        ("CENTER", Position(50, 50)),
        ("left", Position(0, 50)),
        ("bottom-right", Position(100, 100)),
        ("25%", Position(25, 25)),
        ("25% 75", Position(25, 75)),
    ],
)
def test_a_position_is_named_or_one_or_two_percentages(text, expected):
    assert measures.position("x", text) == expected


@pytest.mark.parametrize("text", ["middle", "right-top", "1 2 3", "101%", "5px"])
def test_another_position_is_refused(text):
    with pytest.raises(InvalidOptionError):
        measures.position("x", text)


def test_a_size_is_width_and_height_within_the_longest_side_of_an_answer():
    assert measures.size("x", "1200X800") == (1200, 800)
    for text in ("0x5", "5x0", "6001x5", "5", "5x", "axb", "-5x5", "99999x99999"):
        with pytest.raises(InvalidOptionError):
            measures.size("x", text)


@given(st.text(max_size=30) | st.from_regex(r"[-+0-9.%px ,]{0,30}", fullmatch=True))
def test_any_text_is_a_value_or_a_client_error(text):
    for read in (
        any_length,
        lambda one: measures.margins("x", one, 500, 50),
        lambda one: measures.region("x", one),
        lambda one: measures.position("x", one),
        lambda one: measures.size("x", one),
        lambda one: measures.percentage("x", one),
    ):
        with suppress(InvalidOptionError):
            read(text)
