"""The published ONNX file back as torch nets: ``python -m training.published --help``.

Batch norm is folded into the convolutions there. Here the norms are set to do nothing but add the folded bias: train on
with ``--still-norms``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper
from torch import Tensor, nn

from training.model import CutoutNet
from training.refiner import Refiner

# Weights that the net uses in two parts (``model.joint``) stand in the graph as two nameless ones, in this order.
JOINT = ("encoder.merge.weight", "decoder.subpixel.0.weight")


def read_published(path: Path) -> tuple[CutoutNet, Refiner]:
    """Both stages of a file that ``training.export`` wrote with a refiner."""
    graph = onnx.load(str(path))
    arrays = {i.name: torch.from_numpy(numpy_helper.to_array(i).astype(np.float32)) for i in graph.graph.initializer}
    for name, halves in zip(JOINT, _halves(graph, arrays), strict=True):
        arrays[f"net.coarse.{name}"] = torch.cat(halves, 1)
    nets = CutoutNet(), Refiner()
    for net, prefix in zip(nets, ("net.coarse.", "net.refiner."), strict=True):
        fill(net, {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)})
    return nets[0].eval(), nets[1].eval()


@torch.no_grad()
def fill(net: nn.Module, folded: dict[str, Tensor]) -> None:
    """Set a net's weights; the bias of a convolution without one becomes that of the norm after it.

    The guesses at 1/8 and 1/16, which only training has, stay as they are.
    """
    state = net.state_dict()
    for name, array in folded.items():
        if name in state:
            state[name].copy_(array)
    for name, part in net.named_modules():
        if isinstance(part, nn.Sequential):
            for i, (first, second) in enumerate(zip(part, list(part)[1:], strict=False)):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    inert(second, folded[f"{name}.{i}.bias"])


def inert(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Make a norm add ``bias`` and nothing else."""
    norm.weight.fill_(1)
    norm.bias.copy_(bias)
    norm.running_mean.zero_()  # type: ignore[union-attr]
    norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]


def _halves(graph: ModelProto, arrays: dict[str, Tensor]) -> list[list[Tensor]]:
    """The weights of the nameless convolutions, by twos; a net that sees several sizes has them again for each."""
    used = [node.input[1] for node in graph.graph.node if node.op_type == "Conv" and "::" in node.input[1]]
    return [[arrays[name] for name in used[i : i + 2]] for i in range(0, 2 * len(JOINT), 2)]


def main() -> None:
    """Write one checkpoint a stage, as runs begin with and ``training.export`` takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the .onnx file")
    parser.add_argument("coarse", type=Path, help="the .pt file to write")
    parser.add_argument("refiner", type=Path, help="the other .pt file to write")
    options = parser.parse_args()
    coarse, refiner = read_published(options.model)
    torch.save({"average": coarse.state_dict()}, options.coarse)
    torch.save({"average": refiner.state_dict()}, options.refiner)


if __name__ == "__main__":
    main()
