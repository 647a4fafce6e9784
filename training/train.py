"""Train the coarse net: ``python -m training.train --help``.

A next run at another size starts from the averaged weights of the last (``--start LAST/checkpoint.pt``); see
``training/runs.py`` for what a run is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from training import losses
from training.data import Samples
from training.distil import StartingNetwork, busy_backgrounds
from training.model import CutoutNet, Prediction, is_ours, load_arrays, load_encoder, load_trial
from training.quick import hold_still
from training.runs import Run, budget, checkpoint

ENCODER_RATE = 0.3  # of the decoder's
LOG_EVERY = 20


def load_start(net: CutoutNet, start: Path) -> None:
    """Weights to begin with: the starting network (.npz), a checkpoint of ours, or the first trial's state."""
    if start.suffix == ".npz":
        if is_ours(start):
            load_arrays(net, start)
        else:
            load_encoder(net.encoder, start)
        return
    state = torch.load(start, map_location="cpu", weights_only=True)
    if "average" in state:
        net.load_state_dict(state["average"])
    else:
        load_trial(net, state)


def freeze(net: CutoutNet, blocks: int) -> None:
    """Leave the stem and the first blocks as they are: general features, and a third of the cost."""
    if blocks:
        for module in (net.encoder.stem, *net.encoder.blocks[:blocks]):
            module.requires_grad_(requires_grad=False)


def optimiser(net: CutoutNet, rate: float) -> torch.optim.AdamW:
    """AdamW; the encoder learns slowly, and nothing one-dimensional (norms, biases) decays."""
    groups = []
    for part, part_rate in ((net.encoder, rate * ENCODER_RATE), (net.decoder, rate)):
        learnt = [p for p in part.parameters() if p.requires_grad]
        groups.append({"params": [p for p in learnt if p.ndim > 1], "lr": part_rate, "weight_decay": 0.01})
        groups.append({"params": [p for p in learnt if p.ndim == 1], "lr": part_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


def begin(options: argparse.Namespace, device: torch.device) -> Run[CutoutNet]:
    """A run from its start, or from where it stopped."""
    net = CutoutNet()
    if not checkpoint(options).exists():
        load_start(net, options.start)
    net.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    freeze(net, options.freeze)
    if options.still_norms:
        hold_still(net)
    return Run(net, optimiser(net, options.rate), options)


def train(options: argparse.Namespace) -> None:
    """Run until the budget is used up; checkpoint on the way."""
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    teacher = StartingNetwork(options.teacher)
    busy = busy_backgrounds(teacher, options.data, options.out / "busy.json")
    teacher.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = begin(options, device)
    net = run.net
    drawn, recent = batches(options, run.progress.step, busy), 0.0
    for share in run.steps():
        image, alpha, weight, trust = (t.to(device) for t in next(drawn))
        image = image.to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=options.bf16):
            maps = net.encoder(image)
            answer = net.decoder(image, maps)
            asks = run.progress.step % options.distil_every == 0
            kept = options.distil * teacher.loss(image, maps.context) if asks else 0.0
        loss = losses.total(Prediction(*(part.float() for part in answer)), alpha, weight, trust, decide=share)
        run.update(loss + kept)
        cost = float(loss.detach())
        recent = 0.95 * (recent or cost) + 0.05 * cost
        if run.progress.step % LOG_EVERY == 0:
            run.log(recent)


def batches(options: argparse.Namespace, step: int, busy: frozenset[str]) -> Iterator[list[Tensor]]:
    """Endless samples, others after each restart."""
    torch.manual_seed(options.seed + step)
    seed = options.seed + step
    samples = Samples(options.data, options.size, options.batch, seed, busy=busy, masks=options.masks)
    return iter(DataLoader(samples, options.batch, num_workers=options.workers, prefetch_factor=4))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    budget(parser, minutes=60)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--masks", type=Path, help="folder of teachers' masks, for the photos of the second part")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16: twice as fast with AMX")
    parser.add_argument("--still-norms", action="store_true", help="batch norms as they are: for folded weights")
    parser.add_argument("--teacher", type=Path, required=True, help="starting network, .npz")
    parser.add_argument("--start", type=Path, required=True, help="weights to begin with: .npz or .pt")
    parser.add_argument("--size", type=int, nargs="+", default=[256], help="sides of the square input, in turn")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate of the decoder")
    parser.add_argument("--freeze", type=int, default=3, help="encoder blocks that do not learn, with the stem")
    parser.add_argument("--distil", type=float, default=0.3, help="weight of the starting network's answers")
    parser.add_argument("--distil-every", type=int, default=4, help="ask it at every n-th step only")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    return parser.parse_args()


if __name__ == "__main__":
    train(arguments())
