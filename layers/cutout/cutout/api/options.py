"""The options of ``POST /v2``: their names, values, defaults and bounds, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from cutout.api import measures
from cutout.api.body.fields import Fields
from cutout.api.colors import color, opaque_color
from cutout.errors import InvalidOptionError
from cutout.imaging.spec import (
    Canvas,
    Channels,
    CutoutSpec,
    Fit,
    Frames,
    ImageFormat,
    Length,
    OnEmpty,
    OwnAlpha,
    Shadow,
    ShadowKind,
    SizeName,
    Stroke,
)

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
    "avif": ImageFormat.AVIF,
    "zip": ImageFormat.ZIP,
}
_SIZES: Final = {size.value: size for size in SizeName} | {"auto": SizeName.FULL}
_CHANNELS: Final = {channels.value: channels for channels in Channels}
_FITS: Final = {fit.value: fit for fit in Fit}
_OWN_ALPHAS: Final = {own_alpha.value: own_alpha for own_alpha in OwnAlpha}
_ON_EMPTY: Final = {on_empty.value: on_empty for on_empty in OnEmpty}
_DEPTHS: Final = {"8": 8, "16": 16}
_PROFILES: Final = {"srgb": False, "keep": True}
_METADATA: Final = {"none": (False, False), "keep": (True, False), "keep_gps": (True, True)}
"""Whether EXIF is kept, and whether the place in it."""
_FRAMES: Final = {frames.value: frames for frames in Frames}
_SHADOWS: Final = {"none": None, "car": ShadowKind.CONTACT} | {kind.value: kind for kind in ShadowKind}


def boolean(name: str, text: str) -> bool:
    """Parse true/false, 1/0, yes/no or on/off in any case. Raises InvalidOptionError."""
    return choice(name, text, _BOOLEANS)


def choice(name: str, text: str, choices: Mapping[str, T]) -> T:
    """Parse one of several words.

    Args:
        name: The option.
        text: Its value, in any case.
        choices: Meanings by word, in lower case.

    Returns:
        The meaning of the word.

    Raises:
        InvalidOptionError: The value is another word; the error lists the allowed ones.
    """
    try:
        return choices[text.strip().lower()]
    except KeyError as error:
        allowed = list(choices)
        raise InvalidOptionError(
            f"{name} must be one of {', '.join(allowed)}.", {"option": name, "value": text[:40], "allowed": allowed}
        ) from error


def _metadata(spec: CutoutSpec, text: str) -> CutoutSpec:
    keep, gps = choice("metadata", text, _METADATA)
    return replace(spec, keep_metadata=keep, keep_gps=gps)


def _shadow(spec: CutoutSpec, text: str) -> CutoutSpec:
    kind = choice("shadow", text, _SHADOWS)
    return replace(spec, shadow=None if kind is None else Shadow(kind))


def _stroke(spec: CutoutSpec, text: str) -> CutoutSpec:
    width = measures.length("stroke_width", text, (0, 500), (0, 50))
    return replace(spec, stroke=Stroke(width) if width.value else None)


def _part(whole: str, part: str, read: Callable[[str, str], object]) -> Callable[[CutoutSpec, str], CutoutSpec]:
    """Make the setter of one field of the shadow or the stroke; it refuses a wrong value even if there is none."""

    def set_part(spec: CutoutSpec, text: str) -> CutoutSpec:
        value = read(f"{whole}_{part}", text)
        thing = getattr(spec, whole)
        return spec if thing is None else replace(spec, **{whole: replace(thing, **{part: value})})

    return set_part


def _canvas(spec: CutoutSpec, text: str) -> CutoutSpec:
    name = text.strip().lower()
    if name in {"original", "background"}:
        return replace(spec, canvas=None if name == "original" else Canvas())
    return replace(spec, canvas=Canvas(*measures.size("canvas", text)))


def _canvas_fit(spec: CutoutSpec, text: str) -> CutoutSpec:
    fit = choice("canvas_fit", text, _FITS)
    return spec if spec.canvas is None else replace(spec, canvas=replace(spec.canvas, fit=fit))


def _scale(text: str) -> float | None:
    return None if text.strip().lower() == "original" else measures.percentage("scale", text, 10, 100)


def _offset(name: str, text: str) -> Length:
    return measures.length(name, text, (-measures.MAX_SIDE_PX, measures.MAX_SIDE_PX), (-100, 100))


def _softness(name: str, text: str) -> Length:
    return measures.length(name, text, (0, 1000), (0, 100))


def _opacity(name: str, text: str) -> float:
    return measures.percentage(name, text) / 100


_SETTERS: Final[Mapping[str, Callable[[CutoutSpec, str], CutoutSpec]]] = {
    "format": lambda spec, text: replace(spec, format=choice("format", text, _FORMATS)),
    "channels": lambda spec, text: replace(spec, channels=choice("channels", text, _CHANNELS)),
    "size": lambda spec, text: replace(spec, size=choice("size", text, _SIZES)),
    "crop": lambda spec, text: replace(spec, crop=boolean("crop", text)),
    "bg_color": lambda spec, text: replace(spec, bg_color=color("bg_color", text)),
    "despill": lambda spec, text: replace(spec, despill=boolean("despill", text)),
    "semitransparency": lambda spec, text: replace(spec, semitransparency=boolean("semitransparency", text)),
    "depth": lambda spec, text: replace(spec, depth=choice("depth", text, _DEPTHS)),
    "profile": lambda spec, text: replace(spec, keep_profile=choice("profile", text, _PROFILES)),
    "metadata": _metadata,
    "frames": lambda spec, text: replace(spec, frames=choice("frames", text, _FRAMES)),
    "own_alpha": lambda spec, text: replace(spec, own_alpha=choice("own_alpha", text, _OWN_ALPHAS)),
    "on_empty": lambda spec, text: replace(spec, on_empty=choice("on_empty", text, _ON_EMPTY)),
    "roi": lambda spec, text: replace(spec, roi=measures.region("roi", text)),
    "crop_margin": lambda spec, text: replace(spec, crop_margin=measures.margins("crop_margin", text, 500, 50)),
    "scale": lambda spec, text: replace(spec, scale=_scale(text)),
    "position": lambda spec, text: replace(spec, position=measures.position("position", text)),
    "canvas": _canvas,
    "canvas_fit": _canvas_fit,
    "bg_fit": lambda spec, text: replace(spec, bg_fit=choice("bg_fit", text, _FITS)),
    "bg_blur": lambda spec, text: replace(spec, bg_blur=measures.percentage("bg_blur", text)),
    "shadow": _shadow,
    "shadow_offset_x": _part("shadow", "offset_x", _offset),
    "shadow_offset_y": _part("shadow", "offset_y", _offset),
    "shadow_blur": _part("shadow", "blur", _softness),
    "shadow_opacity": _part("shadow", "opacity", _opacity),
    "shadow_color": _part("shadow", "color", opaque_color),
    "stroke_width": _stroke,
    "stroke_color": _part("stroke", "color", opaque_color),
    "stroke_opacity": _part("stroke", "opacity", _opacity),
    "stroke_softness": _part("stroke", "softness", _softness),
}
"""The setters by option, applied in this order: first a shadow, then its blur."""
_NEEDS: Final = (
    {"crop_margin": "crop", "canvas_fit": "canvas"}
    | {name: "shadow" for name in _SETTERS if name.startswith("shadow_")}
    | {name: "stroke_width" for name in _SETTERS if name.startswith("stroke_") and name != "stroke_width"}
)
"""Options without effect unless another one is set."""
_MAX_CHARS: Final = 100
"""The longest value of an option; a longer one is refused before it is parsed."""
OPTIONS: Final = frozenset(_SETTERS)
"""The names of all options of ``POST /v2``."""


def parse_options(fields: Fields) -> CutoutSpec:
    """Parse the options among the fields of a request.

    Args:
        fields: The fields; others than options are ignored.

    Returns:
        The requested cutout.

    Raises:
        InvalidOptionError: An option has a wrong value, or no effect without another one.
    """
    spec = CutoutSpec()
    for name, setter in _SETTERS.items():
        if (raw := fields.raw(name)) is None:
            continue
        if name in _NEEDS and _NEEDS[name] not in fields:
            details = {"option": name, "needs": _NEEDS[name]}
            raise InvalidOptionError(f"{name} does nothing without {_NEEDS[name]}.", details)
        if len(raw) > _MAX_CHARS:
            raise InvalidOptionError(f"{name} is longer than any of its values.", {"option": name})
        spec = setter(spec, fields.text(name) or "")
    if spec.frames is Frames.ALL and not spec.is_moving:
        formats = [each.value for each in ImageFormat if each.can_move]
        raise InvalidOptionError(
            "frames=all needs a format that can move: png, webp or gif.", {"option": "frames", "formats": formats}
        )
    return spec


def refuse_unknown(fields: Fields, known: frozenset[str]) -> None:
    """Refuse fields that would have no effect.

    Args:
        fields: The fields of a request.
        known: The names of all fields that the route knows.

    Raises:
        InvalidOptionError: A field is unknown.
    """
    unknown = sorted(name[:40] for name in fields if name not in known)
    if unknown:
        details = {"unknown": unknown[:10], "known": sorted(known)}
        raise InvalidOptionError(f"Unknown field {unknown[0]!r}.", details)
