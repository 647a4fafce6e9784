import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.api.body.fields import Fields
from cutout.api.colors import color
from cutout.api.options import OPTIONS, boolean, parse_options, refuse_unknown
from cutout.errors import InvalidOptionError
from cutout.imaging.spec import (
    Canvas,
    Channels,
    CutoutSpec,
    Fit,
    Frames,
    ImageFormat,
    Length,
    LengthUnit,
    Margins,
    OwnAlpha,
    Position,
    Region,
    Shadow,
    ShadowKind,
    SizeName,
    Stroke,
)


def test_without_fields_the_defaults_of_the_contract_hold():
    spec = CutoutSpec(ImageFormat.PNG, Channels.RGBA, SizeName.FULL, crop=False, bg_color=None, despill=False)
    assert parse_options(Fields()) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("png", "png"),
        ("jpg", "jpg"),
        ("JPEG", "jpg"),
        ("WebP", "webp"),
        ("bmp", "bmp"),
        ("tif", "tiff"),
        ("tiff", "tiff"),
    ]
    + [("gif", "gif"), ("ZIP", "zip"), (" png ", "png")],
)
def test_every_format_has_its_spellings(text, expected):
    assert parse_options(Fields([("format", text)])).format.value == expected


@pytest.mark.parametrize(("text", "mp"), [("preview", 0.25), ("medium", 1.5), ("hd", 4), ("full", 50), ("AUTO", 50)])
def test_every_size_name_has_its_cap(text, mp):
    assert parse_options(Fields([("size", text)])).size.max_mp == mp


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "Yes", "on"])
def test_spellings_of_true(text):
    assert boolean("crop", text) is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "NO", "off"])
def test_spellings_of_false(text):
    assert boolean("crop", text) is False


@pytest.mark.parametrize(
    ("text", "rgba"),
    [
        ("#ffffff", (255, 255, 255, 255)),
        ("FFFFFF", (255, 255, 255, 255)),
        ("fff", (255, 255, 255, 255)),
        ("#1a2B3c", (0x1A, 0x2B, 0x3C, 255)),
        ("#1a2b3c80", (0x1A, 0x2B, 0x3C, 0x80)),
        ("f008", (255, 0, 0, 0x88)),
        ("blue", (0, 0, 255, 255)),
        ("RebeccaPurple", (0x66, 0x33, 0x99, 255)),
        ("beige", (245, 245, 220, 255)),
        (" red ", (255, 0, 0, 255)),
        ("transparent", None),
        ("rgb(255, 0, 0)", (255, 0, 0, 255)),
        ("rgba(255, 0, 0, .5)", (255, 0, 0, 128)),
        ("rgb(255 0 0 / 50%)", (255, 0, 0, 128)),
        ("RGB(100%,0%,50%)", (255, 0, 128, 255)),
        ("rgb(none 300 -5)", (0, 255, 0, 255)),
        ("rgb(1e999 0 0)", (255, 0, 0, 255)),
        ("rgb(100% 128 50%)", (255, 128, 128, 255)),
        ("rgb(10 20% 30 / 50%)", (10, 51, 30, 128)),
        ("rgb(255 0 0 / none)", (255, 0, 0, 0)),
        ("oklch(100% 0 none / none)", (255, 255, 255, 0)),
        ("color(srgb 1 0 0 /none )", (255, 0, 0, 0)),
        ("hsl(120, 100%, 25%)", (0, 128, 0, 255)),
        ("hsla(0.5turn 100% 50% / .2)", (0, 255, 255, 51)),
        ("hsl(-30 50% 50%)", (191, 64, 128, 255)),
        ("hwb(120 20% 40%)", (51, 153, 51, 255)),
        ("hwb(10 70% 70%)", (128, 128, 128, 255)),
        ("lab(50% 40 59.5)", (191, 87, 0, 255)),
        ("lch(52.2% 72.2 50)", (205, 86, 26, 255)),
        ("oklab(59% 0.1 0.1)", (192, 93, 43, 255)),
        ("oklch(60% 0.15 50 / 1)", (196, 96, 22, 255)),
        ("color(srgb 0.1 0.2 0.3 / 0.5)", (26, 51, 76, 128)),
        ("color(srgb-linear .5 .5 .1)", (188, 188, 89, 255)),
        ("color(display-p3 0.8 0.3 0.2)", (221, 64, 37, 255)),
        ("color(rec2020 .4 .5 .3)", (74, 124, 57, 255)),
        ("color(a98-rgb .7 .5 .3)", (196, 129, 72, 255)),
        ("color(prophoto-rgb .4 .5 .3)", (107, 151, 83, 255)),
        ("color(xyz 0.4 0.2 0.1)", (248, 0, 83, 255)),
        ("color(xyz-d50 0.4 0.4 0.1)", (197, 165, 79, 255)),
    ],
)
def test_colours_are_those_of_css_or_hex_digits(text, rgba):
    assert color("bg_color", text) == rgba


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("format", "heic"),
        ("format", "image/png"),
        ("channels", "rgb"),
        ("size", "4k"),
        ("crop", "maybe"),
        ("despill", "2"),
        ("frames", "10"),
        ("depth", "12"),
        ("profile", "p3"),
        ("metadata", "gps"),
    ]
    + [
        ("bg_color", text)
        for text in (
            "#12",
            "#12345",
            "ggg",
            "#",
            "notacolour",
            "255,0,0",
            "##fff",
            "0xffffff",
            "\uff46ff",
            "rgb(1,2)",
            "rgb(1 2 3 4)",
        )
        + (
            "currentcolor",
            "canvas",
            "color-mix(in srgb, red, blue)",
            "rgb(1,2,3) x",
            "hsl(NaN 0 0)",
            "var(--x)",
            "inherit",
        )
    ],
)
def test_a_wrong_value_names_the_option(name, text):
    with pytest.raises(InvalidOptionError) as caught:
        parse_options(Fields([(name, text)]))
    assert caught.value.details["option"] == name
    assert caught.value.details["value"] == text


