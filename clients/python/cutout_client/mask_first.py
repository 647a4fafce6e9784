"""Mask-first: a small JPEG goes up, its mask comes back, and the cutout is composed here at full size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageOps

from cutout_client.composition import cut_out
from cutout_client.images import ImageInput, Picture, read_image
from cutout_client.options import to_fields
from cutout_client.results import Result

PREVIEW_PX = 1024
"""Longest side of what is sent; models see no more."""
OPTIONS = frozenset({"format", "bg_color", "semitransparency"})
"""Options that are composed here."""
_PREVIEW: Mapping[str, Any] = {"format": "JPEG", "quality": 85, "subsampling": 0, "optimize": True}
_WRITERS: Mapping[str, Mapping[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 1},
    "webp": {"format": "WEBP", "quality": 92, "alpha_quality": 100, "method": 2},
    "tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "jpg": {"format": "JPEG", "quality": 92, "subsampling": 0},
}
_ALIASES = {"jpeg": "jpg", "tif": "tiff"}


@dataclass(frozen=True)
class Plan:
    """What is sent, and what is kept for the composition.

    Attributes:
        preview: JPEG that is sent.
        options: Options that are sent.
        photo: The upright photo, RGB or RGBA.
        small: The preview's pixels before they became a JPEG.
        image_format: Output format.
        color: Background colour as red, green, blue, alpha; None for transparency.
    """

    preview: bytes
    options: dict[str, Any]
    photo: Image.Image
    small: Image.Image
    image_format: str
    color: tuple[int, int, int, int] | None


def plan(image: ImageInput, background: ImageInput | None, options: Mapping[str, Any]) -> Plan:
    """Decode a photo and make the preview of it.

    Raises:
        OSError: It cannot be read or decoded.
        TypeError: It is behind a URL, or an option is not composed here.
    """
    fields = check(background, options)
    image_format = _format(fields)
    source = read_image(image)
    if not isinstance(source, Picture):
        raise TypeError("mask_first needs the image itself, not a reference to it")
    photo = _upright(source.data)
    small = photo.copy()
    small.thumbnail((PREVIEW_PX, PREVIEW_PX), Image.Resampling.LANCZOS)
    kept = {name: value for name, value in fields.items() if name == "semitransparency"}
    sent = {**kept, "channels": "alpha"}
    return Plan(_jpeg(small), sent, photo, small.convert("RGB"), image_format, _color(fields.get("bg_color")))


def check(background: ImageInput | None, options: Mapping[str, Any]) -> dict[str, str]:
    """Return options as text. Raises TypeError for what is not composed here."""
    fields = to_fields(options)
    unknown = sorted(set(fields) - OPTIONS)
    if unknown or background is not None:
        name = unknown[0] if unknown else "background"
        raise TypeError(f"{name} does not go with mask_first, which takes {', '.join(sorted(OPTIONS))}")
    if _format(fields) not in _WRITERS:
        raise TypeError(f"mask_first writes {', '.join(_WRITERS)}, not {_format(fields)}")
    return fields


def _format(fields: Mapping[str, str]) -> str:
    name = fields.get("format", "png").lower()
    return _ALIASES.get(name, name)


def compose(plan: Plan, mask: Result) -> Result:
    """Return the cutout of a plan's photo by the mask of its preview."""
    small = np.asarray(plan.small)
    coarse = np.asarray(mask.mask.resize(plan.small.size, Image.Resampling.BILINEAR))
    photo = np.asarray(plan.photo.convert("RGB"))
    colours, alpha = cut_out(photo, small, coarse)
    if plan.photo.mode == "RGBA":
        alpha = np.minimum(alpha, np.asarray(plan.photo.getchannel("A")))
    picture = Image.fromarray(np.dstack([colours, alpha]))
    if plan.color is not None or plan.image_format == "jpg":
        ground = Image.new("RGBA", picture.size, plan.color or (255, 255, 255, 255))
        picture = Image.alpha_composite(ground, picture)
    if plan.image_format == "jpg":
        picture = picture.convert("RGB")
    buffer = BytesIO()
    profile = plan.photo.info.get("icc_profile")
    picture.save(buffer, icc_profile=profile, **_WRITERS[plan.image_format])
    media_type = f"image/{'jpeg' if plan.image_format == 'jpg' else plan.image_format}"
    width, height = picture.size
    return replace(mask, content=buffer.getvalue(), media_type=media_type, width=width, height=height)


def _upright(data: bytes) -> Image.Image:
    """An encoded photo as RGB or RGBA, turned as its EXIF says, with the colour profile of its pixels."""
    with Image.open(BytesIO(data)) as file:
        photo = ImageOps.exif_transpose(file)
        profile = file.info.get("icc_profile") if file.mode in {"RGB", "RGBA"} else None
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    photo.info.pop("exif", None)
    photo.info["icc_profile"] = profile
    return photo


def _jpeg(small: Image.Image) -> bytes:
    """The preview; what is transparent is white in it."""
    flat = small
    if small.mode == "RGBA":
        flat = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    buffer = BytesIO()
    flat.save(buffer, icc_profile=small.info.get("icc_profile"), **_PREVIEW)
    return buffer.getvalue()


def _color(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None or text.strip().lower() == "transparent":
        return None
    try:
        red, green, blue, alpha = ImageColor.getcolor(text, "RGBA")  # type: ignore[misc]
    except ValueError:
        try:
            red, green, blue, alpha = ImageColor.getcolor(f"#{text}", "RGBA")  # type: ignore[misc]
        except ValueError as error:
            raise TypeError(f"bg_color must be a CSS colour name or hex digits, not {text!r}") from error
    return red, green, blue, alpha
