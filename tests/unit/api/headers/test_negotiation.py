import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api.headers import preferred

OFFERS = ["image/png", "image/webp", "image/jpeg"]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "image/png"),
        (" , ", "image/png"),
        ("*/*", "image/png"),
        ("*", "image/png"),
        ("image/*", "image/png"),
        ("application/json, text/plain, */*", "image/png"),
        ("image/webp", "image/webp"),
        ("IMAGE/WEBP", "image/webp"),
        ("image/jpeg, image/png", "image/jpeg"),
        ("image/png;q=0.4, image/jpeg;q=0.5", "image/jpeg"),
        ("image/webp;q=0.5, */*", "image/png"),
        ("image/webp, */*;q=0.8", "image/webp"),
        ("image/webp, */*", "image/webp"),
        ("*/*, image/jpeg", "image/jpeg"),
        ("image/png;q=0, image/*", "image/webp"),
        ("image/*;q=0.2, text/html", "image/png"),
        ("image/webp;v=2;q=0.1, image/jpeg;q=0.2", "image/jpeg"),
        ("image/webp; q=0.9 , image/jpeg", "image/jpeg"),
        ("image/webp;q=high", "image/webp"),
        ("image/jpeg;q=7, image/webp", "image/jpeg"),
        ("image/jpeg;q=nan", "image/jpeg"),
        ("text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", "image/webp"),
        ("image/gif", None),
        ("application/json", None),
        ("image/png;q=0, image/webp;q=0.0, image/jpeg;q=0", None),
        ("*/*;q=0", None),
        ("image", None),
    ],
)
def test_the_most_wanted_of_what_is_offered_is_found(accept, wanted):
    assert preferred(accept, OFFERS) == wanted


@given(st.text(alphabet="image/png*webp;q=0.15, ", max_size=60))
def test_whatever_the_header_says_the_answer_is_an_offer_or_none(accept):
    assert preferred(accept, OFFERS) in {*OFFERS, None}
