"""Bounds of input and output, and the sizes that they leave. No numpy and no Pillow here."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum


class SizeName(StrEnum):
    """A named cap of the output size."""

    PREVIEW = "preview"
    MEDIUM = "medium"
    HD = "hd"
    FULL = "full"

    @property
    def max_mp(self) -> float:
        """The cap in megapixels (10**6 pixels)."""
        return {"preview": 0.25, "medium": 1.5, "hd": 4.0, "full": 50.0}[self.value]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of input and output. The defaults are those of the contract."""

    max_bytes: int = 30 * 1024 * 1024
    """Encoded image, bytes."""
    max_pixels: int = 50_000_000
    """Width times height of the input."""
    max_side_px: int = 65_535
    """Longer side of the input: the longest of a JPEG, so that shape does not matter below ``max_pixels``."""
    max_output_side_px: int = 6_000
    """Longer side of the output, applied before the megapixel cap."""
    max_output_mp: float = 50.0
    """Megapixels (10**6 pixels) of the output, whatever its size is called."""
    max_frames: int = 100
    """Frames of an animation, where all are wanted."""
    max_frames_px: int = 30_000_000
    """Frames times width times height of such an animation, of the input and of the output."""

    def within(self, other: "Limits") -> "Limits":
        """Combine two sets of limits.

        Args:
            other: The other set.

        Returns:
            The lower of both, bound by bound; those of animations are this set's own.
        """
        lower = Limits(*(min(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)))
        return replace(lower, max_frames=self.max_frames, max_frames_px=self.max_frames_px)

    @property
    def waited_for(self) -> "Limits":
        """The same for work that a client waits for: a third of an animation.

        A frame of ``cutout-s`` takes 0.3 s and 0.4 s a megapixel on 1.7 vCPU: 15 s of the gateway's 29.
        """
        return replace(self, max_frames=max(1, self.max_frames // 3), max_frames_px=max(1, self.max_frames_px // 3))


def fit_size(width: int, height: int, size: SizeName, limits: Limits) -> tuple[int, int]:
    """Reduce a size to the caps: the long side's first, then that of megapixels. Never enlarges.

    Args:
        width: Pixels.
        height: Pixels.
        size: The named cap.
        limits: The cap of the long side and of megapixels.

    Returns:
        Width and height, at least 1 pixel each.
    """
    scale = min(1.0, limits.max_output_side_px / max(width, height))
    fits = (max(1, round(width * scale)), max(1, round(height * scale)))
    cap = min(size.max_mp, limits.max_output_mp) * 1e6
    if fits[0] * fits[1] <= cap:
        return fits
    scale = (cap / (width * height)) ** 0.5
    # Truncated, so that the product stays under the cap; 1e-6 px absorbs the rounding of the scale itself.
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))
