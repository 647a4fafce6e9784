"""Parsers of numbers with units: lengths, percentages, margins, regions, positions and sizes.

Lengths are ``12px`` or ``5%``; a bare number is pixels. Several values are separated by spaces or commas. Each parser
takes the option's name (``name``) and its value (``text``), and raises InvalidOptionError, with the name and the
expected form, for any other value.
"""

import re
from typing import Final

from cutout.errors import InvalidOptionError
from cutout.imaging.spec import Length, LengthUnit, Limits, Margins, Position, Region

_NUMBER: Final = r"[-+]?(?:[0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})"
_PLAIN: Final = re.compile(rf"({_NUMBER})(%?)")
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,6}(?:\.0{0,6})?")
_LENGTH: Final = re.compile(rf"({_NUMBER})(px|%|)")
_SIZE: Final = re.compile(r"([0-9]{1,5})\s*x\s*([0-9]{1,5})")
_SEPARATOR: Final = re.compile(r"\s*,\s*|\s+")
_SIDES: Final = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 4: (0, 1, 2, 3)}
"""By number of values: the index of the value for top, right, bottom and left."""
_NAMED: Final = {
    "center": Position(50, 50),
    "left": Position(0, 50),
    "right": Position(100, 50),
    "top": Position(50, 0),
    "bottom": Position(50, 100),
    "top-left": Position(0, 0),
    "top-right": Position(100, 0),
    "bottom-left": Position(0, 100),
    "bottom-right": Position(100, 100),
}
MAX_SIDE_PX: Final = Limits().max_output_side_px


def percentage(name: str, text: str, low: float = 0, high: float = 100) -> float:
    """Parse a number from ``low`` to ``high``; a percent sign may follow it."""
    match = _PLAIN.fullmatch(text.strip())
    if match is None or not low <= float(match[1]) <= high:
        raise wrong(name, text, f"a number from {low:g} to {high:g}")
    return float(match[1])


def whole(name: str, text: str, low: int, high: int) -> int:
    """Parse an integer from ``low`` to ``high``."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None or not low <= float(match[0]) <= high:
        raise wrong(name, text, f"a whole number from {low} to {high}")
    return int(float(match[0]))


def length(name: str, text: str, px: tuple[float, float], percent: tuple[float, float]) -> Length:
    """Parse one length.

    Args:
        name: The option.
        text: Its value.
        px: The lowest and the highest value in pixels.
        percent: The lowest and the highest value in percent.

    Returns:
        The length.

    Raises:
        InvalidOptionError: The value is no length within these bounds.
    """
    expected = f"pixels ({px[0]:g}px to {px[1]:g}px) or percent ({percent[0]:g}% to {percent[1]:g}%)"
    match = _LENGTH.fullmatch(text.strip().lower())
    if match is None:
        raise wrong(name, text, expected)
    unit = LengthUnit(match[2] or "px")
    low, high = px if unit is LengthUnit.PX else percent
    if not low <= float(match[1]) <= high:
        raise wrong(name, text, expected)
    return Length(float(match[1]), unit)


def margins(name: str, text: str, px: float, percent: float) -> Margins:
    """Parse one length for all sides, two (top and bottom, left and right) or four (top, right, bottom, left).

    Args:
        name: The option.
        text: Its value.
        px: The largest margin in pixels.
        percent: The largest margin in percent.

    Returns:
        The margins.

    Raises:
        InvalidOptionError: The value has another form.
    """
    values = _parts(text)
    if len(values) not in _SIDES:
        raise wrong(name, text, "one, two or four lengths such as 10% or 30px")
    sides = [length(name, value, (0, px), (0, percent)) for value in values]
    top, right, bottom, left = (sides[index] for index in _SIDES[len(values)])
    return Margins(top, right, bottom, left)


def region(name: str, text: str) -> Region:
    """Parse a region by two opposite corners: ``x1 y1 x2 y2``."""
    values = _parts(text)
    if len(values) != 4:  # noqa: PLR2004
        raise wrong(name, text, "four lengths x1 y1 x2 y2 such as 0% 0% 50% 100%")
    left, top, right, bottom = (length(name, value, (0, 999_999), (0, 100)) for value in values)
    return Region(left, top, right, bottom)


def position(name: str, text: str) -> Position | None:
    """Parse ``original`` (None), a place such as ``center`` or ``top-left``, or one or two percentages (x, y)."""
    value = text.strip().lower()
    if value == "original":
        return None
    if value in _NAMED:
        return _NAMED[value]
    values = _parts(value)
    if len(values) not in {1, 2}:
        raise wrong(name, text, "original, center, a side or corner such as top-left, or one or two percentages")
    places = [percentage(name, one) for one in values]
    return Position(places[0], places[-1])


def size(name: str, text: str) -> tuple[int, int]:
    """Parse ``1200x800``: width and height in pixels, each from 1 to MAX_SIDE_PX."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None or not all(1 <= int(side) <= MAX_SIDE_PX for side in match.groups()):
        raise wrong(name, text, f"WIDTHxHEIGHT in pixels, each from 1 to {MAX_SIDE_PX}")
    return int(match[1]), int(match[2])


def wrong(name: str, text: str, expected: str) -> InvalidOptionError:
    """Make the error for a value of another form than ``expected``."""
    return InvalidOptionError(f"{name} must be {expected}.", {"option": name, "value": text[:40]})


def _parts(text: str) -> list[str]:
    return _SEPARATOR.split(text.strip())
