"""The net, its losses and its runs. Needs torch, which only the training environment has."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from training import average, data, losses, quick, runs, train  # noqa: E402
from training.model import CutoutNet, Prediction, WakingReLU, is_ours  # noqa: E402
from training.samples import Sample  # noqa: E402


def logits(alpha: object, sharpness: float = 20.0) -> Prediction:
    full = (alpha * 2 - 1) * sharpness
    return Prediction(full, full[..., ::8, ::8], full[..., ::16, ::16])


@pytest.fixture
def square() -> object:
    alpha = torch.zeros(2, 1, 64, 64)
    alpha[0, :, 16:48, 16:48] = 1  # the second picture has no subject
    return alpha


def test_the_alpha_has_the_size_of_the_image():
    net = CutoutNet().eval()
    with torch.no_grad():
        alpha = net.alpha(torch.zeros(1, 3, 64, 64))
    assert alpha.shape == (1, 1, 64, 64)
    assert 0 <= float(alpha.min()) <= float(alpha.max()) <= 1


def test_a_fresh_head_can_answer_with_either_sign():
    head, x = CutoutNet().decoder.subpixel, torch.randn(1, 35, 8, 8)
    with torch.no_grad():
        assert torch.allclose(head(-x), -head(x), atol=1e-6)
        assert head(x).abs().max() > 0.01


def test_a_silent_channel_can_wake_again():
    x = torch.tensor([-2.0, 3.0], requires_grad=True)
    wake = WakingReLU()
    wake(x).sum().backward()
    assert wake(x).tolist() == pytest.approx([0.0, 3.0]) == wake.eval()(x).tolist()
    assert x.grad.tolist() == pytest.approx([0.1, 1.0])


def test_the_right_answer_costs_next_to_nothing(square):
    sure = torch.ones_like(square), torch.ones(2, 1)
    right = losses.total(logits(square), square, *sure, decide=1.0)
    wrong = losses.total(logits(1 - square), square, *sure, decide=1.0)
    grey = losses.total(logits(square, 0.0), square, *sure, decide=1.0)
    assert float(right) < 0.1 < float(grey) < float(wrong)


def test_a_right_half_transparent_answer_has_the_right_shape_and_is_not_indecision():
    half = torch.full((1, 1, 64, 64), 0.5)
    assert float(losses.soft_iou(half, half, torch.ones_like(half))) == 0
    assert float(losses.indecision(half, half, torch.zeros_like(half))) == 0
    assert float(losses.indecision(half, torch.ones_like(half), torch.zeros_like(half))) == 1


def test_edges_of_untrusted_outlines_weigh_less(square):
    shifted = logits(square.roll(2, -1))
    weight = torch.ones_like(square)
    believed, doubted = (float(losses.total(shifted, square, weight, torch.full((2, 1), t), 0.0)) for t in (1.0, 0.0))
    assert doubted < believed


def test_an_error_where_teachers_disagree_costs_less(square):
    wrong = square.clone()
    wrong[:, :, :16] = 1
    disputed = torch.ones_like(square)
    disputed[:, :, :16] = 0.25
    trust = torch.ones(2, 1)
    costs = [float(losses.total(logits(wrong), square, w, trust, 1.0)) for w in (torch.ones_like(square), disputed)]
    assert costs[1] < 0.6 * costs[0]


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 1, 1)])
def test_the_quick_depthwise_convolution_has_the_librarys_gradients(kernel, stride, dilation, monkeypatch):
    monkeypatch.setattr(quick, "PART", 1)
    torch.manual_seed(0)
    layer = quick.Depthwise(8, kernel, stride, dilation)
    x = torch.randn(4, 8, 16, 16, requires_grad=True)
    wanted = layer.eval()(x)
    pull = torch.randn_like(wanted)
    expected = torch.autograd.grad(wanted, (x, layer.weight, layer.bias), pull)
    with torch.autocast("cpu", torch.bfloat16):
        answer = layer.train()(x)
    assert answer.dtype == torch.bfloat16
    for given, right in zip(torch.autograd.grad(answer, (x, layer.weight, layer.bias), pull), expected, strict=True):
        assert (given - right).abs().max() < 0.02 * right.abs().max()


def test_a_part_of_the_batch_gives_the_gradient_of_all_of_it_when_all_are_alike():
    layer = quick.Depthwise(4, 3).train()
    x = torch.randn(1, 4, 8, 8).expand(8, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        layer(x).float().square().sum().backward()
    part = layer.weight.grad.clone()
    layer.weight.grad = None
    layer.eval()(x).square().sum().backward()
    assert torch.allclose(part, layer.weight.grad, rtol=0.05, atol=0.5)


def test_arrays_of_the_net_are_a_start_and_those_of_the_starting_network_are_none(tmp_path: Path):
    net = CutoutNet()
    floats = {name: value.numpy() for name, value in net.state_dict().items() if value.dtype.is_floating_point}
    np.savez(tmp_path / "net.npz", **{name: value.astype(np.float16) for name, value in floats.items()})
    np.savez(tmp_path / "start.npz", **{"000.weight": np.zeros((1, 1), np.float32)})
    assert (is_ours(tmp_path / "net.npz"), is_ours(tmp_path / "start.npz")) == (True, False)
    started = CutoutNet()
    train.load_start(started, tmp_path / "net.npz")
    for name, value in net.state_dict().items():
        assert torch.allclose(started.state_dict()[name].float(), value.float(), atol=1e-2), name


def test_the_rate_rises_and_falls():
    rates = [runs.rate_factor(share / 100) for share in range(101)]
    assert rates[0] < rates[2] < rates[4]
    assert rates[4] > rates[50] > rates[100] == pytest.approx(runs.LAST_RATE)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path):
    start = tmp_path / "start.pt"
    torch.save({"average": CutoutNet().state_dict()}, start)
    options = argparse.Namespace(
        out=tmp_path, start=start, freeze=3, rate=1e-3, steps=2, minutes=60.0, size=32, still_norms=True
    )
    run = train.begin(options, torch.device("cpu"))
    shares = []
    for share in run.steps():
        shares.append(share)
        run.update(run.net(torch.zeros(2, 3, 32, 32)).full.square().mean())
    assert shares == [0, 0.5]
    again = train.begin(options, torch.device("cpu"))
    assert again.progress.step == 2
    assert list(again.steps()) == []
    for kept, fresh in zip(run.net.state_dict().values(), again.net.state_dict().values(), strict=True):
        assert torch.equal(kept, fresh)
    assert not any(p.requires_grad for p in again.net.encoder.stem.parameters())
    assert not again.net.decoder.mix8[1].weight.requires_grad


def test_the_mean_of_two_checkpoints_is_one_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first, second = CutoutNet(), CutoutNet()
    second.decoder.context[1].num_batches_tracked += 7
    for name, net in (("first", first), ("second", second)):
        torch.save({"average": net.state_dict()}, tmp_path / name)
    paths = [str(tmp_path / name) for name in ("first", "second", "mean")]
    monkeypatch.setattr("sys.argv", ["average", *paths, "--share", "0.75"])
    average.main()
    started = CutoutNet()
    train.load_start(started, tmp_path / "mean")
    for name, value in started.state_dict().items():
        a, b = first.state_dict()[name], second.state_dict()[name]
        expected = 0.75 * a + 0.25 * b if a.dtype.is_floating_point else b
        assert torch.allclose(value, expected, atol=1e-6), name


def test_a_still_norm_answers_like_a_batch_norm_and_learns_its_bias_alone():
    norm = torch.nn.BatchNorm2d(4)
    for part in (norm.weight, norm.bias, norm.running_mean):
        torch.nn.init.normal_(part)
    torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    x = torch.randn(2, 4, 8, 8)
    wanted = norm.eval()(x).detach()
    still = torch.nn.Sequential(norm).train()
    quick.hold_still(still)
    answer = still(x)
    answer.sum().backward()
    assert torch.allclose(answer, wanted, atol=1e-5)
    assert norm.weight.grad is None
    assert torch.allclose(norm.bias.grad, torch.full((4,), 128.0))


def test_batches_of_several_sizes_come_in_turn(monkeypatch):
    monkeypatch.setattr(data.shards, "load", lambda *_, **__: None)
    monkeypatch.setattr(data, "Sampler", Blank)
    drawn = iter(DataLoader(data.Samples(Path(), (32, 48), batch=2, seed=0), 2))
    assert [tuple(next(drawn)[0].shape) for _ in range(3)] == [(2, 3, 32, 32), (2, 3, 48, 48), (2, 3, 32, 32)]


class Blank:
    """A sampler of black pictures."""

    def __init__(self, _items: object, size: int, _found: object) -> None:
        self.size = size

    def draw(self, _rng: np.random.Generator) -> Sample:
        black = Image.new("L", (self.size, self.size))
        return Sample(black.convert("RGB"), black, black, 1.0)
