"""The second stage: what it may change, what it must leave, and that its graph says what torch says."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("skimage")

from training import export, fusion, scenes, shards, train_refiner  # noqa: E402
from training.model import CutoutNet  # noqa: E402
from training.refiner import FULL, GATE_PX, Guess, Refiner, Shrink, TwoStageNet, enlarge, overlaps  # noqa: E402


def restless(seed: int = 0) -> Refiner:
    """A refiner that changes whatever it may."""
    torch.manual_seed(seed)
    refiner = Refiner().eval()
    torch.nn.init.normal_(refiner.residual.weight, std=2.0)
    return refiner


@pytest.fixture
def half() -> object:
    """Coarse logits: sure background on the left, sure subject on the right, a doubt between."""
    logits = torch.full((1, 1, 80, 80), -20.0)
    logits[..., 42:] = 20.0
    logits[..., 38:42] = 0.0
    return logits


def test_an_untrained_refiner_gives_exactly_the_coarse_answer(half):
    guess = enlarge(half, 256)
    picture = torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        assert torch.equal(Refiner().eval()(picture, guess), guess.logits)


def test_what_is_far_from_any_doubt_is_never_changed(half):
    guess = enlarge(half, 256)
    with torch.no_grad():
        change = (restless()(torch.rand(1, 3, 256, 256), guess) - guess.logits).abs()
    reach = round((2 + GATE_PX + 3) * 256 / 80)
    assert change[..., 128 - 8 : 128 + 8].max() > 1
    assert change[..., : 128 - reach].max() < 0.1
    assert change[..., 128 + reach :].max() < 0.1


def test_an_empty_picture_stays_empty():
    guess = enlarge(torch.full((1, 1, 80, 80), -20.0), 256)
    with torch.no_grad():
        assert torch.sigmoid(restless()(torch.rand(1, 3, 256, 256), guess)).max() < 0.01


@pytest.mark.parametrize(("large", "small"), [(64, 20), (64, 24), (64, 32), (64, 64)])
def test_shrinking_is_the_area_average(large, small):
    picture = torch.rand(1, 3, large, large)
    fine = picture.double().repeat_interleave(small, 2).repeat_interleave(small, 3)  # pixels of a common measure
    wanted = torch.nn.functional.avg_pool2d(fine, large).float()
    torch.testing.assert_close(Shrink(large, small)(picture), wanted, atol=1e-5, rtol=0)


def test_every_pixel_is_shared_out_once():
    shares = overlaps(16, 5)
    assert torch.allclose(shares.sum(1), torch.ones(5))
    assert torch.allclose(shares.sum(0), torch.full((16,), 5 / 16))


def test_both_stages_are_one_graph_that_agrees_with_torch(tmp_path: Path):
    torch.manual_seed(1)
    net = TwoStageNet(CutoutNet().eval(), restless(1)).eval()
    path = tmp_path / "both.onnx"
    export.write(net, FULL, path)
    assert export.difference(net, FULL, path) < export.TOLERANCE


def test_a_graph_with_open_sides_takes_any_shape(tmp_path: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "open.onnx"
    export.write(CutoutNet().eval(), 64, path, open_sides=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (alpha,) = session.run(["alpha"], {"image": np.zeros((1, 3, 48, 96), np.float32)})
    assert alpha.shape == (1, 1, 48, 96)


def test_an_enlarged_outline_is_as_narrow_as_asked_and_where_it_was():
    small = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(small).ellipse((12, 12, 52, 52), fill=255)
    small = small.filter(ImageFilter.GaussianBlur(0.7))
    large = np.asarray(scenes.redraw(small, (640, 640), feather=2), np.float32) / 255
    row = large[320]
    assert np.abs(large.mean() - np.asarray(small).mean() / 255) < 0.01
    assert ((row > 0.02) & (row < 0.98)).sum() <= 12  # two edges; merely enlarged they would be 40 wide
    assert abs(int(np.flatnonzero(row > 0.5)[0]) - 120) <= 5


def test_blur_softens_the_alpha_with_the_picture_and_noise_does_not(monkeypatch):
    square = Image.new("L", (scenes.SIDE, scenes.SIDE), 0)
    ImageDraw.Draw(square).rectangle((300, 300, 700, 700), fill=255)
    scene = scenes.Scene(square.convert("RGB"), square, square)
    for seed in range(6):
        after = scenes.degrade(np.random.default_rng(seed), scene)
        picture, alpha = np.asarray(after.picture.convert("L"), np.float32), np.asarray(after.alpha, np.float32)
        assert np.abs(picture - alpha).mean() < 12
        assert after.alpha.size == (scenes.SIDE, scenes.SIDE)


def test_photos_are_judged_at_the_edge_only_where_their_outline_is_fine():
    picture, mask = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (300, 448), "teal").save(picture, "JPEG")
    square = Image.new("L", (300, 448), 0)
    ImageDraw.Draw(square).rectangle((60, 60, 240, 400), fill=255)
    square.save(mask, "PNG")
    for source, judged in (("people-ccp", True), ("cats", False)):
        photos = {source: [shards.Item(source, 1, picture.getvalue(), mask.getvalue())]}
        scene = scenes.photo(np.random.default_rng(0), shards.Collection(photos, {}, {}))
        alpha, trust = np.asarray(scene.alpha), np.asarray(scene.trust)
        assert trust[512, 100] > 0  # far from the outline
        assert bool(trust[(alpha > 60) & (alpha < 190)].all()) == judged


def test_a_labelled_photo_is_trusted_as_far_as_its_teachers_agree():
    class Photos:
        def pick(self, _rng: object, *, fine: bool) -> tuple[Image.Image, fusion.Fused]:
            weight = np.ones((80, 60), np.float32)
            weight[:40] = 0.5
            return Image.new("RGB", (60, 80)), fusion.Fused(np.zeros((80, 60), np.float32), weight, 0.8, fine)

    scene = scenes.labelled(np.random.default_rng(0), Photos())
    trust = np.asarray(scene.trust, np.float32) / 255
    assert scene.picture.size == scene.alpha.size == (scenes.SIDE, scenes.SIDE)
    assert abs(trust[900, 500] - 0.8 * scenes.FINE_TRUST) < 0.01
    assert abs(trust[100, 500] - 0.4 * scenes.FINE_TRUST) < 0.01


def crops(logits: object, alpha: object) -> train_refiner.Crops:
    n, _, h, w = alpha.shape
    guess = Guess(logits, torch.ones(n, 1, h // 4, w // 4))
    return train_refiner.Crops(torch.rand(n, 3, h, w), guess, alpha, torch.ones_like(alpha))


def test_the_right_alpha_costs_next_to_nothing():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 20:40] = 1
    good, bad = (alpha * 2 - 1) * 20, (1 - alpha * 2) * 20
    grey = torch.zeros_like(alpha)
    costs = [float(train_refiner.loss(z, crops(z, alpha))) for z in (good, grey, bad)]
    assert costs[0] < 1e-3 < costs[1] < costs[2]


def test_a_missed_subject_teaches_nothing_but_a_shifted_edge_does():
    alpha = torch.zeros(1, 1, 128, 128)
    missed, whole = torch.full_like(alpha, -8.0), torch.ones_like(alpha)
    assert float(train_refiner.loss(missed, crops(missed, whole))) < 1e-3
    alpha[..., 64:] = 1
    shifted = (alpha.roll(4, -1) * 2 - 1) * 8
    assert float(train_refiner.loss(shifted, crops(shifted, alpha))) > 0.1


def test_what_is_not_trusted_costs_nothing():
    alpha = torch.zeros(1, 1, 64, 64)
    doubted = crops(alpha, alpha)._replace(trust=torch.zeros_like(alpha))
    assert float(train_refiner.loss(torch.full_like(alpha, 9.0), doubted)) == 0


def test_crops_lie_within_the_picture_and_on_whole_blocks():
    rng = np.random.default_rng(0)
    gate, alpha = np.zeros((256, 256), np.float32), np.zeros((FULL, FULL), np.float32)
    gate[0, 255] = 1
    alpha[-1, 0] = 0.5
    for _ in range(50):
        y, x = train_refiner.corner(rng, gate, alpha)
        assert 0 <= min(y, x) <= max(y, x) <= FULL - train_refiner.CROP
        assert y % 8 == x % 8 == 0


def test_a_run_learns_and_goes_on_where_it_stopped(tmp_path: Path):
    options = argparse.Namespace(
        out=tmp_path, start=None, rate=1e-2, steps=60, minutes=60.0, size=[320], still_norms=False
    )
    run = train_refiner.begin(options)
    torch.manual_seed(0)
    alpha = torch.zeros(2, 1, 64, 64)
    alpha[..., 24:] = 1
    batch = crops(torch.zeros_like(alpha), alpha)._replace(picture=(alpha * 2 - 1).repeat(1, 3, 1, 1))
    costs = []
    for _ in range(25):
        cost = train_refiner.loss(run.net(batch.picture, batch.guess), batch)
        run.update(cost)
        costs.append(float(cost.detach()))
    assert costs[-1] < 0.5 * costs[0]
    run.save()
    again = train_refiner.begin(options)
    assert again.progress.step == 25
    for kept, fresh in zip(run.average.state_dict().values(), again.average.state_dict().values(), strict=True):
        assert torch.equal(kept, fresh)
