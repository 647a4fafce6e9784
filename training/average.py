"""The weighted mean of two checkpoints of one run's line: ``python -m training.average --help``.

Weights that have a start in common mostly lie in one basin: their mean is often better than either (Wortsman et al.
2022, Model soups, arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor


def mean(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """``share`` (0..1) of the first and the rest of the second; counters are the first's. Raises KeyError."""
    return {
        name: torch.lerp(second[name], value, share) if value.dtype.is_floating_point else value
        for name, value in first.items()
    }


def main() -> None:
    """Write a checkpoint that a run can start from and ``training.export`` takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="checkpoint.pt")
    parser.add_argument("second", type=Path, help="checkpoint.pt")
    parser.add_argument("output", type=Path, help="the .pt file to write")
    parser.add_argument("--share", type=float, default=0.5, help="of the first, 0..1")
    options = parser.parse_args()
    first, second = (
        torch.load(p, map_location="cpu", weights_only=True)["average"] for p in (options.first, options.second)
    )
    torch.save({"average": mean(first, second, options.share)}, options.output)


if __name__ == "__main__":
    main()
