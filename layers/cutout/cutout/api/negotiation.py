"""Which of several media types a client wants: the Accept header. Source: RFC 9110, section 12.5.1."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Range:
    """One element of the header. kind: ``image/webp``, ``image/*`` or ``*/*``; weight: 0..1; place: its index."""

    kind: str
    weight: float
    place: int

    def precision(self, offer: str) -> int:
        """How closely it speaks of the offer: 0 not at all, 1 by ``*/*``, 2 by its family, 3 by name."""
        family = f"{offer.partition('/')[0]}/*"
        return {"*/*": 1, "*": 1, family: 2, offer: 3}.get(self.kind, 0)


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """The one of ``offers`` (media types in lower case, the best first) that the header wants most; None: none of them.

    An empty header takes what comes. Among equal weights what is named goes before what a wildcard covers, then what
    the header names first, then what is offered first. A weight that cannot be read counts as 1.
    """
    ranges = [_range(element, place) for place, element in enumerate(accept.lower().split(",")) if element.strip()]
    if not ranges:
        return offers[0]
    best: tuple[float, int, int, int] | None = None
    for index, offer in enumerate(offers):
        closest = max(ranges, key=lambda one, offer=offer: (one.precision(offer), -one.place))  # type: ignore[misc]
        if not closest.weight or not closest.precision(offer):
            continue
        rank = -closest.weight, -closest.precision(offer), closest.place, index
        best = min(best or rank, rank)
    return None if best is None else offers[best[-1]]


def _range(element: str, place: int) -> _Range:
    kind, *parameters = (part.strip() for part in element.split(";"))
    written = next((value for name, _, value in (part.partition("=") for part in parameters) if name == "q"), "1")
    try:
        weight = float(written)
    except ValueError:
        weight = 1.0
    return _Range(kind, weight if 0 <= weight <= 1 else 1.0, place)
