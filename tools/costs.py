"""Time and cost of 1,000 images by the memory of the function, as Markdown, from what ``tools/bench.py`` has measured.

    .venv/bin/python -m tools.costs [--bench docs/performance.json] [--workload 1-mp] [--gb-second $] [--request $]

The model: a function has memory / 1,769 cores; the network uses as many threads as whole cores, each of them fully, and
everything else one. Processor seconds are those of the machine that ran the benchmark. Data to callers, tables and the
gateway cost the same whatever runs inside; docs/capacity.md has them.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MEMORY_MB = (512, 1024, 1769, 3008, 5308, 10240)
MB_PER_CORE = 1769
"""Source: Lambda developer guide, "Configure function memory"."""
GB_SECOND, REQUEST = 0.0000166667, 0.0000002
"""Dollars, x86_64, us-east-1, without the free tier. Source: AWS Lambda pricing."""
BARE, MANIFEST_ISNET_S = "bare network", 6.0
"""IS-Net's network takes the processor seconds that models/manifest.toml has of it (``cpu_s``)."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Processor seconds of one image, in the network and around it, and the memory without which it does not run."""

    name: str
    network_s: float
    around_s: float
    peak_mb: float

    def wall_s(self, memory_mb: int) -> float:
        """Seconds of one warm image at a memory size."""
        cores = memory_mb / MB_PER_CORE
        return self.network_s / min(cores, max(1, round(cores))) + self.around_s / min(cores, 1)

    def dollars(self, memory_mb: int, gb_second: float, request: float) -> float:
        """Lambda's price of 1,000 warm images."""
        return 1000 * (self.wall_s(memory_mb) * memory_mb / 1024 * gb_second + request)


@dataclass(frozen=True, slots=True)
class Price:
    """What a service asks for one image of one megapixel.

    Attributes:
        service: The service and its plan.
        dollars: For one image.
        source: Title of the page that said so.
        date: When it was read, year and month.
    """

    service: str
    dollars: float
    source: str
    date: str


PRICES = (
    Price("Photoroom, Remove Background, plan Basic", 0.02, "Photoroom API pricing", "2026-05"),
    Price("fal.ai, BEN v2, by megapixel", 0.025, "fal.ai, model page ben-v2-image", "2026-11"),
)
"""Of services whose contract Cutout speaks, those for which a page with a price per image was found."""


def price_table(prices: Sequence[Price] = PRICES) -> str:
    """Write what services ask for 1,000 images of a megapixel."""
    lines = ["| service | 1,000 photos of 1 MP | source, read |", "|---|---:|---|"]
    lines += [f"| {one.service} | ${1000 * one.dollars:.2f} | {one.source}, {one.date} |" for one in prices]
    return "\n".join(lines) + "\n"


def contestants(rows: Iterable[Mapping[str, Any]], workload: str) -> list[Contestant]:
    """Read what was measured. rembg on U2-Netp is taken to need around its network what Cutout needs: a lower bound."""
    of = {row["contestant"]: row for row in rows if row["workload"] == workload and row.get("threads", 1) == 1}
    network_s = of[BARE]["cpu_ms"] / 1000
    around_s = max(0.0, of["cutout"]["cpu_ms"] / 1000 - network_s)
    found = [Contestant("Cutout", network_s, around_s, of["cutout"]["peak_mb"])]
    for name in ("rembg, our network", "rembg, U2-Netp"):
        if name in of:
            total_s = of[name]["cpu_ms"] / 1000
            own_s = network_s if name == "rembg, our network" else max(0.0, total_s - around_s)
            found.append(Contestant(name, own_s, max(0.0, total_s - own_s), of[name]["peak_mb"]))
    return [*found, Contestant("Cutout with IS-Net", MANIFEST_ISNET_S, around_s, 1300)]


def table(found: list[Contestant], gb_second: float = GB_SECOND, request: float = REQUEST) -> str:
    """Write seconds an image and dollars a thousand by memory; a dash where the memory is too small."""
    lines = [
        "| | " + " | ".join(f"{memory:,} MB" for memory in MEMORY_MB) + " |",
        "|---|" + "---:|" * len(MEMORY_MB),
    ]
    for each in found:
        cells = [
            f"{each.wall_s(memory):.2f} s, ${each.dollars(memory, gb_second, request):.4f}"
            if each.peak_mb < memory
            else "-"
            for memory in MEMORY_MB
        ]
        lines.append(f"| {each.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=ROOT / "docs/performance.json")
    parser.add_argument("--workload", default="1-mp")
    parser.add_argument("--gb-second", type=float, default=GB_SECOND)
    parser.add_argument("--request", type=float, default=REQUEST)
    chosen = parser.parse_args()
    figures = json.loads(chosen.bench.read_text())
    rows = figures.get("bench", figures)["rows"]  # of the document's figures, or of one run
    print(table(contestants(rows, chosen.workload), chosen.gb_second, chosen.request))


if __name__ == "__main__":
    main()
