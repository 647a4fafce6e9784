"""Samples as tensors, made by worker processes.

A sample is (image float32 [3, S, S] as ``(rgb - 128) / 128``, alpha float32 [1, S, S] in 0..1, trust
float32 [1] in 0..1).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from training import shards
from training.samples import Sampler, normalise


class Samples(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """An endless stream of samples; the same seed gives the same stream.

    ``busy`` names backgrounds to leave out because a subject may be seen in them.
    """

    def __init__(self, folder: Path, size: int, seed: int, busy: frozenset[str] = frozenset()) -> None:
        self.folder, self.size, self.seed, self.busy = folder, size, seed, busy

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        sampler = Sampler(shards.load(self.folder, validation=False, without=self.busy), self.size)
        while True:
            picture, alpha, trust = sampler.draw(rng)
            mask = torch.from_numpy(np.asarray(alpha, np.float32) / 255)[None]
            yield torch.from_numpy(normalise(picture)), mask, torch.tensor([trust])
