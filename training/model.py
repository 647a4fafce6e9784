"""CutoutNet: a MobileNetV2-DeepLab encoder and a light feature pyramid that answers with an alpha.

The encoder is DeepLabv3 on MobileNetV2 1.0 (Sandler et al. 2018, Chen et al. 2017) with batch norm
already folded into its convolutions; its starting weights are read from an ``.npz`` of the published
network. The decoder follows Lin et al. 2017 (FPN) with depthwise-separable 5x5 convolutions and a
sub-pixel output (Shi et al. 2016), so that the alpha has the resolution of the input.

Images are float32 [N, 3, S, S], ``(rgb - 128) / 128``; S is a multiple of 16.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.quick import Depthwise

# One row for each block: expansion, channels out, stride, dilation of the depthwise convolution.
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 24, 1, 1),
    (6, 32, 2, 1),
    *[(6, 32, 1, 1)] * 2,
    (6, 64, 2, 1),
    *[(6, 64, 1, 1)] * 3,
    *[(6, 96, 1, 1)] * 3,
    (6, 160, 1, 1),
    *[(6, 160, 1, 2)] * 2,
    (6, 320, 1, 2),
)
SKIPS = {0: "half", 2: "quarter", 5: "eighth", 12: "sixteenth"}  # block number -> pyramid level


class Features(NamedTuple):
    """The encoder's maps, named by their size relative to the input."""

    half: Tensor  # 16 channels
    quarter: Tensor  # 24
    eighth: Tensor  # 32
    sixteenth: Tensor  # 96
    context: Tensor  # 256 at 1/16, with the pooled image mixed in


class Prediction(NamedTuple):
    """Logits at full size, and at 1/8 and 1/16 for deep supervision."""

    full: Tensor
    eighth: Tensor
    sixteenth: Tensor


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise 3x3, project 1x1; the input is added where the shapes agree."""

    def __init__(self, c_in: int, c_out: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        wide = c_in * expansion
        self.adds = stride == 1 and c_in == c_out
        self.expand = nn.Conv2d(c_in, wide, 1) if expansion > 1 else None
        self.depthwise = Depthwise(wide, 3, stride, dilation)
        self.project = nn.Conv2d(wide, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x), inplace=True)
        y = self.project(functional.relu6(self.depthwise(y), inplace=True))
        return x + y if self.adds else y


class Encoder(nn.Module):
    """The network of the ``.npz`` up to its 256-channel projection, and its 21-class head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        blocks, c_in = [], 32
        for expansion, c_out, stride, dilation in BLOCKS:
            blocks.append(InvertedResidual(c_in, c_out, expansion, stride, dilation))
            c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        self.local = nn.Conv2d(c_in, 256, 1)
        self.pooled = nn.Conv2d(c_in, 256, 1)
        self.merge = nn.Conv2d(512, 256, 1)

    def forward(self, image: Tensor) -> Features:
        x = functional.relu6(self.stem(image), inplace=True)
        maps: dict[str, Tensor] = {}
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in SKIPS:
                maps[SKIPS[number]] = x
        local = functional.relu(self.local(x))
        pooled = functional.relu(self.pooled(x.mean((2, 3), keepdim=True)))
        context = joint(self.merge, pooled, local)
        return Features(**maps, context=functional.relu(context))


class Separable(nn.Sequential):
    """Depthwise 5x5 and pointwise 1x1, each with batch norm; one ReLU at the end."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(
            Depthwise(c_in, 5, bias=False),
            nn.BatchNorm2d(c_in),
            nn.Conv2d(c_in, c_out, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )


class WakingReLU(nn.Module):
    """ReLU with a little gradient where it is silent, so that no channel stays silent for good.

    The head has so few channels that all of them may fall silent inside subjects: the logits then stick at the bias.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return functional.relu(x)
        leaky = functional.leaky_relu(x, 0.1)
        return leaky + (functional.relu(x) - leaky).detach()


