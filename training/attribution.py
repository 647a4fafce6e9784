"""Tables of sources and credits for the photos of the second part: ``python -m training.attribution --help``.

``sources.tsv`` has a row for every source that the shards hold, with what its repository says about its licence;
``credits.tsv`` has a row for every photo whose credit names a Creative Commons licence or whose source has one.
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path

from training import found

LISTS = {  # files of sources and of their photos
    "living": "living-attribution",
    "objects": "objects-manifest",
    "people-animals": "people-animals-attribution",
    "things": "things-attribution",
}
COLUMNS = ("source", "photos", "kind", "repository", "commit", "licence", "statement", "remarks")
CREDITS = ("caption / credit / licence as given in the repository", "credit / licence", "credit")
PATHS = ("path (#crop x0,y0,x1,y1)", "path (blob:path for files from the history; #crop x0,y0,x1,y1)", "path")
WANTS_CREDIT = re.compile(r"\bCC[ -]?BY|Attribution", re.IGNORECASE)
Row = dict[str, str]


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the shards, with attribution/ in it")
    parser.add_argument("output", type=Path, help="folder to write to")
    options = parser.parse_args()
    names = {p.name for shard in (*found.SHARDS, found.EMPTY_SHARD) for p in found.read(options.data, shard)}
    lists = {name: rows(options.data / "attribution" / f"{name}.tsv") for pair in LISTS.items() for name in pair}
    known = {row["source"]: row for name in LISTS for row in lists[name]}
    used = [of_source(source, known[source], names) for source in sorted({n.split("/")[0] for n in names})]
    write(options.output / "sources.tsv", COLUMNS, used)
    free = {row["source"] for row in used if not WANTS_CREDIT.search(row["licence"] + row["statement"])}
    credits_ = [of_photo(row) for name in LISTS.values() for row in lists[name]]
    due = {r["photo"]: r for r in credits_ if r["photo"] in names and wants_credit(r, free)}
    write(options.output / "credits.tsv", ("photo", "origin", "credit"), [due[name] for name in sorted(due)])


def wants_credit(row: Row, free: set[str]) -> bool:
    """Whether a photo's credit names such a licence, or its source has one."""
    return row["photo"].split("/")[0] not in free or bool(WANTS_CREDIT.search(row["credit"]))


def of_source(source: str, row: Row, names: set[str]) -> Row:
    """A row of ``sources.tsv``."""
    remarks = next(value for key, value in row.items() if key.startswith("remarks"))
    values = (
        source,
        str(sum(name.startswith(f"{source}/") for name in names)),
        re.sub(r"^[a-f] (?=\w)", "", row["kind"]),
        row["repository"],
        row["commit"][:12],
        row["licence of repository"],
        row["licence of data (quote, file)"],
        remarks,
    )
    return dict(zip(COLUMNS, (short(value) for value in values), strict=True))


def of_photo(row: Row) -> Row:
    """A row of ``credits.tsv``: the photo's name, where it is from, and the credit as it stands there."""
    name = f"{row['source']}/{row['file'].partition('.')[0]}"
    path = next((row[key] for key in PATHS if row.get(key)), row.get("path in repository", ""))
    credit = next((row[key] for key in CREDITS if row.get(key)), "")
    return {"photo": name, "origin": short(path, 160), "credit": short(credit, 300)}


def short(value: str, most: int = 240) -> str:
    """One line without tabs, cut off after ``most`` characters."""
    line = " ".join(value.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def rows(path: Path) -> list[Row]:
    """The rows of a table with a head."""
    with path.open(encoding="utf-8", newline="") as table:
        return [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(table, delimiter="\t")]


def write(path: Path, columns: tuple[str, ...], table: list[Row]) -> None:
    """A table with a head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, columns, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None
        )
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
