"""Samples: what is pasted is what the alpha says, and nothing of the validation side is ever drawn."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training import backgrounds, compose, shards
from training.metrics import erode, iou, score

SIZE = 96


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def disc(colour: str = "red", side: int = 60) -> compose.Subject:
    alpha = Image.new("L", (side, side), 0)
    ImageDraw.Draw(alpha).ellipse((4, 4, side - 5, side - 5), fill=255)
    return compose.Subject(Image.new("RGB", (side, side), colour), alpha)


@pytest.mark.parametrize("make", backgrounds.EMPTIES)
def test_a_background_has_the_size_asked_for(make, rng):
    picture = make(rng, SIZE)
    assert (picture.mode, picture.size) == ("RGB", (SIZE, SIZE))


def test_the_scene_changes_only_under_the_alpha_and_the_shadow(rng):
    for _ in range(20):
        scene = Image.new("RGB", (SIZE, SIZE), (200, 210, 220))
        composite, alpha = compose.add(rng, scene, Image.new("L", scene.size, 0), disc())
        outside = np.asarray(alpha) == 0
        before, after = np.asarray(scene)[outside].astype(int), np.asarray(composite)[outside].astype(int)
        assert (after <= before).all()  # a shadow darkens; nothing else may touch the ground


def test_a_shadow_darkens_the_scene(rng):
    scene, alpha = Image.new("RGB", (SIZE, SIZE), "white"), Image.new("L", (SIZE, SIZE), 0)
    alpha.paste(disc().alpha, (18, 18))
    dark = np.asarray(compose.cast_shadow(rng, scene, alpha))
    assert (dark < 250).any()


def test_two_subjects_give_the_union_of_their_alphas(rng):
    scene, union = Image.new("RGB", (SIZE, SIZE)), Image.new("L", (SIZE, SIZE), 0)
    scene, first = compose.add(rng, scene, union, disc())
    scene, both = compose.add(rng, scene, first, disc("blue"))
    assert (np.asarray(both) >= np.asarray(first)).all()


def test_harmonising_leaves_shape_and_range(rng):
    subject = disc()
    picture = compose.harmonise(rng, subject.picture, subject.alpha, Image.new("RGB", (SIZE, SIZE), "green"))
    assert (picture.mode, picture.size) == ("RGB", subject.picture.size)


def test_blocks_of_neighbours_stay_on_one_side():
    for source, block in (("objects-ycb", 8), ("furniture-house", 6)):
        sides = [shards.is_validation(source, n) for n in range(1, 8 * block + 1)]
        for start in range(0, len(sides), block):
            assert len(set(sides[start : start + block])) == 1


def test_a_share_of_the_blocks_is_kept_out():
    kept_out = sum(shards.is_validation("pets", n) for n in range(1, 8001)) / 8000
    assert 0.03 < kept_out < 0.09


def write_shard(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as shard:
        for name in names:
            stream = io.BytesIO()
            Image.new("L" if name.endswith("png") else "RGB", (8, 8), 255).save(
                stream, name.rsplit(".")[-1].replace("jpg", "jpeg")
            )
            member = tarfile.TarInfo(name)
            member.size = stream.tell()
            stream.seek(0)
            shard.addfile(member, stream)


def test_a_shard_joins_photos_with_their_masks(tmp_path):
    write_shard(tmp_path / "a.tar", ["pets/0002.png", "pets/0002.jpg", "bg/0001.jpg", "ycb/0009.webp"])
    items = {item.name: item for item in shards.read_shard(tmp_path / "a.tar")}
    assert list(items) == ["bg/0001", "pets/0002", "ycb/0009"]
    assert items["pets/0002"].open()[1].getextrema() == (255, 255)
    assert items["bg/0001"].open()[1].getextrema() == (0, 0)


def slow_erode(mask: np.ndarray, radius: int) -> np.ndarray:
    padded = np.pad(mask, radius)
    h, w = mask.shape
    return np.array(
        [[padded[y : y + 2 * radius + 1, x : x + 2 * radius + 1].all() for x in range(w)] for y in range(h)]
    )


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_erosion_agrees_with_its_definition(radius, rng):
    mask = np.asarray(disc().alpha) > 127
    mask[20:23, 10:50] = False
    np.testing.assert_array_equal(erode(mask, radius), slow_erode(mask, radius))


def test_scores_of_known_answers():
    truth = np.zeros((40, 40), np.float32)
    truth[10:30, 10:30] = 1
    right, wrong = score(truth, truth), score(1 - truth, truth)
    assert (right.mae, right.iou, right.boundary_iou, right.curve.max()) == (0, 1, 1, 1)
    assert (wrong.mae, wrong.iou, wrong.boundary_iou) == (1, 0, 0)
    assert iou(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 1
