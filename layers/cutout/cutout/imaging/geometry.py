"""Values of plane geometry: lengths, rectangles, and how an image fills a frame."""

from dataclasses import dataclass
from enum import StrEnum


class Fit(StrEnum):
    """How an image fills a frame of another aspect: COVER crops it, FIT shows all of it."""

    COVER = "cover"
    FIT = "fit"


class LengthUnit(StrEnum):
    """A unit: pixels, or percent of a length that the option names."""

    PX = "px"
    PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Length:
    """A length in pixels, or in percent of a length that is known later."""

    value: float = 0.0
    unit: LengthUnit = LengthUnit.PX

    def px(self, whole_px: float) -> float:
        """Convert to pixels.

        Args:
            whole_px: The length that is 100 %.

        Returns:
            Pixels, not rounded.
        """
        return self.value if self.unit is LengthUnit.PX else self.value / 100 * whole_px


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the input by its edges, counted from the left and from the top; pixels are those of the file."""

    left: Length
    top: Length
    right: Length
    bottom: Length


@dataclass(frozen=True, slots=True)
class Margins:
    """Space around the subject; percent are of its width (left, right) and of its height (top, bottom)."""

    top: Length
    right: Length
    bottom: Length
    left: Length


@dataclass(frozen=True, slots=True)
class Position:
    """The place of the subject in percent of the free space: 0 is flush left (top), 50 centred, 100 flush right."""

    x: float = 50.0
    y: float = 50.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of the answer. A side of None is the background image's, or the photo's where there is none."""

    width: int | None = None
    height: int | None = None
    fit: Fit = Fit.FIT
    """How the photo (or its crop) is scaled into the canvas: FIT shows all of it, COVER fills the canvas."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int
