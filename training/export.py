"""Write the averaged weights of a run as ONNX: ``python -m training.export --help``.

The graph takes ``image`` float32 [1, 3, S, S], RGB, ``(pixel - 128) / 128``, and gives ``alpha``
float32 [1, 1, S, S] in 0..1. Batch norm is folded into the convolutions and the sigmoid is inside.
With a refiner both stages are one graph and S is ``--full``, whatever size the coarse net sees; without one
the sides may be left open, for any multiples of 16.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import warnings
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from skimage import data as skimage_data
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.data import normalise
from training.model import CutoutNet, load_arrays, load_trial
from training.refiner import FULL, Refiner, TwoStageNet

OPSET = 17
TOLERANCE = 3e-4  # of alpha, a tenth of a grey level; logits of 16 and more are steep
MAX_BYTES = 12 * 2**20
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")  # of scikit-image: real, and never trained on
Net: TypeAlias = CutoutNet | TwoStageNet


class Graph(nn.Module):
    """What is exported: the net with only its full-size alpha as answer."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        return self.net.alpha(image)


def read_net(weights: Path) -> CutoutNet:
    """The averaged net of a checkpoint of ours (or its arrays, .npz), or the net of the first trial's state."""
    net = CutoutNet()
    if weights.suffix == ".npz":
        load_arrays(net, weights)
        return net.eval()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    if "average" in state:
        net.load_state_dict(state["average"])
    else:
        load_trial(net, state)
    return net.eval()


def read_refiner(weights: Path) -> Refiner:
    """The averaged refiner of a checkpoint."""
    refiner = Refiner()
    refiner.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True)["average"])
    return refiner.eval()


def fold(net: Net) -> Net:
    """A copy in which every batch norm after a convolution has become part of it."""
    folded = copy.deepcopy(net)
    for part in folded.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for i in range(len(part) - 1):
            first, second = part[i], part[i + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                part[i], part[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return folded


def write(net: Net, size: int, path: Path, *, open_sides: bool = False) -> None:
    """The graph of the folded net for one square size or for any sides, checked by the ONNX checker."""
    sides = {2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the tracing exporter: its graph is the leaner one
        torch.onnx.export(
            Graph(fold(net)).eval(),
            (torch.zeros(1, 3, size, size),),
            str(path),
            input_names=["image"],
            output_names=["alpha"],
            dynamic_axes={"image": sides, "alpha": sides} if open_sides else None,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path), full_check=True)


def difference(net: Net, size: int, path: Path) -> float:
    """Largest difference between the net and the written graph on real photos."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for name in PHOTOS:
        photo = Image.fromarray(getattr(skimage_data, name)()).resize((size, size), Image.Resampling.BILINEAR)
        image = normalise(photo)[None]
        (alpha,) = session.run(["alpha"], {"image": image})
        with torch.no_grad():
            wanted = net.alpha(torch.from_numpy(image)).numpy()
        worst = max(worst, float(np.abs(alpha - wanted).max()))
    return worst


def main() -> None:
    """Export, check, and print what the manifest needs to know."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="checkpoint.pt of the coarse net")
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    parser.add_argument("--size", type=int, nargs="+", default=[320], help="what the coarse net sees, multiples of 16")
    parser.add_argument("--refiner", type=Path, help="checkpoint.pt of the refiner: both stages in one graph")
    parser.add_argument("--full", type=int, default=FULL, help="what the refiner sees, a multiple of 8")
    parser.add_argument("--open-sides", action="store_true", help="any height and width; without a refiner only")
    options = parser.parse_args()
    if options.refiner and options.open_sides:
        parser.error("a refiner wants a square of one size")
    if len(options.size) > 1 and not options.refiner:
        parser.error("several sizes want a refiner")
    torch.set_num_threads(1)
    net: Net = read_net(options.weights)
    if options.refiner:
        net = TwoStageNet(net, read_refiner(options.refiner), options.size, options.full).eval()
    size = options.full if options.refiner else options.size[0]
    write(net, size, options.output, open_sides=options.open_sides)
    worst, content = difference(net, size, options.output), options.output.read_bytes()
    if worst > TOLERANCE or len(content) > MAX_BYTES:
        raise SystemExit(f"not fit to ship: difference {worst:.2e}, {len(content)} bytes")
    print(f"difference to torch {worst:.1e}")
    print(f"sha256 = {hashlib.sha256(content).hexdigest()}\nbytes = {len(content)}\nsize = {size}")


if __name__ == "__main__":
    main()
