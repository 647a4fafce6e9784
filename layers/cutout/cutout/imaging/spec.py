"""What is wanted (:class:`CutoutSpec`), within which limits, and what came out (:class:`CutoutResult`).

Values only: no numpy and no Pillow here, so that handlers which merely parse requests stay light.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Rgba = tuple[int, int, int, int]
"""Red, green, blue, alpha, each 0..255, straight (not premultiplied)."""


class ImageFormat(StrEnum):
    """Output formats; the value is the canonical name of the option ``format``."""

    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    BMP = "bmp"
    TIFF = "tiff"
    GIF = "gif"

    @property
    def media_type(self) -> str:
        """The registered media type (IANA)."""
        return "image/jpeg" if self is ImageFormat.JPEG else f"image/{self.value}"

    @property
    def keeps_alpha(self) -> bool:
        """Whether a cutout keeps its transparency in this format; the others are flattened."""
        return self in {ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.TIFF}


class Channels(StrEnum):
    """What the answer holds: the picture (``rgba``) or its one-channel mask (``alpha``)."""

    RGBA = "rgba"
    ALPHA = "alpha"


class SizeName(StrEnum):
    """Named caps of the output size."""

    PREVIEW = "preview"
    MEDIUM = "medium"
    HD = "hd"
    FULL = "full"

    @property
    def max_mp(self) -> float:
        """Cap in megapixels (10**6 pixels)."""
        return {"preview": 0.25, "medium": 1.5, "hd": 4.0, "full": 50.0}[self.value]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is decoded and made. The defaults are those of the contract."""

    max_bytes: int = 30 * 1024 * 1024
    """Encoded image, bytes."""
    max_pixels: int = 50_000_000
    """Width times height of the input."""
    max_side_px: int = 16_384
    """Longer side of the input."""
    max_output_side_px: int = 6_000
    """Longer side of the output, applied before the megapixel cap."""


@dataclass(frozen=True, slots=True)
class CutoutSpec:
    """One wanted cutout, free of any vendor's spelling."""

    format: ImageFormat = ImageFormat.PNG
    channels: Channels = Channels.RGBA
    size: SizeName = SizeName.FULL
    crop: bool = False
    """Crop to the bounds of alpha > 10 (of 255); for a mask to the bounds of mask > 0."""
    bg_color: Rgba | None = None
    """Flatten onto this colour; None keeps transparency where the format can."""
    despill: bool = False
    """Remove colour spill at soft edges (Lab, luminance kept); no effect on flattened output."""

    @property
    def is_flat(self) -> bool:
        """Whether the picture has no transparency: it lies on a solid colour, or its format keeps none."""
        return not self.format.keeps_alpha or (self.bg_color is not None and self.bg_color[3] == 255)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class CutoutResult:
    """An encoded answer and the facts about it."""

    data: bytes
    media_type: str
    width: int
    """Pixels of the answer."""
    height: int
    source_width: int
    """Pixels of the input, upright."""
    source_height: int
    model: str
    stages_ms: Mapping[str, float]
    """Wall time of decode, predict, refine, compose, encode."""
