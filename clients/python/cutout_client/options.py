"""The options of ``POST /v2``: their names, types and how values are written. The service checks the values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Union

Color = Union[str, Sequence[int]]
"""CSS name, hex digits, or 3 or 4 numbers from 0 to 255 (red, green, blue, alpha)."""
Measure = Union[str, float]
"""``12px``, ``5%``, or a number (pixels for lengths, percent for shares)."""


class Options(TypedDict, total=False):
    """What can be asked for. Meaning, bounds and defaults: docs/openapi.yaml."""

    format: str
    """png, jpg, webp, avif, bmp, tiff, gif or zip."""
    channels: str
    """rgba: the picture; alpha: its mask."""
    size: str
    """preview, medium, hd, full."""
    crop: bool
    bg_color: Color
    despill: bool
    semitransparency: bool
    own_alpha: str
    """honour, keep or discard."""
    on_empty: str
    """image or error: the answer where nothing is found; neither is charged."""
    frames: str
    """first, or all: an animation is answered by an animation."""
    depth: int
    """8, or 16: all bits of a 16-bit image, as png or tiff."""
    profile: str
    """srgb, or keep: the image's own ICC profile."""
    metadata: str
    """none, keep or keep_gps: the image's EXIF."""
    roi: str | Sequence[Measure]
    """x1 y1 x2 y2 in pixels or percent: only this can be foreground."""
    crop_margin: Measure | Sequence[Measure]
    scale: Measure
    position: Measure | Sequence[Measure]
    canvas: str | Sequence[int]
    """original, background, WIDTHxHEIGHT or (width, height)."""
    canvas_fit: str
    bg_fit: str
    bg_blur: Measure
    shadow: str
    """none, drop or contact."""
    shadow_offset_x: Measure
    shadow_offset_y: Measure
    shadow_blur: Measure
    shadow_opacity: Measure
    shadow_color: Color
    stroke_width: Measure
    stroke_color: Color
    stroke_opacity: Measure
    stroke_softness: Measure


NAMES = frozenset(Options.__annotations__)
"""Names of all options."""


def to_fields(options: Mapping[str, Any]) -> dict[str, str]:
    """Return options as the text of form fields; those that are None are left out.

    Raises:
        TypeError: There is no option of that name.
    """
    for name in options:
        if name not in NAMES:
            close = difflib.get_close_matches(name, NAMES, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"there is no option {name!r}{hint}")
    return {name: _text(name, value) for name, value in options.items() if value is not None}


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        if name.endswith("color"):
            return "#" + bytes(value).hex()
        return ("x" if name == "canvas" else " ").join(_text(name, part) for part in value)
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
