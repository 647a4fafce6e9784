"""One decoded picture to its subject: foreground colours and alpha at full size.

The model and the matting see the region of interest only; half transparent regions are filled, if asked, before
foreground colours are estimated (glass keeps the colours that are seen through it); everything outside the region is
background.
"""

from dataclasses import dataclass

import numpy as np

from cutout.imaging.arrays import Bytes
from cutout.imaging.clock import StageClock
from cutout.imaging.codecs.decode import Decoded
from cutout.imaging.matting.despill import despill
from cutout.imaging.matting.foreground import apply_own_alpha, estimate_foreground, over_white
from cutout.imaging.matting.grid import guide_of
from cutout.imaging.matting.postprocess import fill_semitransparent, threshold
from cutout.imaging.matting.refine import refine_alpha, stretch, uncertainty
from cutout.imaging.matting.region import paste_region, region_slices
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.spec import Channels, CutoutSpec, OwnAlpha


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a picture.

    Attributes:
        colours: Foreground colours, uint8 [H, W, 3].
        alpha: uint8 [H, W].
        visible: The picture as it is seen, over white, uint8 [H, W, 3]; where only its subject is wanted, the subject's
            colours may have been written over it.
        own_alpha_kept: Whether the file's own transparency was the mask.
        uncertainty: How undecided the model was, 0..1; None: no model ran.
    """

    colours: Bytes
    alpha: Bytes
    visible: Bytes
    own_alpha_kept: bool
    uncertainty: float | None


def isolate(decoded: Decoded, spec: CutoutSpec, segmenter: Segmenter, clock: StageClock) -> Subject:
    """Find the subject of a picture.

    Args:
        decoded: The picture.
        spec: Region, use of its own alpha, and which steps are asked for.
        segmenter: The model.
        clock: Measures the stages predict and refine.

    Returns:
        The subject.

    Raises:
        InvalidOptionError: The region lies partly outside the picture.
        ServiceUnavailableError: The model does not run.
    """
    own_alpha = None if spec.own_alpha is OwnAlpha.DISCARD else decoded.alpha
    keeps_own_alpha = own_alpha is not None and spec.own_alpha is OwnAlpha.KEEP
    size = (decoded.image.shape[0], decoded.image.shape[1])
    region = region_slices(spec.roi, size, (decoded.source_height, decoded.source_width))
    visible = over_white(decoded.image, own_alpha)
    photo = visible[region]
    coarse, guide = (None, photo) if keeps_own_alpha else _predict(photo, segmenter)
    clock.lap("predict")
    photo_is_needed = spec.bg_blur > 0 or spec.despill or spec.is_moving or decoded.deep is not None
    in_place = not photo_is_needed and own_alpha is None
    matte = _matte(photo, guide, coarse, spec, in_place=in_place)
    colours, alpha = paste_region(*matte, visible, region)
    colours, alpha = apply_own_alpha(colours, alpha, decoded.image, own_alpha)
    clock.lap("refine")
    undecided = None if coarse is None else uncertainty(coarse)
    return Subject(colours, alpha, visible, keeps_own_alpha, undecided)


def _predict(image: Bytes, segmenter: Segmenter) -> tuple[Bytes, Bytes]:
    """Give the model's alpha, stretched, and the picture that guides it to full size."""
    seen = segmenter.squash(image)
    return stretch(segmenter.alpha(seen)), guide_of(image, seen)


def _matte(
    image: Bytes, guide: Bytes, coarse: Bytes | None, spec: CutoutSpec, *, in_place: bool
) -> tuple[Bytes, Bytes]:
    """Compute colours and alpha at full size; without the model's alpha all is foreground.

    Colours are written over the photo if ``in_place``: where nothing but the subject is made of it.
    """
    if coarse is None:
        return image, np.full(image.shape[:2], 255, np.uint8)
    alpha = refine_alpha(image, coarse, guide)
    if not spec.semitransparency:
        alpha = fill_semitransparent(alpha)
    if spec.binary:
        alpha = threshold(alpha)
    if spec.channels is Channels.ALPHA:  # a mask has no use for colours
        return image, alpha
    colours = estimate_foreground(image, alpha, guide, in_place=in_place)
    return despill(colours, alpha, image) if spec.despill and not spec.is_flat else colours, alpha
