"""The parameters of remove.bg: their names, values and defaults, parsed as a removal request.

Empty values count as absent and unknown parameters are ignored, because real clients send both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cutout.api import measures
from cutout.api.body.fields import Fields
from cutout.api.dialects.base import RemovalRequest
from cutout.api.dialects.removebg.problems import MAX_BYTES
from cutout.api.options import boolean, choice, parse_options
from cutout.api.sources import InputKind, Source, find_source
from cutout.errors import ImageUrlFetchFailedError, InvalidOptionError, MultipleSourcesError
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat, Limits, OnEmpty
from cutout.outbound.urls import parse_url

SOURCES: Final = {
    "image_file": InputKind.BYTES,
    "image_file_b64": InputKind.BASE64,
    "image_url": InputKind.URL,
}
_BACKGROUNDS: Final = {"bg_image_file": InputKind.BYTES, "bg_image_url": InputKind.URL}
LIMITS: Final = Limits(max_bytes=MAX_BYTES, max_pixels=50_000_000)


@dataclass(frozen=True, slots=True)
class _Size:
    """A size of the answer.

    Attributes:
        ours: The name in our options.
        max_mp: The most megapixels of the answer.
        credits_: The original's price.
    """

    ours: str
    max_mp: float = 25.0
    credits_: str = "1"


_PREVIEW: Final = _Size("preview", credits_="0.25")
_SIZES: Final = {
    **dict.fromkeys(("preview", "small", "regular"), _PREVIEW),
    "medium": _Size("medium"),
    "hd": _Size("hd"),
    **dict.fromkeys(("full", "4k", "auto"), _Size("full")),
    "50mp": _Size("full", max_mp=50.0),
}
_MAX_PNG_MP: Final = 10.0
_FORMATS: Final = {"auto": "png", "png": "png", "jpg": "jpg", "webp": "webp", "zip": "zip"}
_AS_THEY_ARE: Final = ("channels", "roi", "crop_margin", "scale", "position", "bg_color", "semitransparency")
"""Options with the same names and values in our contract."""

_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "auto": ("other", "other"),
    "person": ("person", "person"),
    "product": ("product", "product"),
    "animal": ("animal", "animal"),
    "car": ("car", "car"),
    "car_interior": ("car", "car_interior"),
    "car_part": ("car", "car_part"),
    "transportation": ("other", "transportation"),
    "graphic": ("other", "graphics"),
    "graphics": ("other", "graphics"),
    "other": ("other", "other"),
}
"""By the requested type of the foreground: the coarse and the fine value of X-Type. The type is not detected."""
_LEVELS: Final = {"none": None, "1": 0, "2": 1, "latest": 1}
_SHADOWS: Final = {"none": "none", "drop": "drop", "car": "contact", "3d": "contact", "auto": "auto"}
_ON_GROUND: Final = frozenset({"product", "animal", "car", "transportation"})
"""Types whose automatic shadow is on the ground; other subjects may touch the edge, and have a shadow behind them."""


def parse_removal(fields: Fields) -> RemovalRequest:
    """Parse a removal request.

    Args:
        fields: The fields of the body.

    Returns:
        The request, with an empty ``reply``. Its notes are ``type`` (of the foreground; empty: not reported) and
        ``credits``.

    Raises:
        ClientFaultError: A source or an option is missing or wrong.
    """
    source, background = parse_source(fields), _background(fields)
    kind = choice("type", fields.text("type") or "auto", _TYPES)
    level = choice("type_level", fields.text("type_level") or "1", _LEVELS)
    size = choice("size", fields.text("size") or "preview", _SIZES)
    spec = _spec(fields, size, kind[1])
    max_mp = min(size.max_mp, _MAX_PNG_MP) if _is_png(spec, background) else size.max_mp
    limits = replace(LIMITS, max_output_mp=max_mp)
    notes = {"type": "" if level is None else kind[level], "credits": size.credits_}
    return RemovalRequest(spec, source, "", background=background, limits=limits, notes=notes)


def _is_png(spec: CutoutSpec, background: Source | None) -> bool:
    """Predict whether the answer is a PNG."""
    if spec.channels is Channels.ALPHA:
        return spec.mask_format is ImageFormat.PNG
    opaque = spec.is_flat or background is not None
    return spec.format is ImageFormat.PNG and not (spec.opaque_as_jpeg and opaque)


def parse_source(fields: Fields) -> Source:
    """Find the source of the image.

    Args:
        fields: The fields of the body.

    Returns:
        The source.

    Raises:
        MissingImageError: There is no source.
        MultipleSourcesError: There are two different sources.
        InvalidOptionError: The URL is malformed.
    """
    return _checked(find_source(fields, SOURCES))


def _background(fields: Fields) -> Source | None:
    given = [name for name in ("bg_color", *_BACKGROUNDS) if name in fields]
    if len(given) > 1:
        raise MultipleSourcesError("Send one background only.", {"image": "background", "fields": given})
    return _checked(find_source(fields, _BACKGROUNDS)) if _BACKGROUNDS.keys() & set(given) else None


def _checked(source: Source) -> Source:
    if source.kind is InputKind.URL:
        try:
            parse_url(str(source.value).strip())
        except ImageUrlFetchFailedError as error:
            raise InvalidOptionError(error.message, {"option": source.name}) from error
    return source


def _spec(fields: Fields, size: _Size, kind: str) -> CutoutSpec:
    format_name = fields.text("format") or "auto"
    options: dict[str, str | bytes] = {
        "size": size.ours,
        "format": choice("format", format_name, _FORMATS),
        "crop": fields.text("crop") or "false",
        **_shadow(fields, kind),
    }
    options |= {name: value for name, value in fields.items() if name in _AS_THEY_ARE}
    spec = parse_options(Fields(options.items()))
    mask_format = ImageFormat.PNG if spec.format is ImageFormat.ZIP else spec.format
    opaque_as_jpeg = format_name.strip().lower() == "auto"
    return replace(spec, mask_format=mask_format, opaque_as_jpeg=opaque_as_jpeg, on_empty=OnEmpty.ERROR)


def _shadow(fields: Fields, kind: str) -> Mapping[str, str]:
    """Parse ``shadow_type`` and ``shadow_opacity``, each for all types or, as ``shadow_type[car]``, for one."""
    old = boolean("add_shadow", fields.text("add_shadow") or "false") and kind in {"car", "other"}
    shadow = _of_type(fields, "shadow_type", kind, _shadow_type) or _SHADOWS["car" if old else "none"]
    if shadow == "auto":
        shadow = "contact" if kind in _ON_GROUND else "drop"
    opacity = _of_type(fields, "shadow_opacity", kind, _opacity)
    return {"shadow": shadow} | ({} if opacity in {None, "auto"} else {"shadow_opacity": str(opacity)})


def _shadow_type(name: str, text: str) -> str:
    return choice(name, text, _SHADOWS)


def _opacity(name: str, text: str) -> str:
    word = text.strip().lower()
    return word if word == "auto" else f"{measures.percentage(name, word):g}"


def _of_type(fields: Fields, name: str, kind: str, read: Callable[[str, str], str]) -> str | None:
    """Parse the value for this type of foreground, or else for all types; values for other types are checked too."""
    values = {}
    for field in fields:
        if field.startswith(f"{name}["):
            key = choice(name, field.removeprefix(f"{name}[").removesuffix("]"), _TYPES)
            values[key[1]] = read(name, fields.text(field) or "")
    for_all = fields.text(name)
    return values.get(kind, None if for_all is None else read(name, for_all))