@pytest.mark.parametrize("image_format", ["jpg", "avif", "bmp", "tiff", "zip"])
def test_all_frames_need_a_format_that_can_move(image_format):
    with pytest.raises(InvalidOptionError, match="png, webp or gif") as caught:
        parse_options(Fields([("frames", "all"), ("format", image_format)]))
    assert caught.value.details == {"option": "frames", "formats": ["png", "webp", "gif"]}


def test_unknown_fields_are_named():
    with pytest.raises(InvalidOptionError) as caught:
        refuse_unknown(Fields([("crop", "1"), ("Colour", "red")]), OPTIONS)
    assert caught.value.details["unknown"] == ["colour"]


FUNCTIONS = ["rgb", "hsl", "hwb", "lab", "lch", "oklab", "oklch", "color(rec2020 1 1 1 / 1) ", "color"]


@given(
    st.text(max_size=20)
    | st.builds(
        "{}({} {} {})".format, st.sampled_from(FUNCTIONS), *[st.floats() | st.sampled_from(["none", "9e999%"])] * 3
    )
)
def test_any_text_is_a_colour_or_a_client_error(text):
    try:
        rgba = color("bg_color", text)
    except InvalidOptionError:
        return
    assert rgba is None or all(0 <= channel <= 255 for channel in rgba)


def test_an_endless_value_is_refused_unread():
    with pytest.raises(InvalidOptionError) as caught:
        parse_options(Fields([("size", b"\xff" * 10_000_000)]))
    assert caught.value.details == {"option": "size"}


