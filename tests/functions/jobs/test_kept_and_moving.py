"""Options of POST /v2 that keep more of a file than its first frame in 8-bit sRGB: what comes back and is charged."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import numpy as np
import pytest
from PIL import Image

from cutout.container import container
from cutout.imaging.codecs.loaders.png_chunks import read_png
from tests.functions.jobs.asking import PHOTO, SYNTHETIC_KEY, A, Answer, ask, images_charged, messages
from tests.support.builders import multipart
from tests.support.moving_pictures import SIZE, frames_of, moving_cat
from tests.unit.imaging.codecs.test_colour import DISPLAY_P3, SRGB_CURVE
from tests.unit.imaging.pictures import icc_profile, png16

PROFILE = icc_profile(b"RGB ", SRGB_CURVE, DISPLAY_P3)


def remove(image: bytes, options: dict[str, str] | None = None, **headers: Any) -> Answer:
    body, media_type = multipart(options or {}, {"image_file": ("picture", image, "application/octet-stream")})
    return ask("POST", "/v2", body, media_type=media_type, **headers)


def month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")


@pytest.mark.parametrize(("source", "answered"), [("GIF", "webp"), ("WEBP", "png"), ("PNG", "gif"), ("AVIF", "webp")])
def test_every_frame_comes_back_and_ten_are_charged_as_one_image(source: str, answered: str) -> None:
    image = moving_cat(12, source, **({"quality": 95} if source == "AVIF" else {}))
    answer = remove(image, {"frames": "all", "format": answered})
    assert (answer.status, answer.headers["content-type"]) == (200, f"image/{answered}")
    assert answer.headers["x-image-frames"] == "12"
    made = frames_of(answer.body)
    assert [(frame.size, duration) for frame, duration in made] == [(SIZE, 80)] * 12
    assert all(frame.getextrema()[3][0] < 128 for frame, _ in made), "something is cut out of every frame"
    if answered == "gif":
        assert set(np.unique(np.asarray(made[3][0])[..., 3])) == {0, 255}
    usage = container().usage.total(A, month())
    assert (usage.images, usage.pixels) == (2, 12 * SIZE[0] * SIZE[1])
    assert (usage.bytes_in, usage.bytes_out) == (len(image), len(answer.body))


@pytest.mark.parametrize(("frames", "images"), [(2, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_frames_are_charged_by_tens_begun(frames: int, images: int) -> None:
    assert remove(moving_cat(frames), {"frames": "all", "size": "preview"}).status == 200
    assert images_charged() == images


def test_how_many_frames_are_one_image_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOUT_FRAMES_PER_IMAGE", "2")
    container.cache_clear()
    assert remove(moving_cat(5), {"frames": "all"}).status == 200
    assert images_charged() == 3


@pytest.mark.parametrize("options", [{}, {"frames": "first"}])
def test_without_the_option_a_moving_picture_is_its_first_frame_and_one_image(options: dict[str, str]) -> None:
    answer = remove(moving_cat(12), options)
    assert (answer.status, "x-image-frames" in answer.headers) == (200, False)
    assert len(frames_of(answer.body)) == 1
    usage = container().usage.total(A, month())
    assert (usage.images, usage.pixels) == (1, SIZE[0] * SIZE[1])


def test_a_photo_among_animations_is_answered_as_ever() -> None:
    plain, all_frames = remove(PHOTO, {"format": "webp"}), remove(PHOTO, {"format": "webp", "frames": "all"})
    assert plain.body == all_frames.body
    assert "x-image-frames" not in all_frames.headers
    assert images_charged() == 2


def test_a_synthetic_key_is_not_charged_for_frames_either() -> None:
    assert remove(moving_cat(12), {"frames": "all"}, key=SYNTHETIC_KEY).status == 200
    assert images_charged() == 0


@pytest.mark.parametrize(("limit", "value"), [("CUTOUT_MAX_FRAMES", 36), ("CUTOUT_MAX_FRAMES_PX", 36 * 90 * 60)])
def test_too_long_to_be_waited_for_is_a_413_that_names_both_limits_and_the_way_out(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limit, str(value))
    container.cache_clear()
    assert remove(moving_cat(12), {"frames": "all"}).status == 200
    answer = remove(moving_cat(13), {"frames": "all"})
    assert answer.code == (413, "animation_too_large")
    error = answer.json["error"]
    limits = container().settings.limits
    for named in (limits.waited_for.max_frames, limits.max_frames):
        assert f"{named} frames" in error["message"]
    for pixels in (limits.waited_for.max_frames_px, limits.max_frames_px):
        assert f"{pixels / 1e6:g} megapixels" in error["message"]
    assert "Prefer: respond-async" in error["message"]
    assert error["details"]["max_frames"] == limits.waited_for.max_frames
    assert images_charged() == 2, "of the one that was made"


def test_more_frames_than_usual_are_a_setting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOUT_MAX_FRAMES", "108")
    container.cache_clear()
    assert remove(moving_cat(36), {"frames": "all", "size": "preview"}).headers["x-image-frames"] == "36"
    assert remove(moving_cat(37), {"frames": "all"}).code == (413, "animation_too_large")


def test_a_format_that_cannot_move_is_a_400_that_names_those_that_can() -> None:
    answer = remove(moving_cat(3), {"frames": "all", "format": "jpg"})
    assert answer.code == (400, "invalid_option")
    assert answer.json["error"]["details"]["formats"] == ["png", "webp", "gif"]
    assert images_charged() == 0


def test_a_damaged_frame_is_a_400_and_costs_nothing() -> None:
    answer = remove(moving_cat(5, "WEBP")[:-200], {"frames": "all"})
    assert answer.code == (400, "invalid_image")
    assert images_charged() == 0


def test_an_animation_under_a_key_is_made_and_charged_once_and_replayed_with_its_facts() -> None:
    first, again = (remove(moving_cat(11), {"frames": "all"}, idempotency_key="moving") for _ in range(2))
    assert first.body == again.body
    assert first.headers["x-image-frames"] == again.headers["x-image-frames"] == "11"
    assert again.headers["idempotency-replayed"] == "true"
    assert images_charged() == 2


def test_an_animation_that_was_uploaded_before_moves_too() -> None:
    upload = ask("POST", "/v2/uploads", {"content_type": "image/gif"}).json
    bucket = container().settings.uploads_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=upload["fields"]["key"], Body=moving_cat(3))
    body = {"upload_id": upload["upload_id"], "frames": "all", "format": "webp"}
    answer = ask("POST", "/v2", body, accept="image/*")
    assert (answer.status, len(frames_of(answer.body))) == (200, 3)


def test_a_job_remembers_what_is_to_be_kept() -> None:
    wanted = {"frames": "all", "format": "png", "depth": 16, "profile": "keep", "metadata": "keep_gps"}
    deferred = remove(moving_cat(3), {name: str(value) for name, value in wanted.items()}, prefer="respond-async")
    ordered = ask("POST", "/v2/jobs", {**wanted, "image_url": "https://example.com/a.gif"})
    assert deferred.status == ordered.status == 202
    for answer in (deferred, ordered):
        shown = answer.json["options"]
        assert {name: shown[name] for name in wanted} == wanted
        assert not {"keep_profile", "keep_metadata", "keep_gps"} & shown.keys()
        spec = container().jobs.find(answer.json["id"]).options.spec
        assert (spec.depth, spec.keep_profile, spec.keep_metadata, spec.keep_gps) == (16, True, True, True)
        assert spec.is_moving
    assert set(messages()) == {deferred.json["id"], ordered.json["id"]}


# -- all bits, the own profile, metadata ----------------------------------------------------------------------------

with Image.open(BytesIO(PHOTO)) as opened_photo:
    DEEP_PHOTO = np.asarray(opened_photo.convert("RGB")).astype(np.uint16) * 257


@pytest.mark.parametrize(("depth", "bits"), [("16", 16), ("8", 8), (None, 8)])
def test_depth(depth: str | None, bits: int) -> None:
    answer = remove(png16(DEEP_PHOTO), {"depth": depth} if depth else {})
    assert answer.status == 200
    assert read_png(answer.body).bit_depth == bits
    assert images_charged() == 1


def test_depth_may_be_a_number_in_json() -> None:
    upload = ask("POST", "/v2/uploads", {"content_type": "image/png"}).json
    bucket = container().settings.uploads_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=upload["fields"]["key"], Body=png16(DEEP_PHOTO))
    answer = ask("POST", "/v2", {"upload_id": upload["upload_id"], "depth": 16}, accept="image/*")
    assert read_png(answer.body).bit_depth == 16


def photo_with(**options: Any) -> bytes:
    with Image.open(BytesIO(PHOTO)) as picture:
        buffer = BytesIO()
        picture.resize((90, 60)).save(buffer, "JPEG", **options)
        return buffer.getvalue()


@pytest.mark.parametrize("answered", ["png", "jpg", "webp", "tiff", "avif"])
@pytest.mark.parametrize("profile", ["keep", "srgb"])
def test_profile(answered: str, profile: str) -> None:
    answer = remove(photo_with(icc_profile=PROFILE), {"profile": profile, "format": answered})
    with Image.open(BytesIO(answer.body)) as made:
        assert made.info.get("icc_profile") == (PROFILE if profile == "keep" else None)


@pytest.mark.parametrize("metadata", ["none", "keep", "keep_gps"])
def test_metadata(metadata: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "maker", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    answer = remove(photo_with(exif=exif), {"metadata": metadata})
    with Image.open(BytesIO(answer.body)) as made:
        assert made.size == (60, 90), "upright, whatever is kept"
        kept = made.getexif()
        assert kept.get(0x010F) == (None if metadata == "none" else "maker")
        assert 0x0112 not in kept
        assert bool(kept.get_ifd(0x8825)) is (metadata == "keep_gps")


@pytest.mark.parametrize(
    ("option", "value"), [("frames", "2"), ("depth", "32"), ("profile", "true"), ("metadata", "all")]
)
def test_a_wrong_value_names_the_option_and_what_it_takes(option: str, value: str) -> None:
    answer = remove(PHOTO, {option: value})
    assert answer.code == (400, "invalid_option")
    details = json.loads(answer.body)["error"]["details"]
    assert (details["option"], details["value"]) == (option, value)
    assert len(details["allowed"]) >= 2
    assert images_charged() == 0
