"""Every photo that wants a credit has one."""

from __future__ import annotations

from training import attribution


def row(credit: str = "", path: str = "a.jpg") -> dict[str, str]:
    return {"source": "birds", "file": "0007.jpg", "path": path, "credit": credit}


def test_a_photo_is_named_as_in_the_shard():
    made = attribution.of_photo(row("A. Author,\tCC BY 4.0"))
    assert made == {"photo": "birds/0007", "origin": "a.jpg", "credit": "A. Author, CC BY 4.0"}


def test_a_credit_is_due_by_the_photos_licence_or_by_its_sources():
    free, bound = frozenset({"birds"}), frozenset()
    assert attribution.wants_credit(attribution.of_photo(row("A. Author, CC BY-SA 3.0")), set(free))
    assert not attribution.wants_credit(attribution.of_photo(row("NASA, public domain")), set(free))
    assert attribution.wants_credit(attribution.of_photo(row()), set(bound))


def test_a_table_has_one_line_a_row(tmp_path):
    attribution.write(tmp_path / "deep" / "t.tsv", ("a", "b"), [{"a": "1", "b": attribution.short("x\ny " * 100)}])
    lines = (tmp_path / "deep" / "t.tsv").read_text().splitlines()
    assert lines[0] == "a\tb"
    assert len(lines) == 2
    assert lines[1].endswith("...")
