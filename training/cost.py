"""What a model costs on one thread: ``python -m training.cost MODEL.onnx ...``.

Every model is run in turn with a reference, round by round, so that whatever else the machine does hits all of them
alike; the smallest CPU time of each counts. The reference is MobileNetV3-large (Howard et al. 2019) up to its last
feature map, at 320 px, with random weights: times are compared between machines as multiples of it. The peak memory
is that of a fresh process that loads the model and runs it once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 320
# Kernel, channels of the expansion, channels out, squeeze and excite, hard swish, stride: table 1 of the paper.
ROWS = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
PEAK = """
import sys
from pathlib import Path
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
wanted = session.get_inputs()[0]
session.run(None, {wanted.name: np.zeros(wanted.shape, np.float32)})
status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had before
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


class Row(nn.Module):
    """One inverted residual with or without squeeze and excite."""

    def __init__(self, c_in: int, row: tuple[int, int, int, bool, bool, int]) -> None:
        super().__init__()
        kernel, wide, c_out, squeezes, swish, stride = row
        self.adds = stride == 1 and c_in == c_out
        self.act = functional.hardswish if swish else functional.relu
        self.expand = nn.Conv2d(c_in, wide, 1) if wide != c_in else None
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide)
        squeezed = wide // 4 // 8 * 8  # channels, as the paper's own code rounds them
        gate = (
            nn.Sequential(nn.Conv2d(wide, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, wide, 1)) if squeezes else None
        )
        self.squeeze = gate
        self.project = nn.Conv2d(wide, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.act(self.expand(x))
        y = self.act(self.depthwise(y))
        if self.squeeze is not None:
            y = y * functional.hardsigmoid(self.squeeze(y.mean((2, 3), keepdim=True)))
        y = self.project(y)
        return x + y if self.adds else y


def write_reference(path: Path) -> None:
    """MobileNetV3-large without its classifier as ONNX, random weights."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1), nn.Hardswish()]
    for before, row in zip((16, *(r[2] for r in ROWS)), ROWS, strict=False):
        layers.append(Row(before, row))
    layers += [nn.Conv2d(160, 960, 1), nn.Hardswish()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        image = torch.zeros(1, 3, SIDE, SIDE)
        torch.onnx.export(nn.Sequential(*layers).eval(), (image,), str(path), opset_version=17, dynamo=False)


def open_model(path: Path) -> onnxruntime.InferenceSession:
    """The model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def times(sessions: list[onnxruntime.InferenceSession], rounds: int) -> np.ndarray:
    """CPU seconds of every run, float64 [rounds, models]."""
    spent = np.zeros((rounds, len(sessions)))
    for i in range(rounds):
        for j, session in enumerate(sessions):
            wanted = session.get_inputs()[0]
            picture = np.random.default_rng(i).uniform(-1, 1, wanted.shape).astype(np.float32)
            begun = time.process_time()
            session.run(None, {wanted.name: picture})
            spent[i, j] = time.process_time() - begun
    return spent


def main() -> None:
    """Print a table: milliseconds, multiple of the reference, peak memory, size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="fixed-size .onnx files")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "MobileNetV3-large at 320"
        write_reference(reference)
        paths = [reference, *options.models]
        spent = times([open_model(path) for path in paths], options.rounds).min(0)
        print("| model | CPU ms | times the reference | peak MB | MB |\n|---|---|---|---|---|")
        for path, seconds in zip(paths, spent, strict=True):
            command = [sys.executable, "-c", PEAK, str(path)]
            peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
            size = path.stat().st_size / 1e6
            print(f"| {path.name} | {seconds * 1e3:.1f} | {seconds / spent[0]:.2f} | {peak} | {size:.1f} |")


if __name__ == "__main__":
    main()
