"""Fields to a CutoutSpec: every option, its spellings, default and bounds, in one table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

import webcolors

from cutout.api.fields import Fields
from cutout.errors import InvalidOptionError
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat, Rgba, SizeName

T = TypeVar("T")

_BOOLEANS: Final = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)
_FORMATS: Final = {
    "png": ImageFormat.PNG,
    "jpg": ImageFormat.JPEG,
    "jpeg": ImageFormat.JPEG,
    "webp": ImageFormat.WEBP,
    "bmp": ImageFormat.BMP,
    "tiff": ImageFormat.TIFF,
    "tif": ImageFormat.TIFF,
    "gif": ImageFormat.GIF,
}
_SIZES: Final = {size.value: size for size in SizeName} | {"auto": SizeName.FULL}
_CHANNELS: Final = {channels.value: channels for channels in Channels}
_HEX: Final = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})")


def boolean(name: str, text: str) -> bool:
    """true/false, 1/0, yes/no, on/off in any case. Raises InvalidOptionError."""
    return _choice(name, text, _BOOLEANS)


def color(name: str, text: str) -> Rgba | None:
    """A colour: CSS name, or hex digits rgb, rgba, rrggbb, rrggbbaa with or without ``#``; transparent is None.

    Source: CSS Color Module Level 4. Raises InvalidOptionError.
    """
    value = text.strip().lower()
    if value == "transparent":
        return None
    if value == "rebeccapurple":  # CSS 4's one new name; webcolors stops at CSS 3
        return 0x66, 0x33, 0x99, 255
    if match := _HEX.fullmatch(value):
        digits = match[1] if len(match[1]) > 4 else "".join(digit * 2 for digit in match[1])  # noqa: PLR2004
        red, green, blue, alpha = bytes.fromhex(digits.ljust(8, "f"))
        return red, green, blue, alpha
    try:
        rgb = webcolors.name_to_rgb(value)
    except ValueError as error:
        expected = "a CSS colour name or hex digits such as #1a2b3c"
        raise InvalidOptionError(f"{name} must be {expected}.", {"option": name, "value": text[:40]}) from error
    return rgb.red, rgb.green, rgb.blue, 255


def _choice(name: str, text: str, choices: Mapping[str, T]) -> T:
    try:
        return choices[text.strip().lower()]
    except KeyError as error:
        allowed = list(choices)
        raise InvalidOptionError(
            f"{name} must be one of {', '.join(allowed)}.", {"option": name, "value": text[:40], "allowed": allowed}
        ) from error


_SETTERS: Final[Mapping[str, Callable[[CutoutSpec, str], CutoutSpec]]] = {
    "format": lambda spec, text: replace(spec, format=_choice("format", text, _FORMATS)),
    "channels": lambda spec, text: replace(spec, channels=_choice("channels", text, _CHANNELS)),
    "size": lambda spec, text: replace(spec, size=_choice("size", text, _SIZES)),
    "crop": lambda spec, text: replace(spec, crop=boolean("crop", text)),
    "bg_color": lambda spec, text: replace(spec, bg_color=color("bg_color", text)),
    "despill": lambda spec, text: replace(spec, despill=boolean("despill", text)),
}
_MAX_CHARS: Final = 64
"""No value of an option is longer; what is, is refused unread."""
OPTIONS: Final = frozenset(_SETTERS)
"""Names of all options of ``POST /v2``."""


def parse_options(fields: Fields) -> CutoutSpec:
    """The spec that the options among ``fields`` describe. Raises InvalidOptionError, naming the option."""
    spec = CutoutSpec()
    for name, setter in _SETTERS.items():
        if (raw := fields.raw(name)) is None:
            continue
        if len(raw) > _MAX_CHARS:
            raise InvalidOptionError(f"{name} is longer than any of its values.", {"option": name})
        spec = setter(spec, fields.text(name) or "")
    return spec


def refuse_unknown(fields: Fields, known: frozenset[str]) -> None:
    """An option that would do nothing is an error, not a silent surprise. Raises InvalidOptionError."""
    unknown = sorted(name[:40] for name in fields if name not in known)
    if unknown:
        details = {"unknown": unknown[:10], "known": sorted(known)}
        raise InvalidOptionError(f"Unknown field {unknown[0]!r}.", details)
