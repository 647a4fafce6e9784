"""What the starting network knows already, and how the new one keeps it.

The starting network knows 20 classes (people, cats, dogs, farm animals, cars, ...) from far more
photos than we have. Learning new kinds would wash that out, so the new encoder has to go on giving
its answers (Li and Hoiem 2016, "Learning without forgetting").
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import samples, shards
from training.model import Encoder, load_encoder

CLASSES = 21  # of Pascal VOC; class 0 is the background
BUSY_SHARE = 0.04  # of the pixels that the network takes for a subject


class StartingNetwork(nn.Module):
    """The published 21-class network, frozen."""

    def __init__(self, npz: Path) -> None:
        super().__init__()
        self.encoder = Encoder()
        load_encoder(self.encoder, npz)
        self.classes = nn.Conv2d(256, CLASSES, 1)
        with np.load(npz) as arrays:
            state = {"weight": arrays["068.weight"], "bias": arrays["068.bias"]}
        self.classes.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
        self.requires_grad_(requires_grad=False).eval()

    def forward(self, image: Tensor) -> Tensor:
        """Class logits, float32 [N, 21, S/16, S/16]."""
        logits: Tensor = self.classes(self.encoder(image).context)
        return logits

    def loss(self, image: Tensor, context: Tensor) -> Tensor:
        """How far the classes read from a new encoder's ``context`` [N, 256, S/16, S/16] have moved.

        Cross entropy to the frozen network's answers, and the same for 1 - P(background) alone,
        which is all that a mask needs.
        """
        with torch.no_grad():
            wanted = self(image).float().softmax(1)
        given = self.classes(context).float()
        subject = (1 - given.softmax(1)[:, 0]).clamp(1e-6, 1 - 1e-6)
        kinds = -(wanted * given.log_softmax(1)).sum(1).mean()
        with torch.autocast(image.device.type, enabled=False):
            return kinds + functional.binary_cross_entropy(subject, (1 - wanted[:, 0]).clamp(0, 1))


def busy_backgrounds(network: StartingNetwork, folder: Path, cache: Path) -> frozenset[str]:
    """Names of backgrounds in which the network sees a subject: they must not be taught as empty."""
    if cache.exists():
        return frozenset(json.loads(cache.read_text()))
    names = []
    for items in shards.load(folder, validation=False).backgrounds.values():
        for item in items:
            image = torch.from_numpy(samples.normalise(item.open()[0].resize((256, 256))))[None]
            with torch.no_grad():
                background = network(image).softmax(1)[:, 0]
            if float((background < 0.5).float().mean()) > BUSY_SHARE:
                names.append(item.name)
    cache.write_text(json.dumps(names))
    return frozenset(names)
