import pytest

from cutout.api.headers import wants_async
from cutout.api.request import Headers, Request


def request(*values: str) -> Request:
    return Request("POST", "/v2", "/v2", Headers(("Prefer", value) for value in values))


@pytest.mark.parametrize(
    "values",
    [
        ("respond-async",),
        ("Respond-Async",),
        ("respond-async, wait=10",),
        ("wait=10,respond-async",),
        ("return=minimal", "respond-async"),
        ('respond-async; note="a, b"',),
        ('foo="x, y", respond-async',),
    ],
)
def test_the_preference_is_found_among_others(values):
    assert wants_async(request(*values))


@pytest.mark.parametrize(
    "values",
    [(), ("",), ("wait=10",), ("return=respond-async",), ('foo="respond-async"',), ('foo="a, respond-async, b"',),
     ("respond-asynchronously",), ("foo; respond-async",), (",;=\x7f",)],
)  # fmt: skip
def test_other_and_broken_preferences_prefer_nothing(values):
    assert not wants_async(request(*values))
