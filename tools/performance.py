"""Write the measured parts of ``docs/performance.md``, and its plot, from the figures in ``docs/performance.json``.

    .venv/bin/python -m tools.performance [--take dist/bench.json dist/cold_start.json ...]

``--take`` first puts the results of ``tools/bench.py`` and ``tools/cold_start.py`` among the figures; of a benchmark
what was measured anew replaces the same workload's rows. The plot needs matplotlib, which .venv-bench has.
"""

import argparse
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools import costs

ROOT = Path(__file__).resolve().parents[1]
FIGURES, DOCUMENT = ROOT / "docs/performance.json", ROOT / "docs/performance.md"
PLOT_FILE, PLOT_PYTHON = ROOT / "docs/images/performance.png", ROOT / ".venv-bench/bin/python"
BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PLOT = """
import json, sys
import matplotlib; matplotlib.use("agg")
from matplotlib import pyplot
rows = [row for row in json.load(open(sys.argv[1]))["bench"]["rows"] if row["threads"] == 1]
names = [name for name in dict.fromkeys(row["workload"] for row in rows) if "(" not in name and "cold" not in name]
who = list(dict.fromkeys(row["contestant"] for row in rows))
times = {(row["workload"], row["contestant"]): row["cpu_ms"] for row in rows}
figure, axes = pyplot.subplots(figsize=(10, 0.5 + 0.6 * len(names)), layout="constrained")
for offset, each in enumerate(who):
    heights = [times.get((name, each), 0) for name in names]
    axes.barh([y + 0.8 * offset / len(who) for y in range(len(names))], heights, 0.8 / len(who), label=each)
axes.set(xscale="log", xlabel="processor time, ms")
axes.set_yticks([y + 0.3 for y in range(len(names))], names)
axes.invert_yaxis()
axes.legend()
figure.savefig(sys.argv[2], dpi=110, metadata={"Software": None})
"""
Rows = list[dict[str, Any]]


def main() -> None:
    """Take results, write the document, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", nargs="*", type=Path, default=[], help="results of measurements")
    chosen = parser.parse_args()
    figures = json.loads(FIGURES.read_text())
    for file in chosen.take:
        take(figures, json.loads(file.read_text()))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    DOCUMENT.write_text(document(DOCUMENT.read_text(), figures))
    if PLOT_PYTHON.exists():
        subprocess.run([PLOT_PYTHON, "-c", PLOT, FIGURES, PLOT_FILE], check=True)  # noqa: S603 - ours


def take(figures: dict[str, Any], results: Mapping[str, Any]) -> None:
    """Put the results of one run among the figures.

    Args:
        figures: What ``docs/performance.json`` holds; changed.
        results: What ``tools/bench.py`` or ``tools/cold_start.py`` has written.
    """
    if "runs" in results:
        figures["cold_start"] = results
        return
    measured = [row | {"rounds": results["rounds"], "load": results["machine"]["load"]} for row in results["rows"]]
    new = {_key(row) for row in measured}
    kept = [row for row in figures.get("bench", {"rows": []})["rows"] if _key(row) not in new]
    figures["bench"] = {"machine": results["machine"], "rows": sorted(kept + measured, key=_order)}


def document(text: str, figures: Mapping[str, Any]) -> str:
    """Replace every part between ``<!-- figures: NAME -->`` and ``<!-- end -->``.

    Args:
        text: The document.
        figures: What ``docs/performance.json`` holds.

    Returns:
        The document with what the figures say.
    """
    return BLOCK.sub(lambda found: f"{found[1]}\n{PARTS[found[2]](figures)}\n{found[3]}", text)


def beside(figures: Mapping[str, Any]) -> str:
    """Write every contestant's warm photos, without options, on one thread."""
    rows = [row for row in _rows(figures) if not _is_cold(row) and "(" not in row["workload"]]
    return _compared(rows, figures)


def two_threads(figures: Mapping[str, Any]) -> str:
    """Write what was measured on two threads of the network."""
    rows = [row for row in _rows(figures, threads=2) if not _is_cold(row)]
    head = "| photo, two threads | contestant | CPU ms | by the clock, ms | peak MB |\n|---|---|---:|---:|---:|\n"
    return head + "".join(
        f"| {row['workload']} | {row['contestant']} | {row['cpu_ms']:,.0f} | {row['wall_ms']:,.0f} "
        f"| {row['peak_mb']:,.0f} |\n"
        for row in rows
    )


