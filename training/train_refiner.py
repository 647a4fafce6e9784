"""Train the refiner on a frozen coarse net: ``python -m training.train_refiner --help``.

A sample is a crop around an edge of a scene brought to 1280 px; the coarse net sees the whole scene, at each of its
sizes, as it will in use.
``log.csv`` has step, seconds and the running mean of the loss as a share of the coarse answer's own.
``--start`` takes over the weights of an earlier run, for example one on an earlier coarse net.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torch.nn import functional

from training import scenes, shards
from training.data import normalise
from training.export import read_net
from training.fusion import Found
from training.model import CutoutNet
from training.quick import hold_still
from training.refiner import BLOCK, FULL, Guess, Refiner, TwoStageNet
from training.runs import Run, budget, checkpoint

CROP = 256
POOL = 480  # crops
AROUND = 7  # blocks of 8 pixels
LEVELS = 4  # of the Laplacian pyramid
LOG_EVERY = 10


class Crops(NamedTuple):
    """A batch: pictures, the coarse answer to them, the true alpha, and how far it may be believed (0..1)."""

    picture: Tensor
    guess: Guess
    alpha: Tensor
    trust: Tensor


class Batches:
    """Crops of scenes with the frozen coarse net's answer to the whole scene.

    A scene costs as much as a few steps: its crops go into a pool, where newer ones push the oldest out, and every
    batch is drawn from all of the pool, so that a batch is varied and each crop is seen a few times.
    """

    def __init__(self, options: argparse.Namespace, coarse: CutoutNet, seed: int) -> None:
        self.net, self.options = TwoStageNet(coarse, Refiner(), options.size).eval(), options
        self.items = shards.load(options.data, validation=False)
        self.found = Found.load(options.data, options.masks) if options.masks else None
        self.rng = np.random.default_rng(seed)
        self.pool: deque[Crops] = deque(maxlen=POOL)

    def __iter__(self) -> Iterator[Crops]:
        for step in count():
            if step % self.options.steps_per_scene == 0 or len(self.pool) < 2 * self.options.batch:
                self.pool.extend(self._of_one_scene())
            chosen = [self.pool[int(i)] for i in self.rng.choice(len(self.pool), self.options.batch)]
            picture, guesses, alpha, trust = zip(*chosen, strict=True)
            guess = Guess(*(torch.cat(planes) for planes in zip(*guesses, strict=True)))
            yield Crops(torch.cat(picture), guess, torch.cat(alpha), torch.cat(trust))

    @torch.no_grad()
    def _of_one_scene(self) -> Iterator[Crops]:
        scene = scenes.draw(self.rng, self.items, self.found)
        planes = (p.resize((FULL, FULL), Image.Resampling.BILINEAR) for p in (scene.picture, scene.alpha, scene.trust))
        picture, alpha, trust = (torch.from_numpy(values)[None] for values in tensors(*planes))
        guess = self.net.guess(picture)
        for _ in range(self.options.crops):
            y, x = corner(self.rng, guess.gate[0, 0].numpy(), alpha[0, 0].numpy())
            gate = guess.gate[..., y // BLOCK :, x // BLOCK :][..., : CROP // BLOCK, : CROP // BLOCK]
            parts = [p[..., y : y + CROP, x : x + CROP].clone() for p in (picture, guess.logits, alpha, trust)]
            yield Crops(parts[0], Guess(parts[1], gate.clone()), parts[2], parts[3])


def tensors(picture: Image.Image, *planes: Image.Image) -> Iterator[np.ndarray]:
    """A picture as the net takes it, float32 [3, H, W], and planes, float32 [1, H, W] in 0..1."""
    yield normalise(picture)
    for plane in planes:
        yield np.asarray(plane, np.float32)[None] / 255


def corner(rng: Generator, gate: np.ndarray, alpha: np.ndarray) -> tuple[int, int]:
    """Top left of a crop, in multiples of 8: around a doubt of the coarse net, a true edge, or anywhere."""
    where = rng.random()
    soft = alpha[::BLOCK, ::BLOCK]
    spots = np.argwhere(gate > 0.5) if where < 0.6 else np.argwhere((soft > 0.05) & (soft < 0.95))
    if where > 0.92 or len(spots) == 0:
        centre = rng.integers(0, FULL, 2)
    else:
        centre = spots[int(rng.integers(len(spots)))] * BLOCK
    y, x = np.clip((centre - CROP // 2) // 8 * 8, 0, FULL - CROP)
    return int(y), int(x)


def loss(logits: Tensor, crops: Crops) -> Tensor:
    """L1, cross entropy, gradient and Laplacian differences, wherever something can be learnt from the pixels."""
    p = torch.sigmoid(logits)
    weight = crops.trust * _open(crops.guess) * within_reach(torch.sigmoid(crops.guess.logits), crops.alpha)
    share = weight.sum().clamp(min=1)
    difference = p - crops.alpha
    level = (difference.abs() * weight).sum() / share
    cross = functional.binary_cross_entropy_with_logits(logits, crops.alpha, weight, reduction="sum") / share
    across = ((difference[..., 1:] - difference[..., :-1]).abs() * weight[..., 1:]).sum()
    down = ((difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :]).sum()
    return level + 0.3 * cross + (across + down) / share + 0.5 * laplacian(difference, weight)


def within_reach(coarse: Tensor, alpha: Tensor) -> Tensor:
    """1 where the coarse answer is right on the whole around a pixel, down to 0 where it misses or invents something.

    No refiner can tell from a few pixels that a subject was missed; learning from it would drown out the edges.
    """
    blocks = functional.avg_pool2d(coarse - alpha, 8)
    around = functional.avg_pool2d(blocks, AROUND, 1, AROUND // 2, count_include_pad=False)
    return functional.interpolate((1 - around.abs()) ** 4, size=alpha.shape[-2:], mode="nearest")


def _open(guess: Guess) -> Tensor:
    """The gate at the picture's size."""
    return functional.interpolate(guess.gate, size=guess.logits.shape[-2:], mode="nearest")


