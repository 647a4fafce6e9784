"""Samples: what is pasted is what the alpha says, and nothing of the validation side is ever drawn."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from training import camera, compose, glass, grounds, hollow, marks, shards, strands, structures
from training.metrics import erode, iou, score
from training.samples import Sampler
from training.subjects import Subjects

SIZE = 96


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def ground(colour: str = "white") -> tuple[Image.Image, Image.Image]:
    return Image.new("RGB", (SIZE, SIZE), colour), Image.new("L", (SIZE, SIZE), 0)


def disc(colour: str = "red", side: int = 60) -> compose.Subject:
    alpha = Image.new("L", (side, side), 0)
    ImageDraw.Draw(alpha).ellipse((4, 4, side - 5, side - 5), fill=255)
    return compose.Subject(Image.new("RGB", (side, side), colour), alpha)


@pytest.mark.parametrize("make", grounds.GROUNDS | grounds.EMPTIES)
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


def test_what_cannot_be_told_from_the_ground_is_not_asked_for(rng):
    scene, union = compose.add(rng, *ground("black"), disc("black"))  # no jitter makes black another colour
    assert union.getextrema() == (0, 0)
    assert scene.getextrema() == ((0, 0), (0, 0), (0, 0))


def test_a_subject_that_its_photo_cut_off_stands_at_that_edge_of_the_frame(rng):
    picture, alpha = Image.new("RGB", (60, 60), "navy"), Image.new("L", (60, 60), 0)
    ImageDraw.Draw(alpha).rectangle((20, 10, 40, 59), fill=255)  # a body down to the lower edge of its photo
    subject = compose.lift(picture, alpha)
    assert subject.cut == {"bottom"}
    for _ in range(10):
        _, placed = compose.add(rng, *ground(), compose.fit(rng, subject, SIZE, 0.6))
        assert placed.getbbox()[3] == SIZE


def test_mirroring_turns_the_cut_sides_too(rng):
    subject = compose.Subject(disc().picture, disc().alpha, frozenset({"left", "bottom"}))
    sides = {compose.fit(rng, subject, SIZE, 0.5).cut for _ in range(20)}
    assert sides == {frozenset({"left", "bottom"}), frozenset({"right", "bottom"})}


def test_a_lifted_subject_keeps_no_colour_of_its_old_ground():
    shape = disc()
    photo = Image.composite(shape.picture, Image.new("RGB", shape.picture.size, "lime"), shape.alpha)
    lifted = compose.lift(photo, shape.alpha.filter(ImageFilter.GaussianBlur(2)))
    seen = np.asarray(lifted.alpha) > 20
    assert np.asarray(lifted.picture)[seen][:, 1].max() < 100  # hardly any green


def test_colours_are_carried_on_beyond_the_edge():
    carried = np.asarray(compose.spread_colours(disc("red").picture, disc().alpha))
    assert (np.abs(carried.astype(int) - (255, 0, 0)) < 6).all()


@pytest.mark.parametrize("grow", [strands.hair, strands.fur])
def test_strands_grow_outside_and_leave_the_inside(grow, rng):
    before = disc(side=160)
    after = grow(rng, before)
    margin = (after.alpha.size[0] - 160) // 2
    old = np.asarray(before.alpha.crop((-margin, -margin, 160 + margin, 160 + margin)))
    new = np.asarray(after.alpha)
    assert (new >= old).all()
    grown = new[old == 0]
    assert (grown > 0).sum() > 200
    assert len(np.unique(grown)) > 10  # soft, not cut out
    pale = np.asarray(after.alpha) > 0
    assert (np.asarray(after.picture)[pale][:, 2] < 40).all()  # the strands of a red ball are reddish


def test_no_strand_grows_where_the_frame_cut_the_subject():
    wide = strands.widen(compose.Subject(disc().picture, disc().alpha, frozenset({"bottom"})), 10)
    assert wide.picture.size == (80, 70)
    assert wide.alpha.crop((10, 10, 70, 70)).tobytes() == disc().alpha.tobytes()


@pytest.mark.parametrize("shape", structures.SHAPES)
def test_a_structure_is_thin_and_has_a_soft_edge(shape, rng):
    subjects = [structures.dress(rng, shape(rng, SIZE * structures.FINE), SIZE) for _ in range(6)]
    assert all(s.picture.size == s.alpha.size and s.alpha.getextrema()[1] > 100 for s in subjects)
    filled = [np.asarray(s.alpha).mean() / 255 for s in subjects]
    assert np.mean(filled) < 0.7  # of its box
    assert any(((np.asarray(s.alpha) > 20) & (np.asarray(s.alpha) < 235)).any() for s in subjects)


@pytest.mark.parametrize("shape", hollow.SHAPES)
def test_a_hollow_thing_has_a_hole_that_the_ground_around_it_does_not_reach(shape, rng):
    for _ in range(6):
        matte = shape(rng, SIZE).point(lambda v: 255 if v else 0)
        ImageDraw.floodfill(matte, (0, 0), 255)
        assert matte.histogram()[0] > SIZE


@pytest.mark.parametrize("make", [glass.vessel, glass.bubble, glass.veil])
def test_one_can_see_through_glass_and_veils(make, rng):
    alpha = np.asarray(make(rng, 120).alpha)
    assert ((alpha > 60) & (alpha < 225)).mean() > 0.1


def test_a_group_stands_side_by_side(tmp_path, rng):
    subjects = Subjects(people(tmp_path))
    members = subjects.group(rng, SIZE)
    assert 2 <= len(members) <= 5
    assert len({x for _, (x, _) in members}) > 1


def test_a_far_group_is_small(tmp_path, rng):
    subjects = Subjects(people(tmp_path))
    for _ in range(10):
        assert all(max(subject.picture.size) < 0.35 * SIZE for subject, _ in subjects.group(rng, SIZE, far=True))


@pytest.mark.parametrize("make", [marks.word, marks.badge, marks.icon, marks.drawing])
def test_a_mark_is_ink_with_open_ground(make, rng):
    for _ in range(10):
        matte = np.asarray(make(rng, 128)) > 127
        assert 0 < matte.mean() < 0.9


def test_a_tiny_picture_keeps_its_subject_where_it_was(rng):
    picture, alpha = Image.new("RGB", (SIZE, SIZE), "white"), Image.new("L", (SIZE, SIZE), 0)
    ImageDraw.Draw(alpha).rectangle((24, 24, 71, 71), fill=255)
    for _ in range(10):
        small, mask = camera.tiny(rng, Image.composite(Image.new("RGB", alpha.size, "red"), picture, alpha), alpha)
        assert small.size == mask.size == (SIZE, SIZE)
        assert iou(np.asarray(mask) > 127, np.asarray(alpha) > 127) > 0.7


def test_against_the_light_the_subject_is_darker_and_the_ground_brighter(rng):
    picture, alpha = Image.new("RGB", (8, 8), (128, 128, 128)), Image.new("L", (8, 8), 0)
    alpha.paste(255, (0, 0, 4, 8))
    lit = np.asarray(camera.against_light(rng, picture, alpha))
    assert lit[:, :4].max() < 128 < lit[:, 4:].min()


def test_low_light_leaves_few_grey_levels(rng):
    assert np.asarray(camera.dark(rng, Image.new("RGB", (32, 32), "white"))).mean() < 140


def test_every_kind_of_sample_has_the_size_asked_for(tmp_path, rng):
    sampler = Sampler(people(tmp_path), SIZE)
    for _ in range(40):
        sample = sampler.draw(rng)
        assert (sample.picture.mode, sample.picture.size) == ("RGB", (SIZE, SIZE))
        assert {(plane.mode, plane.size) for plane in (sample.alpha, sample.weight)} == {("L", (SIZE, SIZE))}
        assert 0 <= sample.trust <= 1


def people(folder: Path) -> shards.Collection:
    """A collection of one photo, one cutout and one background, of noise."""
    noise = np.random.default_rng(1).integers(0, 256, (120, 80, 3), dtype=np.uint8)
    picture, alpha = Image.fromarray(noise), Image.new("L", (80, 120), 0)
    ImageDraw.Draw(alpha).ellipse((20, 15, 60, 115), fill=255)
    cutout = picture.copy()
    cutout.putalpha(alpha)
    coded = [encode(p, kind) for p, kind in ((picture, "JPEG"), (alpha, "PNG"), (cutout, "WEBP"))]
    photo = shards.Item("people-ccp", 1, coded[0], coded[1])
    return shards.Collection(
        {"people-ccp": [photo]},
        {"objects-ycb": [shards.Item("objects-ycb", 1, coded[2], None)]},
        {"bg-caltech": [shards.Item("bg-caltech", 1, coded[0], None)]},
    )


def encode(picture: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


def test_degrading_keeps_the_size(rng):
    picture = disc().picture
    for _ in range(40):
        worse = camera.degrade(rng, picture)
        assert (worse.mode, worse.size) == ("RGB", picture.size)


def test_a_ground_near_the_subject_has_its_colour(rng):
    scene = np.asarray(grounds.near(rng, disc("blue"), SIZE)).reshape(-1, 3).mean(0)
    assert scene[2] > scene[0] + 40


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


def test_backgrounds_go_where_the_photo_goes_that_they_were_cut_from():
    assert shards.is_validation("bg-street-crops", 110)  # from people-ccp/0422
    assert shards.is_validation("people-ccp", 422)
    assert not shards.is_validation("bg-street-crops", 1)  # from people-ccp/0001
    assert not shards.is_validation("people-ccp", 1)


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
