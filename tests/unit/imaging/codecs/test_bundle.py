from io import BytesIO
from zipfile import ZipFile

import numpy as np

from cutout.imaging.codecs.encode import encode
from cutout.imaging.matting.inpaint import extrapolate_colours
from cutout.imaging.spec import ImageFormat
from tests.unit.imaging.pictures import opened, photo, soft_disc, to_bytes

ALPHA = to_bytes(soft_disc(160, 120, 0.05))
COLOURS = to_bytes(photo("coffee.png", 160, 120))
CUTOUT = np.dstack([COLOURS * (ALPHA[..., None] > 0), ALPHA])


def unzipped(data: bytes) -> dict[str, np.ndarray]:
    with ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        pictures = {name: opened(archive.read(name)) for name in archive.namelist()}
    assert (pictures["color.jpg"].format, pictures["color.jpg"].mode) == ("JPEG", "RGB")
    assert (pictures["alpha.png"].format, pictures["alpha.png"].mode) == ("PNG", "L")
    return {name: np.asarray(picture) for name, picture in pictures.items()}


def test_colour_and_mask_put_together_are_the_cutout() -> None:
    files = unzipped(encode(CUTOUT, ImageFormat.ZIP))
    assert np.array_equal(files["alpha.png"], ALPHA)
    share = ALPHA[..., None] / 255
    for ground in (0, 255):
        made = files["color.jpg"] * share + ground * (1 - share)
        assert np.abs(made - (CUTOUT[..., :3] * share + ground * (1 - share))).mean() < 1.2


def test_no_black_and_no_old_background_waits_beyond_the_edge() -> None:
    flat = np.dstack([np.where(ALPHA[..., None] > 0, np.array([200, 90, 30]), 0).astype(np.uint8), ALPHA])
    whole = extrapolate_colours(flat)
    assert np.abs(whole.astype(int) - (200, 90, 30)).max() <= 4
    assert np.array_equal(whole[ALPHA > 0], flat[ALPHA > 0][:, :3])
    assert np.abs(unzipped(encode(flat, ImageFormat.ZIP))["color.jpg"].astype(int) - (200, 90, 30)).max() <= 5


def test_a_flattened_picture_has_a_white_mask() -> None:
    files = unzipped(encode(COLOURS, ImageFormat.ZIP))
    assert (files["alpha.png"] == 255).all()
    assert np.abs(files["color.jpg"].astype(int) - COLOURS).mean() < 4


def test_a_cutout_without_a_subject_is_grey_under_a_black_mask() -> None:
    files = unzipped(encode(np.zeros((5, 7, 4), np.uint8), ImageFormat.ZIP))
    assert not files["alpha.png"].any()
    assert (files["color.jpg"] == 128).all()


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert encode(CUTOUT, ImageFormat.ZIP) == encode(CUTOUT, ImageFormat.ZIP)
