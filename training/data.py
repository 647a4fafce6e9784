"""Samples as tensors, made by worker processes.

A sample is (image float32 [3, S, S] as ``(rgb - 128) / 128``, alpha and weight float32 [1, S, S] in 0..1, trust
float32 [1] in 0..1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from training import shards
from training.fusion import Found
from training.samples import Sampler, normalise


class Samples(IterableDataset[tuple[Tensor, ...]]):
    """An endless stream of samples; the same seed gives the same stream.

    ``sizes``: of the samples, one after the other for ``batch`` samples each; ``busy`` names backgrounds to leave out
    because a subject may be seen in them; ``masks`` is the folder of the teachers' masks, without which only the
    shards' are used.
    """

    def __init__(
        self,
        folder: Path,
        sizes: Sequence[int],
        batch: int,
        seed: int,
        *,
        busy: frozenset[str] = frozenset(),
        masks: Path | None = None,
    ) -> None:
        self.folder, self.sizes, self.batch, self.seed = folder, sizes, batch, seed
        self.busy, self.masks = busy, masks

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        items = shards.load(self.folder, validation=False, without=self.busy)
        found = Found.load(self.folder, self.masks) if self.masks else None
        for number in count():
            size = self.sizes[number // self.batch % len(self.sizes)]
            picture, alpha, weight, trust = Sampler(items, size, found).draw(rng)
            planes = (torch.from_numpy(np.asarray(plane, np.float32) / 255)[None] for plane in (alpha, weight))
            yield torch.from_numpy(normalise(picture)), *planes, torch.tensor([trust])
