"""What a training run is: a net, its average, its optimiser, its progress, one checkpoint, one cosine.

One run is one schedule, kept in one folder: ``checkpoint.pt`` (everything needed to go on) and ``log.csv``. Started
again with the same folder, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

WARM_UP = 0.03  # of the schedule
LAST_RATE = 0.02  # of the first
SAVE_EVERY_S = 60
EMA_DECAY = 0.995

Net = TypeVar("Net", bound=nn.Module)


@dataclass
class Progress:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0

    def share(self, budget: argparse.Namespace) -> float:
        """0..1 of the budget, whichever of steps and minutes is used up first."""
        return max(self.step / budget.steps, self.seconds / (60 * budget.minutes))


class Run(Generic[Net]):
    """All that a checkpoint holds. options: ``out``, ``steps`` and ``minutes``, and what else the trainer reads."""

    def __init__(self, net: Net, optimiser: torch.optim.Optimizer, options: argparse.Namespace) -> None:
        self.net, self.optimiser, self.options = net, optimiser, options
        self.average = copy.deepcopy(net).eval()
        self.progress = Progress()
        self.path = checkpoint(options)
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
        if self.path.exists():
            self._load()

    def steps(self) -> Iterator[float]:
        """The share of the budget that is used up (0..1) before each step; saves on the way and at the end."""
        begun, saved = time.monotonic() - self.progress.seconds, time.monotonic()
        while (share := self.progress.share(self.options)) < 1:
            yield share
            self.progress.seconds = time.monotonic() - begun
            if time.monotonic() - saved > SAVE_EVERY_S:
                self.save()
                saved = time.monotonic()
        self.save()

    def update(self, loss: Tensor) -> None:
        """One step down the gradient of ``loss``."""
        factor = rate_factor(self.progress.share(self.options))
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.progress.step += 1
        blend(self.average, self.net, min(EMA_DECAY, self.progress.step / (self.progress.step + 20)))

    def log(self, value: float) -> None:
        """A line of step, seconds and value."""
        with (self.options.out / "log.csv").open("a") as log:
            log.write(f"{self.progress.step},{self.progress.seconds:.0f},{value:.4f}\n")

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
        state = torch.load(self.path, map_location=next(self.net.parameters()).device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])


def checkpoint(options: argparse.Namespace) -> Path:
    """Where the run in ``options.out`` is kept."""
    path: Path = options.out / "checkpoint.pt"
    return path


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


def budget(parser: argparse.ArgumentParser, minutes: float) -> None:
    """The options that every run has."""
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--minutes", type=float, default=minutes, help="budget of time")
    parser.add_argument("--steps", type=int, default=10**9, help="budget of steps")
    parser.add_argument("--threads", type=int, default=1, help="1 unless the machine is idle otherwise")
    parser.add_argument("--seed", type=int, default=0)
