"""The values of the pipeline: what to make (:class:`CutoutSpec`), within which limits, and the result.

No numpy and no Pillow here, so that handlers which only parse requests start fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from cutout.imaging.encoded_file import EncodedFile
from cutout.imaging.geometry import Box, Canvas, Fit, Length, LengthUnit, Margins, Position, Region
from cutout.imaging.limits import Limits, SizeName, fit_size

__all__ = [
    "Box",
    "Canvas",
    "Channels",
    "CutoutResult",
    "CutoutSpec",
    "Fit",
    "Frames",
    "ImageFacts",
    "ImageFormat",
    "Length",
    "LengthUnit",
    "Limits",
    "Margins",
    "OnEmpty",
    "OwnAlpha",
    "Position",
    "Region",
    "Rgba",
    "Shadow",
    "ShadowKind",
    "SizeName",
    "Stroke",
    "fit_size",
]

Rgba = tuple[int, int, int, int]
"""Red, green, blue, alpha, each 0..255, straight (not premultiplied)."""


class ImageFormat(StrEnum):
    """An output format; the value is the canonical name of the option ``format``."""

    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    BMP = "bmp"
    TIFF = "tiff"
    GIF = "gif"
    AVIF = "avif"
    ZIP = "zip"
    """Not one picture but two: color.jpg (opaque) and alpha.png (gray)."""

    @property
    def media_type(self) -> str:
        """The registered media type (IANA)."""
        if self is ImageFormat.ZIP:
            return "application/zip"
        return "image/jpeg" if self is ImageFormat.JPEG else f"image/{self.value}"

    @property
    def max_side_px(self) -> int:
        """The longest side that the format can have (WebP: RFC 9649; JPEG: libjpeg; GIF and ZIP's JPEG alike)."""
        return {"webp": 16_383, "jpg": 65_500, "zip": 65_500, "gif": 65_535, "avif": 65_536}.get(self.value, 2**31 - 1)

    @property
    def keeps_alpha(self) -> bool:
        """Whether a cutout keeps its transparency in this format; the others are flattened."""
        return self in {ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF, ImageFormat.TIFF, ImageFormat.ZIP}

    @property
    def can_move(self) -> bool:
        """Whether answers of this format can be animations (PNG: as APNG)."""
        return self in {ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.GIF}


class Channels(StrEnum):
    """The content of the answer: the picture (``rgba``) or its one-channel mask (``alpha``)."""

    RGBA = "rgba"
    ALPHA = "alpha"


class Frames(StrEnum):
    """The frames of an animation that are cut out."""

    FIRST = "first"
    ALL = "all"


class ShadowKind(StrEnum):
    """A kind of shadow: DROP is the silhouette, moved and blurred; CONTACT lies on the ground, as under a car."""

    DROP = "drop"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow below the subject (and its stroke). Percent are of the subject's longer side."""

    kind: ShadowKind = ShadowKind.DROP
    offset_x: Length = field(default=Length(2.0, LengthUnit.PERCENT))
    offset_y: Length = field(default=Length(3.0, LengthUnit.PERCENT))
    """To the right and down; negative to the left and up. A contact shadow stays where the ground is."""
    blur: Length = field(default=Length(4.0, LengthUnit.PERCENT))
    """Twice the standard deviation of the Gaussian, as in CSS. A contact shadow is as soft as its ground is far."""
    opacity: float = 0.5
    """Of its darkest place, 0..1."""
    color: Rgba = (0, 0, 0, 255)


@dataclass(frozen=True, slots=True)
class Stroke:
    """An outline behind the subject, like the paper of a sticker. Percent are of the subject's longer side."""

    width: Length
    color: Rgba = (255, 255, 255, 255)
    opacity: float = 1.0
    """0..1; times the colour's own alpha."""
    softness: Length = field(default=Length())
    """Standard deviation, by which its outer edge is blurred; never below what makes it smooth."""


class OwnAlpha(StrEnum):
    """The use of a file's own transparency (an opaque file has none, whatever its mode)."""

    HONOUR = "honour"
    """The model sees the picture over white; nothing becomes more opaque than it was."""
    KEEP = "keep"
    """It is the mask; no model runs."""
    DISCARD = "discard"
    """The picture counts as opaque, in the colours of its hidden pixels."""


class OnEmpty(StrEnum):
    """The answer for an image in which nothing is found."""

    IMAGE = "image"
    """The picture all the same: empty, or its background alone."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CutoutSpec:
    """The description of one cutout, in no vendor's spelling. A background image is passed beside it."""

    format: ImageFormat = ImageFormat.PNG
    channels: Channels = Channels.RGBA
    size: SizeName = SizeName.FULL
    crop: bool = False
    """Crop to the bounds of alpha > 10 (of 255); for a mask to the bounds of mask > 0."""
    bg_color: Rgba | None = None
    """Flatten onto this colour; None keeps transparency where the format can."""
    despill: bool = False
    """Remove colour spill at soft edges (Lab, luminance kept); no effect on flattened output."""
    bg_fit: Fit = Fit.COVER
    """How a background image fills the canvas; around one that is only fitted, ``bg_color`` shows."""
    bg_blur: float = 0.0
    """0..100: blur the background image or, where there is none, keep the photo's own background and blur that."""
    roi: Region | None = None
    """Only pixels inside can be foreground."""
    crop_margin: Margins | None = None
    """Space around the subject; with ``crop`` only. At most half the subject or 500 px a side."""
    scale: float | None = None
    """Share of the canvas that the subject takes, percent; None leaves it as it is in the photo."""
    position: Position | None = None
    """None leaves the subject where it is in the photo; with ``scale``, the centre."""
    canvas: Canvas | None = None
    """None: as large as the photo or its crop."""
    shadow: Shadow | None = None
    stroke: Stroke | None = None
    mask_format: ImageFormat = ImageFormat.PNG
    """How a mask is encoded, gray in every format that can (WebP has none); not ZIP."""
    opaque_as_jpeg: bool = False
    """Encode as JPEG when no pixel is transparent, whatever ``format`` says."""
    semitransparency: bool = True
    """Keep regions that are half transparent, such as glass; else only edges stay soft."""
    binary: bool = False
    """No half tones: every pixel is subject or background, along a smooth outline."""
    own_alpha: OwnAlpha = OwnAlpha.HONOUR
    depth: int = 8
    """Bits a channel: 16 for a PNG or TIFF of an input that has as many; it stays in its own ICC profile."""
    keep_profile: bool = False
    """Answer in the input's own ICC profile, embedded, instead of sRGB; of CMYK and gray profiles nothing is kept."""
    keep_metadata: bool = False
    """Answer with the input's EXIF, without orientation, thumbnail and place."""
    keep_gps: bool = False
    """Keep the place too; with ``keep_metadata`` only."""
    on_empty: OnEmpty = OnEmpty.IMAGE
    frames: Frames = Frames.FIRST
    """Whether an animation is answered by an animation, in formats that can move; its frames have 8 bits."""

    @property
    def moving_format(self) -> ImageFormat:
        """The format of an animation: that of the mask or of the picture."""
        return self.mask_format if self.channels is Channels.ALPHA else self.format

    @property
    def is_moving(self) -> bool:
        """Whether an animation is answered by an animation."""
        return self.frames is Frames.ALL and self.moving_format.can_move

    @property
    def is_deep(self) -> bool:
        """Whether an answer of 16 bits is asked for, and can be."""
        is_able = self.format in {ImageFormat.PNG, ImageFormat.TIFF} and self.channels is Channels.RGBA
        return self.depth == 16 and is_able  # noqa: PLR2004

    @property
    def is_flat(self) -> bool:
        """Whether the picture has no transparency: it lies on an opaque colour, or its format keeps none."""
        return not self.format.keeps_alpha or (self.bg_color is not None and self.bg_color[3] == 255)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The facts about a cutout that stay known once it is stored."""

    media_type: str
    width: int
    """Pixels of the answer."""
    height: int
    source_width: int
    """Pixels of the input, upright."""
    source_height: int
    model: str
    stages_ms: Mapping[str, float]
    """Wall time of decode, predict, refine, compose, encode; without encode where that is done while it is read."""
    foreground: Box | None = None
    """Bounds of the subject (alpha > 64, of 255; or > 10 if all is fainter) in pixels of the answer; None: nothing."""
    frames: int = 1
    """Frames of an animation; 1 for a single picture."""

    def facts(self) -> dict[str, Any]:
        """Return these facts by name, for another value that has them."""
        return {each.name: getattr(self, each.name) for each in fields(ImageFacts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutResult(ImageFacts):
    """An encoded answer, and facts about it."""

    file: EncodedFile | bytes
    """The encoded file; an EncodedFile is encoded while it is read."""
    mask: bytes | None = None
    """The mask of the same size, an 8-bit gray PNG; only when it was asked for."""
    own_alpha_kept: bool = False
    """Whether the file's own transparency was the mask (OwnAlpha.KEEP)."""
    uncertainty: float | None = None
    """How undecided the model was, 0..1 (see ``refine.uncertainty``); None: no model ran, or the result was stored."""

    @property
    def data(self) -> bytes:
        """The whole file."""
        return self.file if isinstance(self.file, bytes) else self.file.whole
