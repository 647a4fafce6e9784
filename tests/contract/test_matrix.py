"""Every way to send a picture, with every output format and option: the running service with the default model."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image, ImageFilter

from local import ROOT
from tests.conftest import FileServer
from tests.support.local_service import Service

SIZE = (360, 240)
"""Small, so that the whole table takes little time, and wider than high, so that a wrong turn shows."""
LARGE = (720, 480)
"""Above the preview's 0.25 megapixels."""
JPEG_TOLERANCE = 3
"""Levels (of 255) by which quality 92 may miss a plain area that lies away from the subject's edge."""


def encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Chelsea the cat (CC0)."""
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as image:
        return image.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


@pytest.fixture(scope="module")
def photo(picture: Image.Image) -> bytes:
    return encoded(picture, "JPEG", quality=95)


@pytest.fixture(scope="module")
def photos(picture: Image.Image, photo: bytes) -> Mapping[str, bytes]:
    """The photo to send with each option: for the preview one that has to be made smaller."""
    return dict.fromkeys(OPTIONS, photo) | {"preview": encoded(picture.resize(LARGE), "JPEG", quality=95)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of either form, with the picture in it."""

    media_type: str
    document: Mapping[str, object] | None
    data: bytes
    image: Image.Image


@dataclass(frozen=True, slots=True)
class Cutter:
    """Sends photos to the service."""

    client: httpx.Client
    files: FileServer

    def post(self, **request: object) -> Answer:
        response = self.client.post("/v2", **request)
        assert response.status_code == 200, response.text
        media_type = response.headers["content-type"]
        document, data = None, response.content
        if media_type == "application/json":
            document = response.json()
            data = base64.b64decode(document["mask" if "mask" in document else "image"], validate=True)
        with Image.open(BytesIO(data)) as image:
            image.load()
            return Answer(media_type, document, data, image)

    def url_of(self, photo: bytes) -> str:
        (self.files.folder / "photo").write_bytes(photo)
        return f"{self.files.url}/photo"


@pytest.fixture(scope="module")
def cutter(service: Service, file_server: FileServer) -> Iterator[Cutter]:
    with httpx.Client(base_url=service.url, headers={"x-api-key": service.key}, timeout=60) as client:
        yield Cutter(client, file_server)


