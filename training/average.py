"""The weighted mean of two checkpoints of one run's line: ``python -m training.average --help``.

Weights that have a start in common mostly lie in one basin: their mean is often better than either (Wortsman et al.
2022, Model soups, arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.export import read_net
from training.runs import blend


def main() -> None:
    """Write a checkpoint that a run can start from and ``training.export`` takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="checkpoint.pt of a coarse net")
    parser.add_argument("second", type=Path, help="checkpoint.pt of another")
    parser.add_argument("output", type=Path, help="the .pt file to write")
    parser.add_argument("--share", type=float, default=0.5, help="of the first, 0..1")
    options = parser.parse_args()
    net = read_net(options.first)
    blend(net, read_net(options.second), options.share)
    torch.save({"average": net.state_dict()}, options.output)


if __name__ == "__main__":
    main()
