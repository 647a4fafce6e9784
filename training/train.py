"""Train the coarse net: ``python -m training.train --help``.

One run is one cosine schedule at one size, kept in one folder: ``checkpoint.pt`` (everything needed
to go on) and ``log.csv``. Started again with the same folder, it goes on where it stopped; a next
run at another size starts from the averaged weights of the last (``--start LAST/checkpoint.pt``).
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training import losses
from training.data import Samples
from training.distil import StartingNetwork, busy_backgrounds
from training.model import CutoutNet, load_encoder, load_trial

WARM_UP = 0.03  # of the schedule
LAST_RATE = 0.02  # of the first
ENCODER_RATE = 0.15  # of the decoder's
SAVE_EVERY_S = 120
EMA_DECAY = 0.995


@dataclass
class Progress:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0

    def share(self, budget: argparse.Namespace) -> float:
        """0..1 of the budget, whichever of steps and minutes is used up first."""
        return max(self.step / budget.steps, self.seconds / (60 * budget.minutes))


class Run:
    """A net, its average, its optimiser and its progress: all that a checkpoint holds."""

    def __init__(self, options: argparse.Namespace, device: torch.device) -> None:
        self.options, self.device = options, device
        self.progress = Progress()
        self.net = CutoutNet()
        self.path: Path = options.out / "checkpoint.pt"
        if not self.path.exists():
            load_start(self.net, options.start)
        self.net.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        freeze(self.net, options.freeze)
        self.average = copy.deepcopy(self.net).eval()
        self.optimiser = optimiser(self.net, options.rate)
        if self.path.exists():
            self._load()

    def step(self, image: Tensor, alpha: Tensor, trust: Tensor, teacher: StartingNetwork | None) -> float:
        """One update; gives the loss without the teacher's part."""
        share = self.progress.share(self.options)
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * rate_factor(share)
        maps = self.net.encoder(image)
        loss: Tensor = losses.total(self.net.decoder(image, maps), alpha, trust, decide=share)
        whole = loss if teacher is None else loss + self.options.distil * teacher.loss(image, maps.context)
        self.optimiser.zero_grad()
        whole.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.progress.step += 1
        blend(self.average, self.net, min(EMA_DECAY, self.progress.step / (self.progress.step + 20)))
        return float(loss.detach())

    def save(self) -> None:
        """Write the checkpoint beside the old one, then replace it, so that a kill loses nothing."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": vars(self.progress),
            "size": self.options.size,
        }
        fresh = self.path.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.path)

    def _load(self) -> None:
        state = torch.load(self.path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])


def load_start(net: CutoutNet, start: Path) -> None:
    """Weights to begin with: the starting network (.npz), a checkpoint of ours, or the first trial's state."""
    if start.suffix == ".npz":
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
        matrices, vectors = [p for p in learnt if p.ndim > 1], [p for p in learnt if p.ndim == 1]
        groups.append({"params": matrices, "lr": part_rate, "initial_lr": part_rate, "weight_decay": 0.01})
        groups.append({"params": vectors, "lr": part_rate, "initial_lr": part_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


def rate_factor(share: float) -> float:
    """Linear warm-up, then a cosine down to ``LAST_RATE``."""
    fall = 0.5 * (1 + math.cos(math.pi * min(share, 1)))
    return min(1, share / WARM_UP + 0.01) * (LAST_RATE + (1 - LAST_RATE) * fall)


@torch.no_grad()
def blend(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and batch norm statistics; counters are copied."""
    for kept, fresh in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(fresh, 1 - decay)
        else:
            kept.copy_(fresh)


def train(options: argparse.Namespace) -> None:
    """Run until the budget is used up; checkpoint on the way."""
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    teacher = StartingNetwork(options.teacher)
    busy = busy_backgrounds(teacher, options.data, options.out / "busy.json")
    teacher.to(device)
    run = Run(options, device)
    torch.manual_seed(options.seed + run.progress.step)
    samples = Samples(options.data, options.size, options.seed + run.progress.step, busy)
    batches = iter(DataLoader(samples, options.batch, num_workers=options.workers, prefetch_factor=4))
    begun, saved, recent = time.monotonic() - run.progress.seconds, time.monotonic(), 0.0
    while run.progress.share(options) < 1:
        image, alpha, trust = (t.to(device) for t in next(batches))
        asks = run.progress.step % options.distil_every == 0
        loss = run.step(image.to(memory_format=torch.channels_last), alpha, trust, teacher if asks else None)
        run.progress.seconds = time.monotonic() - begun
        recent = loss if not recent else 0.95 * recent + 0.05 * loss
        if run.progress.step % 20 == 0:
            with (options.out / "log.csv").open("a") as log:
                log.write(f"{run.progress.step},{run.progress.seconds:.0f},{recent:.4f}\n")
        if time.monotonic() - saved > SAVE_EVERY_S:
            run.save()
            saved = time.monotonic()
    run.save()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--teacher", type=Path, required=True, help="starting network, .npz")
    parser.add_argument("--start", type=Path, required=True, help="weights to begin with: .npz or .pt")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--size", type=int, default=256, help="side of the square input, a multiple of 16")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate of the decoder")
    parser.add_argument("--minutes", type=float, default=60, help="budget of time")
    parser.add_argument("--steps", type=int, default=10**9, help="budget of steps")
    parser.add_argument("--freeze", type=int, default=3, help="encoder blocks that do not learn, with the stem")
    parser.add_argument("--distil", type=float, default=0.3, help="weight of the starting network's answers")
    parser.add_argument("--distil-every", type=int, default=4, help="ask it at every n-th step only")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="1 unless the machine is idle otherwise")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    train(arguments())