def text(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


def form(fields: Mapping[str, str]) -> dict[str, object]:
    """Fields as form-data, although none of them is a file."""
    return {"files": {name: (None, value) for name, value in fields.items()}}


Send = Callable[[Cutter, bytes, Mapping[str, str]], Answer]

BYTES: Mapping[str, Send] = {
    "multipart file": lambda cutter, photo, options: cutter.post(files={"image_file": photo}, data=options),
    "multipart url": lambda cutter, photo, options: cutter.post(**form({"image_url": cutter.url_of(photo), **options})),
    "multipart base64": lambda cutter, photo, options: cutter.post(**form({"image_base64": text(photo), **options})),
    "multipart file b64": lambda cutter, photo, options: cutter.post(
        **form({"image_file_b64": text(photo), **options})
    ),
    "urlencoded": lambda cutter, photo, options: cutter.post(data={"image_base64": text(photo), **options}),
    "json url": lambda cutter, photo, options: cutter.post(json={"image_url": cutter.url_of(photo), **options}),
    "raw body": lambda cutter, photo, options: cutter.post(content=photo, params=options),
}
"""Input kinds that are answered by the image's own bytes."""
JSON: Mapping[str, Send] = {
    "json base64": lambda cutter, photo, options: cutter.post(json={"image_base64": text(photo), **options}),
    "json data url": lambda cutter, photo, options: cutter.post(
        json={"image_base64": f"data:image/jpeg;base64,{text(photo)}", **options}
    ),
}
"""Input kinds that are answered by JSON."""
LEGACY: Send = lambda cutter, photo, options: cutter.post(json={"image": text(photo), **options})  # noqa: E731
EVERY = {**BYTES, **JSON}

# Option to Pillow's name of the answer's format, its mode and its media type.
FORMATS = {
    "png": ("PNG", "RGBA", "image/png"),
    "jpg": ("JPEG", "RGB", "image/jpeg"),
    "webp": ("WEBP", "RGBA", "image/webp"),
    "bmp": ("BMP", "RGB", "image/bmp"),
    "tiff": ("TIFF", "RGBA", "image/tiff"),
    "gif": ("GIF", "P", "image/gif"),
}


@pytest.fixture(scope="module")
def cutout(cutter: Cutter, photo: bytes) -> np.ndarray:
    """The plain RGBA cutout [H, W, 4], which all others are compared with."""
    pixels = np.array(BYTES["multipart file"](cutter, photo, {}).image)
    assert pixels.shape == (SIZE[1], SIZE[0], 4)
    alpha = pixels[..., 3]
    assert (alpha == 0).mean() > 0.05, "the model leaves nothing out, so comparisons would show nothing"
    assert (alpha > 250).mean() > 0.05, "the model finds no subject, so comparisons would show nothing"
    return pixels


def bounds(plane: np.ndarray) -> tuple[int, int]:
    """Width and height of the box around what is True."""
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    return int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def check_media(kind: str, answer: Answer, media_type: str, options: Mapping[str, str]) -> None:
    """The form of the answer fits the form of the request."""
    if kind in BYTES and not (kind.startswith("json") and options.get("channels") == "alpha"):
        assert (answer.media_type, answer.document) == (media_type, None)
        return
    assert answer.media_type == "application/json"
    assert answer.document is not None
    size = {"width": answer.image.width, "height": answer.image.height, "foreground": "found"}
    if options.get("channels") == "alpha":
        assert answer.document == {"mask": text(answer.data), **size}
    else:
        wanted = options.get("format") or "png"
        assert answer.document == {"image": text(answer.data), **size, "format": wanted, "channels": "rgba"}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", EVERY)
def test_every_input_gives_every_format_in_the_photos_size(cutter, photo, cutout, kind, name):
    options = {"format": name}
    answer = EVERY[kind](cutter, photo, options)
    pillow_name, mode, media_type = FORMATS[name]
    assert (answer.image.format, answer.image.mode, answer.image.size) == (pillow_name, mode, SIZE)
    check_media(kind, answer, media_type, options)
    if mode == "RGBA":
        assert np.array_equal(np.array(answer.image)[..., 3], cutout[..., 3])


OPTIONS = {
    "alpha": {"channels": "alpha"},
    "alpha, format ignored": {"channels": "alpha", "format": "jpg"},
    "preview": {"size": "preview"},
    "medium": {"size": "medium"},
    "crop": {"crop": "yes"},
    "cropped mask": {"crop": "1", "channels": "alpha"},
    "colour": {"bg_color": "red"},
    "colour, webp": {"bg_color": "#F00", "format": "webp"},
    "despill": {"despill": "true"},
    "nothing": {"format": "", "size": "", "crop": "", "bg_color": "", "despill": "", "channels": ""},
}


def preview(width: int, height: int) -> tuple[int, int]:
    """The largest size of at most 0.25 megapixels."""
    scale = min(1, (250_000 / (width * height)) ** 0.5)
    return int(width * scale), int(height * scale)


def expected(options: Mapping[str, str], alpha: np.ndarray) -> tuple[str, str, tuple[int, int]]:
    """Format, mode and size of the answer to these options, by the contract."""
    size = preview(*LARGE) if options.get("size") == "preview" else SIZE
    if options.get("crop"):
        size = bounds(alpha > (0 if options.get("channels") == "alpha" else 10))
    if options.get("channels") == "alpha":
        return "PNG", "L", size
    return (options.get("format") or "png").upper(), "RGB" if options.get("bg_color") else "RGBA", size


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", EVERY)
def test_every_input_takes_every_option(cutter, photos, cutout, kind, option):
    options = OPTIONS[option]
    answer = EVERY[kind](cutter, photos[option], options)
    assert (answer.image.format, answer.image.mode, answer.image.size) == expected(options, cutout[..., 3])
    check_media(kind, answer, "image/webp" if options.get("format") == "webp" else "image/png", options)


@pytest.mark.parametrize("name", ["preview", "medium", "hd", "full", "auto"])
def test_no_size_enlarges(cutter, photo, name):
    assert BYTES["multipart file"](cutter, photo, {"size": name}).image.size == SIZE


@pytest.mark.parametrize(("alias", "name"), [("jpeg", "JPEG"), ("tif", "TIFF"), ("PNG", "PNG")])
def test_formats_have_aliases_in_any_case(cutter, photo, alias, name):
    assert BYTES["multipart file"](cutter, photo, {"FORMAT": alias}).image.format == name


@pytest.mark.parametrize("option", OPTIONS)
def test_the_legacy_field_always_gives_a_mask(cutter, photos, cutout, option):
    options = {**OPTIONS[option], "channels": "alpha"}
    answer = LEGACY(cutter, photos[option], OPTIONS[option])
    assert (answer.image.format, answer.image.mode, answer.image.size) == expected(options, cutout[..., 3])
    size = {"width": answer.image.width, "height": answer.image.height}
    assert answer.document == {"mask": text(answer.data), **size, "foreground": "found"}


def test_the_mask_is_the_alpha_of_the_cutout(cutter, photo, cutout):
    masks = [BYTES["multipart file"](cutter, photo, {"channels": "alpha"}), LEGACY(cutter, photo, {})]
    for mask in masks:
        assert np.array_equal(np.array(mask.image), cutout[..., 3])


def test_a_crop_is_that_part_of_the_cutout(cutter, photo, cutout):
    cropped = np.array(BYTES["multipart file"](cutter, photo, {"crop": "true"}).image)
    seen = cutout[..., 3] > 10
    top, left = np.flatnonzero(seen.any(axis=1))[0], np.flatnonzero(seen.any(axis=0))[0]
    assert np.array_equal(cropped, cutout[top : top + cropped.shape[0], left : left + cropped.shape[1]])


def test_despill_changes_colours_only(cutter, photo, cutout):
    despilled = np.array(BYTES["multipart file"](cutter, photo, {"despill": "true"}).image)
    assert np.array_equal(despilled[..., 3], cutout[..., 3])


@pytest.mark.parametrize("options", [{"bg_color": "blue"}, {"format": "bmp"}])
def test_despill_does_nothing_to_a_flattened_answer(cutter, photo, options):
    plain, despilled = (
        BYTES["multipart file"](cutter, photo, {**options, "despill": despill}) for despill in ("no", "yes")
    )
    assert plain.data == despilled.data


@pytest.mark.parametrize(("name", "tolerance"), [("jpg", JPEG_TOLERANCE), ("bmp", 0), ("gif", 0)])
def test_formats_without_alpha_are_white_behind_the_subject(cutter, photo, cutout, name, tolerance):
    flat = np.array(BYTES["multipart file"](cutter, photo, {"format": name}).image.convert("RGB"))
    behind = flat[away_from_the_subject(cutout)].astype(int)
    assert np.abs(behind - 255).max() <= tolerance


@pytest.mark.parametrize("name", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_a_background_colour_is_behind_the_subject(cutter, photo, cutout, name):
    options = {"format": name, "bg_color": "#1e90ff"}
    flat = np.array(BYTES["multipart file"](cutter, photo, options).image.convert("RGB"))
    behind = flat[away_from_the_subject(cutout)].astype(int)
    tolerance = {"jpg": JPEG_TOLERANCE, "webp": JPEG_TOLERANCE}.get(name, 0)
    assert np.abs(behind - (0x1E, 0x90, 0xFF)).max() <= tolerance


def away_from_the_subject(cutout: np.ndarray) -> np.ndarray:
    """Where nothing of the subject is within 16 px, a block of JPEG's or WebP's; there must be some such place."""
    near = Image.fromarray(np.where(cutout[..., 3] > 0, 255, 0).astype(np.uint8)).filter(ImageFilter.MaxFilter(33))
    away = np.array(near) == 0
    assert away.mean() > 0.02
    return away


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_answer_is_upright_for_every_orientation(cutter, picture, cutout, orientation):
    stored = picture if orientation == 1 else picture.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = encoded(stored, "JPEG", quality=95, exif=exif)
    answer = BYTES["multipart file"](cutter, photo, {}).image
    assert answer.size == SIZE
    assert answer.getexif().get(0x0112, 1) == 1
    turned = np.array(answer).astype(int)
    assert np.abs(turned[..., 3] - cutout[..., 3]).mean() < 4
    inside = (turned[..., 3] > 250) & (cutout[..., 3] > 250)
    assert np.abs(turned[inside][:, :3] - cutout[inside][:, :3]).mean() < 4


# How a camera stores an upright picture under an EXIF orientation (the inverse of what a viewer does).
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_file_format_is_read(cutter, picture, cutout, file_format):
    photo = encoded(picture.quantize(256) if file_format == "GIF" else picture, file_format)
    answer = BYTES["raw body"](cutter, photo, {}).image
    assert (answer.mode, answer.size) == ("RGBA", SIZE)
    alpha = np.array(answer)[..., 3].astype(int)
    assert np.abs(alpha - cutout[..., 3]).mean() < 8


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [("L", "PNG"), ("L", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("LA", "PNG")],
)
def test_every_colour_mode_is_read(cutter, picture, mode, file_format):
    if mode == "I;16":
        stored = Image.fromarray(np.array(picture.convert("L")).astype(np.uint16) * 257)
    else:
        stored = picture.convert(mode)
    answer = BYTES["multipart file"](cutter, encoded(stored, file_format), {})
    assert (answer.image.mode, answer.image.size) == ("RGBA", SIZE)


def test_what_was_transparent_stays_transparent(cutter, picture, cutout):
    own = Image.new("L", SIZE, 255)
    own.paste(0, (0, 0, SIZE[0] // 2, SIZE[1]))
    stored = picture.copy()
    stored.putalpha(own)
    answer = np.array(BYTES["multipart file"](cutter, encoded(stored, "PNG"), {}).image)
    assert answer[:, : SIZE[0] // 2, 3].max() == 0
    assert answer[..., 3].max() > 250


def test_the_first_frame_of_an_animation_is_taken(cutter, picture, cutout):
    frames = [picture.quantize(256), Image.new("P", SIZE)]
    photo = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    alpha = np.array(BYTES["multipart file"](cutter, photo, {}).image)[..., 3].astype(int)
    assert np.abs(alpha - cutout[..., 3]).mean() < 8


def test_json_url_answers_by_json_when_asked_for_it_alone(cutter, photo):
    accept = {"accept": "application/json"}
    response = cutter.client.post("/v2", headers=accept, json={"image_url": cutter.url_of(photo)})
    assert response.headers["content-type"] == "application/json"
    assert json.loads(response.content).keys() == {"image", "width", "height", "format", "channels", "foreground"}
