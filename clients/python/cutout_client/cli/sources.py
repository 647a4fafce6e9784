"""What is named on the command line, as images and the files that are made of them."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from cutout_client.images import is_url

STDIN = "-"
ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".gif"}
)
"""Endings of files that are taken from folders; what is named itself is taken whatever its ending."""
FORMATS = {"jpeg": "jpg", "tif": "tiff"}
"""Other names of formats, as endings of files."""
_SUFFIX = "-cutout"
"""Of files that are made beside their image."""
_UNSAFE = re.compile(r"[^\w.-]+")


class UsageError(Exception):
    """What was named is not there or would be overwritten, or flags do not go together."""


@dataclass(frozen=True)
class Item:
    """An image and the file that is made of it.

    Attributes:
        source: Path or URL, as text.
        target: The file that is made.
        log_folder: Folder whose log tells whether that is done.
    """

    source: str
    target: Path
    log_folder: Path


@dataclass(frozen=True)
class _Found:
    source: str
    relative: PurePosixPath


def plan(named: Sequence[str], output: Path | None, ending: str, *, recursive: bool = True) -> list[Item]:
    """Return the images among what was named, in order, each once, and what is made of each.

    Args:
        named: Files, folders, patterns and URLs.
        output: Folder, or file for a single image; None: beside each image (URLs: in the current folder).
        ending: Of the files that are made, without a dot.
        recursive: Whether folders within folders count.

    Raises:
        UsageError: A file is missing, a folder has no image, or an image would be overwritten.
    """
    found = list(_unique(each for name in named for each in _find(name, output, recursive=recursive)))
    if output is not None and names_file(output):
        if len(found) != 1:
            raise UsageError(f"{output} is one file, but there are {len(found)} images: name a folder")
        items = [Item(found[0].source, output, output.parent)]
    else:
        items = [_item(each, output, ending) for each in found]
    items = _apart(items, ending)
    sources = {os.path.realpath(item.source) for item in items}
    for item in items:
        if os.path.realpath(item.target) in sources:
            raise UsageError(f"{item.target} is one of the images: name another output")
    return items


def names_file(output: Path) -> bool:
    """Whether an output is meant as a file: it has the ending of an image and is no folder."""
    return output.suffix.lower() in ENDINGS | {".zip"} and not output.is_dir()


def format_of(output: Path | None) -> str | None:
    """Return the format that the name of an output asks for."""
    if output is None or not names_file(output):
        return None
    ending = output.suffix[1:].lower()
    return {"jpe": "jpg", "jfif": "jpg", **FORMATS}.get(ending, ending)


def images_in(folder: Path, *, recursive: bool = True) -> list[Path]:
    """Return the images of a folder, sorted; hidden ones and those made by this command are left out."""
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(each for each in found if _is_image(each, folder))


def _is_image(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in ENDINGS and not hidden and not path.stem.endswith(_SUFFIX) and path.is_file()


def _find(name: str, output: Path | None, *, recursive: bool) -> Iterator[_Found]:
    path = Path(name)
    if is_url(name):
        last = unquote(PurePosixPath(urlsplit(name).path).name)
        yield _Found(name, PurePosixPath(_UNSAFE.sub("_", last) or "image"))
    elif path.is_dir():
        yield from _in_folder(path, output, recursive=recursive)
    elif path.exists():
        yield _Found(name, PurePosixPath(path.name))
    elif glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - pathlib knows no absolute patterns
        if not matches:
            raise UsageError(f"nothing matches {name}")
        for match in matches:
            if Path(match).is_file() and Path(match).suffix.lower() in ENDINGS:
                yield _Found(match, PurePosixPath(Path(match).name))
    else:
        raise UsageError(f"there is no file {name}")


def _in_folder(folder: Path, output: Path | None, *, recursive: bool) -> Iterator[_Found]:
    inside = images_in(folder, recursive=recursive)
    made = None if output is None else output.resolve()
    if made is not None and made != folder.resolve():
        inside = [each for each in inside if made not in each.resolve().parents]
    if not inside:
        raise UsageError(f"there is no image in {folder}")
    for each in inside:
        yield _Found(str(each), PurePosixPath(each.relative_to(folder).as_posix()))


def _unique(found: Iterable[_Found]) -> Iterator[_Found]:
    seen = set()
    for each in found:
        identity = each.source if is_url(each.source) else os.path.realpath(each.source)
        if identity not in seen:
            seen.add(identity)
            yield each


def _item(found: _Found, output: Path | None, ending: str) -> Item:
    stem = found.relative.stem or "image"
    if output is not None:
        return Item(found.source, output / found.relative.parent / f"{stem}.{ending}", output)
    folder = Path() if is_url(found.source) else Path(found.source).parent
    return Item(found.source, folder / f"{stem}{_SUFFIX}.{ending}", folder)


def _apart(items: list[Item], ending: str) -> list[Item]:
    """Items whose targets differ: a.jpg and a.png become a.jpg.png and a.png.png; what still collides is counted."""
    times = Counter(item.target for item in items)
    apart: list[Item] = []
    taken: set[Path] = set()
    for item in items:
        target = item.target
        if times[target] > 1:
            name = Path(urlsplit(item.source).path if is_url(item.source) else item.source).name
            target = target.with_name(f"{_UNSAFE.sub('_', name)}.{ending}")
        number = 2
        while target in taken:
            target = target.with_name(f"{Path(target.stem).stem}-{number}.{ending}")
            number += 1
        taken.add(target)
        apart.append(Item(item.source, target, item.log_folder))
    return apart