def percent(value):
    return Length(value, LengthUnit.PERCENT)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"semitransparency": "no"}, CutoutSpec(semitransparency=False)),
        ({"own_alpha": "honour"}, CutoutSpec()),
        ({"own_alpha": "Keep"}, CutoutSpec(own_alpha=OwnAlpha.KEEP)),
        ({"frames": "ALL"}, CutoutSpec(frames=Frames.ALL)),
        ({"frames": "all", "format": "gif"}, CutoutSpec(ImageFormat.GIF, frames=Frames.ALL)),
        (
            {"frames": "all", "format": "jpg", "channels": "alpha"},
            CutoutSpec(ImageFormat.JPEG, Channels.ALPHA, frames=Frames.ALL),
        ),
        ({"frames": "first", "format": "jpg"}, CutoutSpec(ImageFormat.JPEG)),
        ({"depth": "16"}, CutoutSpec(depth=16)),
        ({"depth": "8", "profile": "srgb", "metadata": "none"}, CutoutSpec()),
        ({"profile": "Keep"}, CutoutSpec(keep_profile=True)),
        ({"metadata": "keep"}, CutoutSpec(keep_metadata=True)),
        ({"metadata": "keep_gps"}, CutoutSpec(keep_metadata=True, keep_gps=True)),
        ({"own_alpha": "discard"}, CutoutSpec(own_alpha=OwnAlpha.DISCARD)),
        ({"roi": "0 0 50% 90px"}, CutoutSpec(roi=Region(Length(0), Length(0), percent(50), Length(90)))),
        (
            {"crop": "1", "crop_margin": "5% 9px"},
            CutoutSpec(crop=True, crop_margin=Margins(percent(5), Length(9), percent(5), Length(9))),
        ),
        ({"scale": "80%"}, CutoutSpec(scale=80)),
        ({"scale": "original", "position": "original", "canvas": "original"}, CutoutSpec()),
        ({"position": "top-right"}, CutoutSpec(position=Position(100, 0))),
        ({"canvas": "1200x800"}, CutoutSpec(canvas=Canvas(1200, 800))),
        ({"canvas": "background", "canvas_fit": "cover"}, CutoutSpec(canvas=Canvas(fit=Fit.COVER))),
        ({"bg_fit": "fit", "bg_blur": "12.5"}, CutoutSpec(bg_fit=Fit.FIT, bg_blur=12.5)),
        ({"shadow": "drop"}, CutoutSpec(shadow=Shadow())),
        ({"shadow": "CAR", "shadow_opacity": "80"}, CutoutSpec(shadow=Shadow(ShadowKind.CONTACT, opacity=0.8))),
        ({"shadow": "none", "shadow_blur": "3"}, CutoutSpec()),
        (
            {
                "shadow_color": "#00f",
                "shadow_offset_x": "-4%",
                "shadow_offset_y": "7",
                "shadow_blur": "9",
                "shadow": "drop",
            },
            CutoutSpec(shadow=Shadow(offset_x=percent(-4), offset_y=Length(7), blur=Length(9), color=(0, 0, 255, 255))),
        ),
        ({"stroke_width": "6"}, CutoutSpec(stroke=Stroke(Length(6)))),
        ({"stroke_width": "0", "stroke_color": "red"}, CutoutSpec()),
        (
            {"stroke_softness": "2px", "stroke_opacity": "40", "stroke_color": "red", "stroke_width": "1%"},
            CutoutSpec(stroke=Stroke(percent(1), (255, 0, 0, 255), 0.4, Length(2))),
        ),
    ],
)
def test_compose_options_become_their_values(fields, expected):
    assert parse_options(Fields(fields.items())) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"semitransparency": "perhaps"},
        {"own_alpha": "true"},
        {"roi": "0 0 1"},
        {"crop": "1", "crop_margin": "60%"},
        {"scale": "9"},
        {"position": "middle"},
        {"canvas": "7000x10"},
        {"canvas": "10x10", "canvas_fit": "stretch"},
        {"bg_fit": "contain"},
        {"bg_blur": "101"},
        {"shadow": "3d"},
        {"shadow": "none", "shadow_opacity": "101"},
        {"shadow": "drop", "shadow_offset_x": "101%"},
        {"shadow": "drop", "shadow_blur": "-1"},
        {"shadow": "drop", "shadow_color": "nocolour"},
        {"stroke_width": "501"},
        {"stroke_width": "5", "stroke_softness": "-2"},
    ],
)
def test_a_wrong_value_of_a_compose_option_names_it(fields):
    with pytest.raises(InvalidOptionError) as caught:
        parse_options(Fields(fields.items()))
    name, value = list(fields.items())[-1]
    assert caught.value.details["option"] == name
    assert caught.value.details["value"] == value


@pytest.mark.parametrize(
    ("name", "needed"),
    [("crop_margin", "crop"), ("canvas_fit", "canvas"), ("shadow_blur", "shadow"), ("stroke_color", "stroke_width")],
)
def test_a_part_of_an_option_without_the_option_is_refused(name, needed):
    with pytest.raises(InvalidOptionError) as caught:
        parse_options(Fields([(name, "1")]))
    assert caught.value.details == {"option": name, "needs": needed}