def cold_processes(figures: Mapping[str, Any]) -> str:
    """Write fresh processes, from their start to the first answer, of the bare network's."""
    rows = [row for row in _rows(figures) if _is_cold(row)]
    bare = {row["workload"]: row["cpu_ms"] for row in rows if row["contestant"] == costs.BARE}
    head = "| photo | contestant | CPU ms | ± | of the bare network's |\n|---|---|---:|---:|---:|\n"
    return head + "".join(
        f"| {row['workload']} | {row['contestant']} | {row['cpu_ms']:,.0f} | {row['spread_ms']:,.0f} "
        f"| {row['cpu_ms'] / bare[row['workload']]:.2f} |\n"
        for row in rows
    )


def asked_for(figures: Mapping[str, Any]) -> str:
    """Write what Cutout makes by options, of 1 and of 12 megapixels."""
    times = {row["workload"]: row["cpu_ms"] for row in _rows(figures)}
    options = dict.fromkeys(name.split("(")[1][:-1] for name in times if "(" in name)

    def cell(size: str, option: str) -> str:
        return f"{times[f'{size} ({option})']:,.0f}" if f"{size} ({option})" in times else "-"

    lines = [f"| {option} | {cell('1-mp', option)} | {cell('12-mp', option)} |\n" for option in options]
    return "| CPU ms | 1 MP | 12 MP |\n|---|---:|---:|\n" + "".join(lines)


def cold_starts(figures: Mapping[str, Any]) -> str:
    """Write the functions' cold starts, with the ratio to another checkout where there was one."""
    head = "| function | event | processor ms | of before | clock ms | of before |\n|---|---|---:|---:|---:|---:|\n"

    def ratio(row: Mapping[str, Any], kind: str) -> str:
        return f"{row[f'ratio_{kind}']:.2f}" if f"ratio_{kind}" in row else "-"

    return head + "".join(
        f"| {row['function'].removesuffix('Function')} | {row['event']} | {row['here_cold_cpu_ms']:,.0f} "
        f"| {ratio(row, 'cold_cpu_ms')} | {row['here_cold_ms']:,.0f} | {ratio(row, 'cold_ms')} |\n"
        for row in figures["cold_start"]["rows"]
    )


def lambda_costs(figures: Mapping[str, Any]) -> str:
    """Write time and Lambda's price by memory."""
    return costs.table(costs.contestants(figures["bench"]["rows"], "1-mp"))


def machine(figures: Mapping[str, Any]) -> str:
    """Write on what the benchmark and the cold starts were measured."""
    return "".join(_sentence(name, figures[part]) for part, name in (("bench", "Photos"), ("cold_start", "Starts")))


PARTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "machine": machine,
    "beside": beside,
    "two-threads": two_threads,
    "cold-processes": cold_processes,
    "asked-for": asked_for,
    "cold-starts": cold_starts,
    "costs": lambda_costs,
    "prices": lambda _: costs.price_table(),
}
"""Names of parts in the document, and what writes each."""


def _rows(figures: Mapping[str, Any], threads: int = 1) -> Rows:
    return [row for row in figures["bench"]["rows"] if row["threads"] == threads]


def _compared(rows: Rows, figures: Mapping[str, Any]) -> str:
    ours = {row["workload"]: row["cpu_ms"] for row in _rows(figures) if row["contestant"] == "cutout"}
    head = (
        "| photo | contestant | CPU ms | ± | of Cutout's | peak MB | MB out | rounds, load |\n|---|---|" + "---:|" * 6
    )
    return (
        head
        + "".join(
            f"\n| {row['workload']} | {row['contestant']} | {row['cpu_ms']:,.0f} | {row['spread_ms']:,.0f} "
            f"| {row['cpu_ms'] / ours[row['workload']]:.2f} | {row['peak_mb']:,.0f} | {row['bytes'] / 1e6:.2f} "
            f"| {row['rounds']}, {row['load']:.0f} |"
            for row in rows
        )
        + "\n"
    )


def _sentence(name: str, part: Mapping[str, Any]) -> str:
    seen = part["machine"]
    versions = ", ".join(f"{package} {number}" for package, number in seen["versions"].items())
    where = f"{name}: {seen['date']}, {seen['processor']}, {seen['cores']} cores, load {seen['load']}"
    return f"{where}{f'; {versions}' if name == 'Photos' else ''}.\n"  # the functions have their lock file's


def _is_cold(row: Mapping[str, Any]) -> bool:
    return str(row["workload"]).endswith(" cold")


def _key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["workload"], row["contestant"], row["threads"]


def _order(row: Mapping[str, Any]) -> tuple[bool, bool, float, str]:
    """Plain photos before options, small ones first."""
    name = str(row["workload"])
    number, unit = name.split(" ", maxsplit=1)[0].split("-")[:2]
    return "(" in name, _is_cold(row), int(number) * (1.0 if unit == "mp" else 1e-4), name


if __name__ == "__main__":
    main()
