"""Which dialect is tested for what: a table of tests passed, from pytest's JUnit report.

    pytest tests/dialects tests/clients --junit-xml report.xml; python tools/matrix.py report.xml

A cell is "passed" or, when not all did, "passed/all". Tests tell by the marker ``covers`` what they are for.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

KINDS = ("happy", "options", "errors", "auth", "limits", "clients", "document", "fuzz")


def covered(report: Path) -> Iterator[tuple[str, str, bool]]:
    """Dialect, kind, and whether it passed, of each test in the report that covers something."""
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        passed = not any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
        for prop in case.iter("property"):
            if prop.get("name") == "covers":
                dialect, _, kind = prop.get("value", "").partition(" ")
                yield dialect, kind, passed


def table(rows: list[tuple[str, str, bool]]) -> str:
    """The matrix in Markdown."""
    passed = Counter((dialect, kind) for dialect, kind, good in rows if good)
    every = Counter((dialect, kind) for dialect, kind, _ in rows)
    heads = [["dialect", *KINDS], ["---", *("---:" for _ in KINDS)]]
    names = sorted({dialect for dialect, *_ in rows})
    lines = [[name, *(_cell(passed[name, kind], every[name, kind]) for kind in KINDS)] for name in names]
    return "\n".join(f"| {' | '.join(line)} |" for line in heads + lines)


def _cell(passed: int, every: int) -> str:
    return str(passed) if passed == every else f"{passed}/{every}"


def main() -> int:
    """Print the table; 1 when something in it did not pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="what pytest --junit-xml wrote")
    rows = list(covered(parser.parse_args().report))
    print(table(rows))
    return int(not all(good for *_, good in rows))


if __name__ == "__main__":
    sys.exit(main())