class Decoder(nn.Module):
    """Feature pyramid from 1/16 to 1/2, then a sub-pixel step to full size."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        half = width // 2
        self.context = nn.Sequential(nn.Conv2d(256, width, 1, bias=False), nn.BatchNorm2d(width))
        self.lateral16 = nn.Conv2d(96, width, 1)
        self.lateral8 = nn.Conv2d(32, width, 1)
        self.lateral4 = nn.Conv2d(24, width, 1)
        self.lateral2 = nn.Conv2d(16, half, 1)
        self.mix16 = Separable(width, width)
        self.mix8 = Separable(width, width)
        self.mix4 = Separable(width, half)
        self.mix2 = Separable(half, half)
        self.guess16 = nn.Conv2d(width, 1, 1)
        self.guess8 = nn.Conv2d(width, 1, 1)
        self.subpixel = nn.Sequential(
            nn.Conv2d(half + 3, 16, 3, padding=1),
            WakingReLU(),
            nn.Conv2d(16, 4, 3, padding=1),
            nn.PixelShuffle(2),
        )
        _pair(self.subpixel[0], self.subpixel[2])

    def forward(self, image: Tensor, maps: Features) -> Prediction:
        x16 = self.mix16(functional.relu(self.context(maps.context) + self.lateral16(maps.sixteenth)))
        x8 = self.mix8(functional.relu(_double(x16) + self.lateral8(maps.eighth)))
        x4 = self.mix4(functional.relu(_double(x8) + self.lateral4(maps.quarter)))
        x2 = self.mix2(functional.relu(_double(x4) + self.lateral2(maps.half)))
        sharp = joint(self.subpixel[0], x2, functional.avg_pool2d(image, 2))
        return Prediction(self.subpixel[1:](sharp), self.guess8(x8), self.guess16(x16))


class CutoutNet(nn.Module):
    """The coarse stage: image in, alpha out at the same size."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, image: Tensor) -> Prediction:
        """Logits for training."""
        return self.decoder(image, self.encoder(image))

    def alpha(self, image: Tensor) -> Tensor:
        """Float32 [N, 1, S, S] in 0..1, as the exported graph answers."""
        return torch.sigmoid(self(image).full)


def joint(convolution: nn.Conv2d, first: Tensor, second: Tensor) -> Tensor:
    """The convolution of the two maps joined by channel, as a sum: no copy, and a pooled map stays one pixel.

    Inference is an eighth faster for it: channel counts stay multiples of what the kernels want.
    """
    c = first.shape[1]
    a = functional.conv2d(first, convolution.weight[:, :c], padding=convolution.padding)
    b = functional.conv2d(second, convolution.weight[:, c:], convolution.bias, padding=convolution.padding)
    return a + b


def load_encoder(encoder: Encoder, npz: Path) -> None:
    """Fill the encoder from the folded arrays ``NNN.weight`` and ``NNN.bias``, which lie in call order."""
    convolutions = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)]
    with np.load(npz) as arrays, torch.no_grad():
        keys = sorted(k[:3] for k in arrays.files if k.endswith(".weight"))[: len(convolutions)]
        for convolution, key in zip(convolutions, keys, strict=True):
            convolution.weight.copy_(torch.from_numpy(arrays[f"{key}.weight"]))
            convolution.bias.copy_(torch.from_numpy(arrays[f"{key}.bias"]))  # type: ignore[union-attr]


def is_ours(npz: Path) -> bool:
    """Whether the file has the whole net's state, and not the starting network's convolutions."""
    with np.load(npz) as arrays:
        return "encoder.stem.weight" in arrays.files


def load_arrays(net: CutoutNet, npz: Path) -> None:
    """The net's whole state from an ``.npz`` with its own names, in any precision of floats."""
    state = net.state_dict()  # its counters of batches stay as they are
    with np.load(npz) as arrays:
        state |= {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
    net.load_state_dict(state)


def load_trial(net: CutoutNet, theirs: dict[str, Tensor]) -> None:
    """Take over the first trial's state: the same layers in the same order under other names."""
    order = ("context", "lateral", "mix", "guess", "subpixel")
    ours = list(net.state_dict())
    encoder = [name for name in ours if name.startswith("encoder.")]
    decoder = [name for part in order for name in ours if name.startswith(f"decoder.{part}")]
    net.load_state_dict(dict(zip(encoder + decoder, theirs.values(), strict=True)))


@torch.no_grad()
def _pair(before: nn.Conv2d, after: nn.Conv2d) -> None:
    """Begin with kernels in pairs of opposite sign around a ReLU: the two convolutions then pass on everything."""
    half = before.weight.shape[0] // 2
    before.weight[half:] = -before.weight[:half]
    after.weight[:, half:] = -after.weight[:, :half]
    for bias in (before.bias, after.bias):
        if bias is not None:
            bias.zero_()


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
