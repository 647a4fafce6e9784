"""Colours as clients write them: every spelling of CSS Color Module Level 4, as 8-bit sRGB.

The library ``tinycss2`` parses. It converts what is sRGB in other coordinates; the other colour spaces are converted
here by the matrices of the standard (section 17), rounded to what 8 bits can tell. Colours outside sRGB are clipped.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from cutout.api.measures import wrong
from cutout.imaging.spec import Rgba

_HEX: Final = re.compile(r"[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8}")
_NO_ALPHA: Final = re.compile(r"/\s*none\s*\)$")
_MIXED_RGB: Final = re.compile(r"rgba?\(([^,/)]*%[^,/)]*)[/)]")
_PERCENT: Final = re.compile(r"([-+.\de]+)%")
_Triple = tuple[float, float, float]
_Matrix = tuple[_Triple, _Triple, _Triple]

_XYZ_TO_SRGB: Final = (
    (3.2409699, -1.5373832, -0.4986108),
    (-0.9692436, 1.8759675, 0.0415551),
    (0.0556301, -0.2039770, 1.0569715),
)
_D50_TO_D65: Final = (
    (0.9554734, -0.0230985, 0.0632593),
    (-0.0283697, 1.0099955, 0.0210414),
    (0.0123140, -0.0205077, 1.3303659),
)
_P3_TO_XYZ: Final = (
    (0.4865709, 0.2656677, 0.1982173),
    (0.2289746, 0.6917385, 0.0792869),
    (0.0, 0.0451134, 1.0439444),
)
_REC2020_TO_XYZ: Final = (
    (0.6369580, 0.1446169, 0.1688810),
    (0.2627002, 0.6779981, 0.0593017),
    (0.0, 0.0280727, 1.0609851),
)
_A98_TO_XYZ: Final = (
    (0.5766690, 0.1855582, 0.1882286),
    (0.2973450, 0.6273636, 0.0752915),
    (0.0270314, 0.0706889, 0.9913375),
)
_PROPHOTO_TO_XYZ_D50: Final = (
    (0.7977605, 0.1351858, 0.0313493),
    (0.2880711, 0.7118432, 0.0000857),
    (0.0, 0.0, 0.8251046),
)
_OKLAB_TO_LMS: Final = (
    (1.0, 0.3963378, 0.2158038),
    (1.0, -0.1055613, -0.0638542),
    (1.0, -0.0894842, -1.2914855),
)
_LMS_TO_XYZ: Final = (
    (1.2268799, -0.5578150, 0.2813911),
    (-0.0405758, 1.1122868, -0.0717110),
    (-0.0763730, -0.4214933, 1.5869240),
)
_WHITE_D50: Final = (0.9642957, 1.0, 0.8251046)


def color(name: str, text: str) -> Rgba | None:
    """Parse a colour.

    Args:
        name: The option.
        text: A colour of CSS, or hex digits without ``#``.

    Returns:
        Red, green, blue and alpha, each 0 to 255; None for ``transparent``.

    Raises:
        InvalidOptionError: The value is no colour by itself; ``currentcolor`` and system colours are none.
    """
    value = text.strip().lower()
    if value == "transparent":
        return None
    from tinycss2.color4 import parse_color  # noqa: PLC0415 - few requests have a colour; a tenth of our imports

    parsed = parse_color(f"#{value}" if _HEX.fullmatch(value) else _usual(value))
    if parsed is None or isinstance(parsed, str):
        expected = "a colour of CSS: a name, hex digits such as #1a2b3c, or a function such as rgb(26 43 60 / 50%)"
        raise wrong(name, text, expected)
    red, green, blue = _srgb(parsed.space, *(each or 0.0 for each in parsed.coordinates))
    return _byte(red), _byte(green), _byte(blue), _byte(parsed.alpha or 0.0)


def _usual(value: str) -> str:
    """Spell two things as the library knows them: ``none`` as alpha, and percentages beside numbers in ``rgb()``."""
    value = _NO_ALPHA.sub("/ 0)", value)
    mixed = _MIXED_RGB.match(value)
    if mixed and len(_PERCENT.findall(mixed[1])) < 3:  # noqa: PLR2004
        try:
            numbers = _PERCENT.sub(lambda percent: f"{float(percent[1]) * 2.55:.6f}", mixed[1])
        except ValueError:
            return value
        return value[: mixed.start(1)] + numbers + value[mixed.end(1) :]
    return value


def opaque_color(name: str, text: str) -> Rgba:
    """Parse a colour as :func:`color`, with ``transparent`` as black of alpha 0."""
    return color(name, text) or (0, 0, 0, 0)


def _byte(value: float) -> int:
    return round(255 * min(max(value, 0.0), 1.0))


def _srgb(space: str, first: float, second: float, third: float) -> _Triple:
    """Convert coordinates to sRGB, 0 to 1 within its gamut."""
    values = tuple(max(min(value, _FAR), -_FAR) for value in (first, second, third))
    if space in _SRGB:
        return _SRGB[space](*values)
    red, green, blue = _times(_XYZ_TO_SRGB, _XYZ[space](*values))
    return _encode(red), _encode(green), _encode(blue)


def _times(matrix: _Matrix, vector: _Triple) -> _Triple:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def _encode(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055  # noqa: PLR2004


def _decode(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _power(exponent: float) -> Callable[[float], float]:
    return lambda value: math.copysign(abs(value) ** exponent, value)


def _rgb_space(matrix: _Matrix, decode: Callable[[float], float]) -> Callable[[float, float, float], _Triple]:
    return lambda red, green, blue: _times(matrix, (decode(red), decode(green), decode(blue)))


def _hsl(hue: float, saturation: float, lightness: float) -> _Triple:
    """Convert HSL, in degrees and percent (section 7)."""
    share = saturation / 100 * min(lightness, 100 - lightness) / 100

    def channel(offset: int) -> float:
        place = (offset + hue / 30) % 12
        return lightness / 100 - share * max(-1.0, min(place - 3, 9 - place, 1.0))

    return channel(0), channel(8), channel(4)


def _hwb(hue: float, white: float, black: float) -> _Triple:
    """Convert HWB, in degrees and percent (section 8)."""
    total = max(white + black, 100)
    red, green, blue = (pure * (1 - (white + black) / total) + white / total for pure in _hsl(hue, 100, 50))
    return red, green, blue


def _lab(lightness: float, a: float, b: float) -> _Triple:
    """Convert CIE Lab to XYZ (section 9.3)."""
    middle = (lightness + 16) / 116
    thirds = (middle + a / 500, middle, middle - b / 200)
    ratios = (each**3 if each > 6 / 29 else (116 * each - 16) * 27 / 24389 for each in thirds)
    x, y, z = (ratio * white for ratio, white in zip(ratios, _WHITE_D50, strict=True))
    return _times(_D50_TO_D65, (x, y, z))


def _oklab(lightness: float, a: float, b: float) -> _Triple:
    long, medium, short = _times(_OKLAB_TO_LMS, (lightness, a, b))
    return _times(_LMS_TO_XYZ, (long**3, medium**3, short**3))


def _polar(convert: Callable[[float, float, float], _Triple]) -> Callable[[float, float, float], _Triple]:
    return lambda lightness, chroma, hue: convert(
        lightness, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    )


_FAR: Final = 1e6
"""Coordinates of a larger size are outside every gamut alike."""
_SRGB: Final[Mapping[str, Callable[..., _Triple]]] = {
    "srgb": lambda *values: values,
    "srgb-linear": lambda *values: tuple(map(_encode, values)),
    "hsl": _hsl,
    "hwb": _hwb,
}
"""By space: the conversion to sRGB."""
_XYZ: Final[Mapping[str, Callable[..., _Triple]]] = {
    "xyz-d65": lambda *values: values,
    "xyz-d50": lambda *values: _times(_D50_TO_D65, values),
    "lab": _lab,
    "lch": _polar(_lab),
    "oklab": _oklab,
    "oklch": _polar(_oklab),
    "display-p3": _rgb_space(_P3_TO_XYZ, _decode),
    "rec2020": _rgb_space(_REC2020_TO_XYZ, _power(2.4)),
    "a98-rgb": _rgb_space(_A98_TO_XYZ, _power(563 / 256)),
    "prophoto-rgb": lambda *values: _times(_D50_TO_D65, _rgb_space(_PROPHOTO_TO_XYZ_D50, _power(1.8))(*values)),
}
"""By space: the conversion to XYZ with the white of D65."""
