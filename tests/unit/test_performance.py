import json

import pytest

from tools.performance import DOCUMENT, FIGURES, PARTS, document, take

MACHINE = {"date": "2026-01-01", "processor": "one", "cores": 2, "load": 1.0, "versions": {"numpy": "2"}}


def row(workload: str, contestant: str, cpu_ms: float, threads: int = 1) -> dict[str, object]:
    return {
        "workload": workload, "contestant": contestant, "threads": threads, "cpu_ms": cpu_ms,
        "spread_ms": 1.0, "wall_ms": cpu_ms, "cold_ms": 0.0, "peak_mb": 100.0, "bytes": 1_000_000,
    }  # fmt: skip


def test_the_document_says_what_the_figures_say():
    text = DOCUMENT.read_text()
    assert document(text, json.loads(FIGURES.read_text())) == text, "make performance"
    assert all(f"<!-- figures: {name} -->" in text for name in PARTS)


def test_what_is_measured_anew_replaces_the_same_workload_alone():
    figures: dict[str, object] = {}
    for rows in ([row("1-mp", "cutout", 200), row("12-mp", "cutout", 900)], [row("1-mp", "cutout", 100)]):
        take(figures, {"machine": MACHINE, "rounds": 1, "rows": rows})
    take(figures, {"machine": MACHINE, "rounds": 1, "rows": [row("1-mp", "bare network", 50)]})

    table = document("a\n<!-- figures: beside -->\n<!-- end -->\nb\n", figures)

    assert table.startswith("a\n<!-- figures: beside -->\n\n| photo |")
    assert table.endswith("\n\n<!-- end -->\nb\n")
    assert "| 1-mp | cutout | 100 | 1 | 1.00 |" in table
    assert "| 1-mp | bare network | 50 | 1 | 0.50 |" in table
    assert "| 12-mp | cutout | 900 | 1 | 1.00 |" in table
    assert "200" not in table


def test_an_unknown_part_is_an_error():
    with pytest.raises(KeyError):
        document("<!-- figures: nothing -->\n<!-- end -->", {})
