"""Where things land, in numbers: a subject of 40 x 20 pixels at (30, 50) of a photo of 200 x 100."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout.imaging.compositing.layout import Layout, lay_out
from cutout.imaging.spec import (
    Box,
    Canvas,
    Channels,
    CutoutSpec,
    Fit,
    ImageFormat,
    Length,
    LengthUnit,
    Limits,
    Margins,
    Position,
    Shadow,
    ShadowKind,
    SizeName,
    Stroke,
)

SUBJECT = Box(30, 50, 40, 20)
ALPHA = np.zeros((100, 200), np.uint8)
ALPHA[50:70, 30:70] = 255


def percent(value: float) -> Length:
    return Length(value, LengthUnit.PERCENT)


def laid(spec: CutoutSpec, background: tuple[int, int] | None = None, limits: Limits | None = None) -> Layout:
    return lay_out(ALPHA, spec, limits or Limits(), background)


def even(margin: Length) -> Margins:
    return Margins(margin, margin, margin, margin)


def test_without_options_the_canvas_is_the_photo_and_everything_stays() -> None:
    whole = Box(0, 0, 200, 100)
    assert laid(CutoutSpec()) == Layout(200, 100, whole, whole, whole, SUBJECT)


def test_a_crop_is_the_subject_and_its_margins_in_pixels_or_in_percent_of_each_side() -> None:
    assert laid(CutoutSpec(crop=True)).subject == Box(0, 0, 40, 20)
    pixels = laid(CutoutSpec(crop=True, crop_margin=Margins(Length(1), Length(2), Length(3), Length(4))))
    assert (pixels.width, pixels.height, pixels.subject) == (46, 24, Box(4, 1, 40, 20))
    shares = laid(CutoutSpec(crop=True, crop_margin=even(percent(50))))
    assert (shares.width, shares.height, shares.subject) == (80, 40, Box(20, 10, 40, 20))


def test_margins_may_reach_beyond_the_photo() -> None:
    layout = laid(CutoutSpec(crop=True, crop_margin=even(Length(60))))
    assert (layout.width, layout.height, layout.subject) == (160, 140, Box(60, 60, 40, 20))
    assert layout.frame == Box(0, 0, 130, 100)


def test_margins_do_nothing_without_crop() -> None:
    assert laid(CutoutSpec(crop_margin=even(Length(60)))) == laid(CutoutSpec())


def test_margins_never_carry_an_answer_over_its_caps() -> None:
    wide = CutoutSpec(crop=True, crop_margin=even(Length(400)))
    layout = laid(wide, limits=Limits(max_output_side_px=420))
    assert (layout.width, layout.height) == (420, 410)
    assert layout.foreground == Box(200, 200, 20, 10)
    preview = laid(replace(wide, crop_margin=even(Length(500)), size=SizeName.PREVIEW))
    assert preview.width * preview.height <= 250_000


@pytest.mark.parametrize(
    ("scale", "position", "expected"),
    [
        (50, None, Box(50, 25, 100, 50)),
        (100, None, Box(0, 0, 200, 100)),
        (10, Position(0, 0), Box(0, 0, 20, 10)),
        (10, Position(100, 100), Box(180, 90, 20, 10)),
        (10, Position(25, 50), Box(45, 45, 20, 10)),
        (None, Position(), Box(80, 40, 40, 20)),
        (None, Position(0, 100), Box(0, 80, 40, 20)),
    ],
)
def test_scale_is_a_share_of_the_canvas_and_position_a_share_of_what_is_free(
    scale: float | None, position: Position | None, expected: Box
) -> None:
    layout = laid(CutoutSpec(scale=scale, position=position))
    assert (layout.width, layout.height) == (200, 100)
    assert layout.subject == layout.foreground == expected


def test_scale_leaves_room_for_the_stroke() -> None:
    layout = laid(CutoutSpec(scale=100, stroke=Stroke(Length(8))))
    assert layout.subject is not None
    assert layout.subject.left >= 8
    assert layout.subject.top >= 8
    assert min(layout.subject.left, layout.subject.top) <= 11


def test_a_crop_holds_stroke_and_shadow() -> None:
    stroked = laid(CutoutSpec(crop=True, stroke=Stroke(Length(8))))
    assert stroked.subject == Box(10, 10, 40, 20)
    shadow = Shadow(offset_x=Length(10), offset_y=Length(-6), blur=Length(8))
    shaded = laid(CutoutSpec(crop=True, shadow=shadow))
    assert (shaded.width, shaded.height, shaded.subject) == (40 + 18, 20 + 14 + 2, Box(0, 14, 40, 20))
    ground = laid(CutoutSpec(crop=True, shadow=Shadow(ShadowKind.CONTACT)))
    assert ground.subject is not None
    assert ground.subject.top == 0
    assert ground.height > 20
    assert ground.width > 40
    mask = laid(CutoutSpec(crop=True, stroke=Stroke(Length(8)), shadow=shadow, channels=Channels.ALPHA))
    assert mask.subject == Box(0, 0, 40, 20)


def test_a_canvas_shows_all_of_the_photo_or_is_filled_by_it() -> None:
    assert laid(CutoutSpec(canvas=Canvas(400, 400))).subject == Box(60, 200, 80, 40)
    assert laid(CutoutSpec(canvas=Canvas(400, 400, Fit.COVER))).subject == Box(-80, 200, 160, 80)
    assert laid(CutoutSpec(canvas=Canvas(400, 400, Fit.COVER))).foreground == Box(0, 200, 80, 80)


def test_a_canvas_takes_its_size_from_the_background_or_else_from_the_photo() -> None:
    assert laid(CutoutSpec(canvas=Canvas()), (300, 150)).subject == Box(45, 75, 60, 30)
    assert laid(CutoutSpec(canvas=Canvas(height=50)), (100, 150)).subject == Box(15, 25, 20, 10)
    assert laid(CutoutSpec(canvas=Canvas())) == laid(CutoutSpec())


def test_a_canvas_stays_within_the_caps() -> None:
    assert laid(CutoutSpec(canvas=Canvas(6000, 6000), size=SizeName.PREVIEW)).width == 500
    assert laid(CutoutSpec(canvas=Canvas(6000, 3000)), limits=Limits(max_output_side_px=600)).height == 300


def test_a_subject_that_is_pushed_off_the_canvas_has_no_foreground() -> None:
    alpha = np.zeros((100, 1000), np.uint8)
    alpha[:, :20] = 255
    layout = lay_out(alpha, CutoutSpec(canvas=Canvas(100, 100, Fit.COVER)), Limits())
    assert layout.subject == Box(-450, 0, 20, 100)
    assert layout.foreground is None


def test_nothing_visible_is_neither_cropped_nor_moved() -> None:
    spec = CutoutSpec(crop=True, scale=50, position=Position(0, 0), crop_margin=even(Length(5)))
    layout = lay_out(np.full_like(ALPHA, 10), spec, Limits())
    assert (layout.target, layout.subject, layout.foreground) == (Box(0, 0, 200, 100), None, None)


def test_faint_specks_do_not_move_the_subject() -> None:
    speckled = ALPHA.copy()
    speckled[0, 199] = 40
    spec = CutoutSpec(scale=50)
    assert lay_out(speckled, spec, Limits()).subject == laid(spec).subject


@pytest.mark.parametrize(("x", "y"), [(100, 100), (100, 0), (0, 100)])
def test_a_subject_smaller_than_a_pixel_stays_on_the_canvas(x: float, y: float) -> None:
    spec = CutoutSpec(scale=10, position=Position(x, y), canvas=Canvas(1, 1))
    layout = lay_out(np.full((1, 1), 255, np.uint8), spec, Limits())
    assert layout.subject == layout.target == Box(0, 0, 1, 1)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.builds(
        CutoutSpec,
        scale=st.none() | st.floats(10, 100),
        position=st.none() | st.builds(Position, st.floats(0, 100), st.floats(0, 100)),
        canvas=st.none() | st.builds(Canvas, st.integers(1, 90), st.integers(1, 90), st.sampled_from(Fit)),
        crop=st.booleans(),
    ),
    st.integers(0, 2**32 - 1),
)
def test_whatever_is_asked_a_scaled_subject_stays_on_the_canvas_and_keeps_its_aspect(
    size: tuple[int, int], spec: CutoutSpec, seed: int
) -> None:
    alpha = (np.random.default_rng(seed).random(size) ** 9 * 255).astype(np.uint8)
    layout = lay_out(alpha, spec, Limits())
    assert layout.width >= 1
    assert layout.height >= 1
    if spec.canvas is not None:
        assert (layout.width, layout.height) == (spec.canvas.width, spec.canvas.height)
    source, target = layout.source, layout.target
    scales = target.width / source.width, target.height / source.height
    assert abs(scales[0] - scales[1]) <= 1 / source.width + 1 / source.height + 1e-9
    if spec.scale is not None and layout.subject is not None:
        box = layout.subject
        assert box.left >= 0
        assert box.top >= 0
        assert box.left + box.width <= layout.width
        assert box.top + box.height <= layout.height


@pytest.mark.parametrize(
    ("image_format", "side"),
    [(ImageFormat.WEBP, 16_383), (ImageFormat.JPEG, 65_500), (ImageFormat.ZIP, 65_500), (ImageFormat.PNG, 65_535)],
)
def test_no_canvas_is_longer_than_its_format_can_be(image_format: ImageFormat, side: int) -> None:
    limits = Limits(max_output_side_px=100_000)
    layout = lay_out(np.full((2, 65_535), 255, np.uint8), CutoutSpec(format=image_format), limits)
    assert layout.width == side
