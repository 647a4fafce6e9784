"""remove.bg's parameters, each with its effect on the picture."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from cutout.api.body.fields import Fields
from cutout.api.dialects.removebg.options import parse_removal
from cutout.container import container
from cutout.imaging.spec import ShadowKind, SizeName
from tests.dialects.pictures import cat, encoded, opened, pixels, plain
from tests.dialects.removebg_client import PHOTO, SIDE, ask, made
from tests.dialects.shapes import success_of_removebg

pytestmark = pytest.mark.covers("options")


def order_of(**fields):
    return parse_removal(Fields({"image_file": b"x", **fields}.items()))


def bounds(alpha: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is firmly there."""
    rows, columns = np.nonzero(alpha > 64)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def half_blue(width: int, height: int) -> bytes:
    """Blue on the left, clear on the right."""
    picture = np.zeros((height, width, 4), np.uint8)
    picture[:, : width // 2] = (0, 0, 255, 255)
    return encoded(Image.fromarray(picture))


class TestSize:
    def test_a_size_caps_the_megapixels_and_never_enlarges(self, api):
        large = cat(1500, 1200, "JPEG")
        sizes = {name: made(api, image=large, size=name).shape[:2] for name in ("preview", "medium", "full")}
        assert sizes == {"preview": (447, 559), "medium": (1095, 1369), "full": (1200, 1500)}
        assert made(api, size="hd").shape[:2] == (SIDE, SIDE)

    @pytest.mark.parametrize(
        ("names", "ours", "max_mp"),
        [
            (("preview", "small", "regular"), SizeName.PREVIEW, 25),
            (("medium",), SizeName.MEDIUM, 25),
            (("hd",), SizeName.HD, 25),
            (("full", "4k", "4K", "auto"), SizeName.FULL, 25),
            (("50MP", "50mp"), SizeName.FULL, 50),
        ],
    )
    def test_every_name_has_its_cap_and_a_png_10_megapixels(self, names, ours, max_mp):
        for name in names:
            order = order_of(size=name, format="jpg")
            assert (order.spec.size, order.limits.max_output_mp) == (ours, max_mp)
            assert order_of(size=name, format="png").limits.max_output_mp == 10
        assert order_of().spec.size is SizeName.PREVIEW

    @pytest.mark.parametrize(
        ("fields", "max_mp"),
        [
            ({}, 10),
            ({"bg_color": "fff"}, 25),
            ({"bg_color": "fff8"}, 10),
            ({"bg_image_url": "http://example.com/"}, 25),
            ({"format": "webp"}, 25),
            ({"format": "zip"}, 25),
            ({"channels": "alpha"}, 10),
            ({"channels": "alpha", "bg_color": "fff"}, 10),
            ({"channels": "alpha", "format": "jpg"}, 25),
        ],
    )
    def test_the_cap_of_png_holds_where_the_answer_will_be_one(self, fields, max_mp):
        assert order_of(size="full", **fields).limits.max_output_mp == max_mp

    def test_a_picture_above_10_megapixels_is_smaller_as_png_than_as_jpg(self, api):
        large = cat(4_200, 2_500, "JPEG", quality=60)
        answer = ask(api, image=large, size="full", format="png")
        assert int(answer.headers["x-width"]) * int(answer.headers["x-height"]) <= 10_000_000
        assert (answer.headers["x-max-width"], answer.headers["x-max-height"]) == ("4098", "2439")
        assert ask(api, image=large, size="full", format="jpg").headers["x-width"] == "4200"


class TestFormat:
    @pytest.mark.parametrize(
        ("fields", "kind", "mode"),
        [
            ({}, "PNG", "RGBA"),
            ({"format": "auto", "bg_color": "lime"}, "JPEG", "RGB"),
            ({"format": "auto", "bg_color": "0f08"}, "PNG", "RGBA"),
            ({"format": "png", "bg_color": "lime"}, "PNG", "RGB"),
            ({"format": "jpg"}, "JPEG", "RGB"),
            ({"format": "WEBP"}, "WEBP", "RGBA"),
            ({"channels": "alpha"}, "PNG", "L"),
            ({"channels": "alpha", "bg_color": "lime"}, "PNG", "L"),
            ({"channels": "alpha", "format": "jpg"}, "JPEG", "L"),
            ({"channels": "alpha", "format": "zip"}, "PNG", "L"),
        ],
    )
    def test_a_format_and_the_channels_decide_the_file(self, api, fields, kind, mode):
        answer = ask(api, **fields)
        success_of_removebg(answer)
        picture = opened(answer.content)
        assert (picture.format, picture.mode, picture.size) == (kind, mode, (SIDE, SIDE))

    def test_auto_looks_at_what_the_background_left_transparent(self, api):
        assert ask(api, background=plain(10, 10)).headers["content-type"] == "image/jpeg"
        assert ask(api, background=half_blue(SIDE, SIDE)).headers["content-type"] == "image/png"

    def test_jpg_lies_on_white_and_the_mask_is_the_alpha(self, api):
        cutout = made(api)
        assert made(api, format="jpg")[5, 5].min() > 250
        assert np.array_equal(made(api, channels="alpha"), cutout[..., 3])

    def test_a_zip_is_colour_and_matte(self, api):
        answer = ask(api, format="zip", bg_color="lime")
        success_of_removebg(answer)
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert pixels(archive.read("alpha.png")).min() == 255
        assert pixels(archive.read("color.jpg"))[5, 5].tolist() == pytest.approx([0, 255, 0], abs=4)


class TestRegion:
    @pytest.mark.parametrize("roi", ["0 0 100% 100%", "0% 0% 100% 100%", "0px 0px 160px 160px", "100% 100% 0% 0%", ""])
    def test_the_whole_picture_is_the_default_however_it_is_written(self, api, roi):
        assert np.array_equal(made(api, roi=roi), made(api))

    @pytest.mark.parametrize("roi", ["0% 0% 50% 100%", "0px 0px 80px 160px", "0 0 50% 160px"])
    def test_nothing_outside_can_be_foreground(self, api, roi):
        alpha = made(api, roi=roi)[..., 3]
        assert alpha[:, 80:].max() == 0
        assert alpha[:, :80].max() == 255


class TestCrop:
    def test_a_crop_is_as_large_as_what_is_seen_and_margins_come_around_it(self, api):
        box = {}
        for name, margin in {
            "none": "",
            "px": "7px",
            "percent": "10%",
            "two": "4px 6px",
            "four": "1px 2px 3px 4px",
        }.items():
            box[name] = made(api, crop="true", crop_margin=margin).shape[:2]
        height, width = box["none"]
        assert height < SIDE
        assert box["px"] == (height + 14, width + 14)
        assert box["percent"] == pytest.approx((height * 1.2, width * 1.2), abs=2)
        assert box["two"] == (height + 8, width + 12)
        assert box["four"] == (height + 4, width + 6)

    def test_a_margin_without_a_crop_does_nothing(self, api):
        assert np.array_equal(made(api, crop_margin="30px"), made(api))
        assert np.array_equal(made(api, crop="false", crop_margin="30px"), made(api))

    def test_a_crop_tells_its_own_frame(self, api):
        headers = ask(api, image=cat(180, 120), crop="1", crop_margin="9px").headers
        assert int(headers["x-foreground-left"]) >= 9
        assert int(headers["x-foreground-left"]) + int(headers["x-foreground-width"]) <= int(headers["x-width"]) - 9


class TestPlace:
    @pytest.mark.parametrize("scale", ["50%", "50", "80%"])
    def test_a_scale_makes_the_subject_that_large_and_puts_it_into_the_middle(self, api, scale):
        left, top, width, height = placed(api, scale=scale)
        assert max(width, height) == pytest.approx(SIDE * float(scale.rstrip("%")) / 100, abs=1)
        assert left + width / 2 == pytest.approx(SIDE / 2, abs=1)
        assert top + height / 2 == pytest.approx(SIDE / 2, abs=1)

    @pytest.mark.parametrize(("position", "place"), [("0%", (0, 0)), ("100% 0%", (1, 0)), ("center", (0.5, 0.5))])
    def test_a_position_puts_it_there(self, api, position, place):
        left, top, width, height = placed(api, scale="42%", position=position)  # whose middle is a whole pixel
        assert left == pytest.approx(place[0] * (SIDE - width), abs=1)
        assert top == pytest.approx(place[1] * (SIDE - height), abs=1)

    def test_original_leaves_it_where_it_is(self, api):
        assert np.array_equal(made(api, scale="original", position="original"), made(api))


def placed(api, **fields) -> tuple[int, int, int, int]:
    """Left, top, width and height of the box that is told; what lies in it is what lay in the photo's."""
    boxes, inside = [], []
    for answer in (ask(api), ask(api, **fields)):
        success_of_removebg(answer)
        box = tuple(int(answer.headers[f"x-foreground-{name}"]) for name in ("left", "top", "width", "height"))
        left, top, width, height = box
        alpha = opened(answer.content).getchannel("A").crop((left, top, left + width, top + height))
        boxes.append(box)
        inside.append(np.asarray(alpha.resize((32, 32), Image.Resampling.BOX)).astype(int))
    assert np.abs(inside[0] - inside[1]).mean() < 5.5  # a box one pixel wider at a soft edge moves the rest by as much
    return boxes[1]


class TestBackground:
    @pytest.mark.parametrize(
        ("text", "colour"),
        [
            ("81d4fa", (0x81, 0xD4, 0xFA)), ("#81d4fa", (0x81, 0xD4, 0xFA)), ("f0c", (255, 0, 204)),
            ("green", (0, 128, 0)), ("81d4fa77", (0x81, 0xD4, 0xFA, 0x77)), ("f0c8", (255, 0, 204, 0x88)),
        ],
    )  # fmt: skip
    def test_a_colour_lies_behind(self, api, text, colour):
        picture = made(api, bg_color=text, format="png")
        assert tuple(picture[5, 5]) == colour
        assert np.abs(picture[100, 80, :3] - PHOTO[100, 80]).max() <= 2

    def test_an_image_covers_the_canvas_from_its_middle(self, api):
        wide = np.zeros((40, 120, 3), np.uint8)
        wide[:, :40], wide[:, 40:80], wide[:, 80:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
        picture = made(api, background=encoded(Image.fromarray(wide)), format="png")
        assert tuple(picture[5, 5]) == tuple(picture[5, 155]) == (0, 255, 0)  # the outer thirds are cut off

    def test_an_image_of_the_same_size_is_left_as_it_is(self, api):
        noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        picture, alpha = made(api, background=encoded(Image.fromarray(noise)), format="png"), made(api)[..., 3]
        assert np.array_equal(picture[alpha == 0], noise[alpha == 0])

    def test_an_image_comes_from_a_url_too(self, api, file_server, monkeypatch):
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        container.cache_clear()
        (file_server.folder / "navy.png").write_bytes(plain(10, 10))
        assert tuple(made(api, bg_image_url=f"{file_server.url}/navy.png", format="png")[5, 5]) == (0, 0, 128)


class TestShadow:
    @pytest.mark.parametrize(
        ("fields", "kind"),
        [
            ({}, None),
            ({"shadow_type": "none"}, None),
            ({"shadow_type": "drop"}, ShadowKind.DROP),
            ({"shadow_type": "car"}, ShadowKind.CONTACT),
            ({"shadow_type": "3D"}, ShadowKind.CONTACT),
            ({"shadow_type": "auto"}, ShadowKind.DROP),
            ({"shadow_type": "auto", "type": "product"}, ShadowKind.CONTACT),
            ({"shadow_type": "auto", "type": "person"}, ShadowKind.DROP),
            ({"shadow_type[car]": "3D"}, None),
            ({"shadow_type[car]": "3D", "type": "car"}, ShadowKind.CONTACT),
            ({"shadow_type": "drop", "shadow_type[car]": "none", "type": "car"}, None),
            ({"shadow_type": "drop", "shadow_type[car]": "none", "type": "person"}, ShadowKind.DROP),
            ({"shadow_type[graphic]": "drop", "type": "graphics"}, ShadowKind.DROP),
            ({"add_shadow": "true"}, ShadowKind.CONTACT),
            ({"add_shadow": "true", "type": "car"}, ShadowKind.CONTACT),
            ({"add_shadow": "true", "type": "person"}, None),
            ({"add_shadow": "true", "shadow_type": "none"}, None),
            ({"add_shadow": "false"}, None),
        ],
    )
    def test_a_shadow_is_the_one_that_is_meant_for_this_type(self, fields, kind):
        shadow = order_of(**fields).spec.shadow
        assert (shadow and shadow.kind) == kind

    @pytest.mark.parametrize(
        ("fields", "opacity"),
        [
            ({}, 0.5),
            ({"shadow_opacity": "auto"}, 0.5),
            ({"shadow_opacity": "80"}, 0.8),
            ({"shadow_opacity": "0"}, 0),
            ({"shadow_opacity": "80", "shadow_opacity[car]": "20"}, 0.2),
            ({"shadow_opacity": "80", "shadow_opacity[car]": "auto"}, 0.5),
            ({"shadow_opacity": "80", "shadow_opacity[person]": "20"}, 0.8),
        ],
    )
    def test_an_opacity_is_the_one_that_is_meant_for_this_type(self, fields, opacity):
        shadow = order_of(type="car", shadow_type="car", **fields).spec.shadow
        assert shadow is not None
        assert shadow.opacity == opacity

    @pytest.mark.parametrize("kind", ["drop", "car"])
    def test_a_shadow_is_seen_where_the_subject_is_not_and_is_as_dark_as_wanted(self, api, kind):
        options = {"scale": "50%", "format": "png"}
        bare, light, dark = (
            made(api, **options, **more)[..., 3]
            for more in (
                {},
                {"shadow_type": kind, "shadow_opacity": "20"},
                {"shadow_type": kind, "shadow_opacity": "90"},
            )
        )
        beside = bare == 0
        assert np.array_equal(light[bare == 255], bare[bare == 255])
        assert 0 < light[beside].max() <= 0.2 * 255 + 1
        assert dark[beside].max() > 0.4 * 255
        assert dark[beside].sum() > 3 * light[beside].sum()

    def test_a_shadow_on_the_ground_is_below_and_a_drop_shadow_all_along(self, api):
        bare = made(api, scale="50%")[..., 3]
        drop, ground = (made(api, scale="50%", shadow_type=kind)[..., 3] - bare for kind in ("drop", "3D"))
        _, top, _, bottom = bounds(bare)
        half = (top + bottom) // 2
        assert drop[top:half].sum() > 0
        assert ground[top:half].sum() < 0.05 * ground[half:].sum()


class TestSemitransparency:
    def test_without_it_only_edges_stay_soft(self, api):
        soft, solid = (made(api, semitransparency=value)[..., 3] for value in ("true", "false"))
        assert np.array_equal(soft, made(api)[..., 3])
        assert ((soft > 40) & (soft < 215)).sum() > ((solid > 40) & (solid < 215)).sum()


class TestType:
    @pytest.mark.parametrize(
        ("said", "coarse", "fine"),
        [
            ("auto", "other", "other"),
            ("person", "person", "person"),
            ("product", "product", "product"),
            ("car", "car", "car"),
            ("animal", "animal", "animal"),
            ("graphic", "other", "graphics"),
            ("graphics", "other", "graphics"),
            ("transportation", "other", "transportation"),
            ("car_interior", "car", "car_interior"),
            ("car_part", "car", "car_part"),
            ("other", "other", "other"),
        ],
    )
    def test_what_a_client_says_is_told_as_finely_as_it_wants(self, said, coarse, fine):
        told = {
            level: order_of(type=said, type_level=level).notes["type"] for level in ("", "1", "2", "latest", "none")
        }
        assert told == {"": coarse, "1": coarse, "2": fine, "latest": fine, "none": ""}

    def test_the_header_is_left_out_for_the_level_none(self, api):
        assert ask(api, type="car", type_level="2").headers["x-type"] == "car"
        assert "x-type" not in ask(api, type="car", type_level="none").headers


def test_what_is_empty_or_unknown_changes_nothing(api):
    empty = dict.fromkeys(["size", "roi", "crop", "scale", "bg_color", "shadow_type", "type_level", "image_url"], "")
    assert np.array_equal(made(api, **empty, shadow_method="ignore", from_a_later_version="1"), made(api))