def laplacian(difference: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1 of the bands of a Laplacian pyramid (it is linear: of the difference of two alphas at once)."""
    total = difference.new_zeros(())
    for _ in range(LEVELS):
        smaller = functional.avg_pool2d(difference, 2)
        detail = difference - functional.interpolate(smaller, scale_factor=2.0, mode="bilinear", align_corners=False)
        total = total + (detail.abs() * weight).sum() / weight.sum().clamp(min=1)
        difference, weight = smaller, functional.avg_pool2d(weight, 2)
    return total


def begin(options: argparse.Namespace) -> Run[Refiner]:
    """A run from its start, or from where it stopped."""
    net: Refiner = Refiner().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if options.start and not checkpoint(options).exists():
        net.load_state_dict(torch.load(options.start, weights_only=True)["average"])
    if options.still_norms:
        hold_still(net)
    return Run(net, torch.optim.AdamW(net.parameters(), options.rate, weight_decay=0.01), options)


def train(options: argparse.Namespace) -> None:
    """Run until the budget is used up; checkpoint on the way."""
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    coarse = read_net(options.coarse).requires_grad_(requires_grad=False)
    run = begin(options)
    gains: deque[float] = deque(maxlen=20)
    for _, crops in zip(run.steps(), Batches(options, coarse, options.seed + run.progress.step), strict=False):
        cost = loss(run.net(crops.picture.to(memory_format=torch.channels_last), crops.guess), crops)
        run.update(cost)
        if run.progress.step % LOG_EVERY == 0:
            with torch.no_grad():
                gains.append(float(cost.detach()) / float(loss(crops.guess.logits, crops)))
            run.log(float(np.mean(gains)))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    budget(parser, minutes=25)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--coarse", type=Path, required=True, help="checkpoint.pt of the coarse net")
    parser.add_argument("--start", type=Path, help="checkpoint.pt of an earlier refiner")
    parser.add_argument("--masks", type=Path, help="folder of teachers' masks: photos that IS-Net labelled take part")
    parser.add_argument("--size", type=int, nargs="+", default=[384, 480], help="sides of the coarse net's input")
    parser.add_argument("--still-norms", action="store_true", help="batch norms as they are: for the end of a run")
    parser.add_argument("--batch", type=int, default=8, help="crops of 256 px in a batch")
    parser.add_argument("--crops", type=int, default=8, help="of each scene")
    parser.add_argument("--steps-per-scene", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    return parser.parse_args()


if __name__ == "__main__":
    train(arguments())
