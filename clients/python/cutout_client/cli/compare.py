"""``cutout compare``: two models or settings side by side, as a page."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cutout_client.cli.batch import run_batch
from cutout_client.cli.display import display_for
from cutout_client.cli.done_log import DoneLog
from cutout_client.cli.engines import engine_for
from cutout_client.cli.failures import INTERRUPTED
from cutout_client.cli.flags import Connection, Engine, Removal, command
from cutout_client.cli.interrupts import Stop
from cutout_client.cli.sources import UsageError, images_in, plan
from cutout_client.options import NAMES

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 110rem; padding: 0 1rem }
.row { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; margin: 0 0 2rem }
figure { margin: 0 } figcaption { overflow-wrap: anywhere; font-size: .85em; opacity: .75 }
img { width: 100%; display: block; border-radius: 6px;
  background: repeating-conic-gradient(#ccc 0 25%, #fff 0 50%) 0 0 / 20px 20px }
header.row { position: sticky; top: 0; background: Canvas; margin: 0; padding: .5rem 0; font-weight: 600 }
"""


@command("How", "Service")
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A folder of cutouts, or settings: model=u2netp,despill=true")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one; - is no settings at all.")],
    photos: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The photos.")],
    engine: Engine,
    connection: Connection,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the page.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Put two models, settings or folders of cutouts side by side, photo by photo, on a page: DIR/index.html.

    For example:

        cutout compare - despill=true photos/ -o sheet/ --local

        cutout compare model=cutout-s,size=hd model=u2netp,size=hd photos/ -o sheet/ --local

        cutout compare before/ after/ photos/ -o sheet/
    """
    made = []
    for name, side in (("a", a), ("b", b)):
        if Path(side).is_dir():
            made.append(_cutouts_in(Path(side)))
            continue
        removal, own = _settings(side, engine)
        code = _make(photos, output / name, removal, own, connection, quiet=quiet)
        if code == INTERRUPTED:
            raise typer.Exit(code)
        made.append(_cutouts_in(output / name))
    page = output / "index.html"
    output.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(photos, (a, b), made, output), encoding="utf-8")
    typer.echo(str(page))


def _settings(text: str, engine: Engine) -> tuple[Removal, Engine]:
    """``model=NAME,option=value,...`` as what is wanted; the model belongs to the engine."""
    if text == "-":
        return Removal({}, None), engine
    pairs = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or name not in NAMES | {"model"}:
            raise UsageError(f"{part!r} is neither a folder nor a setting such as size=hd or model=NAME")
        pairs[name] = value
    model = pairs.pop("model", engine.model)
    return Removal(pairs, None), Engine(engine.local, model, engine.mask_first, engine.jobs)


def _make(photos: Path, folder: Path, removal: Removal, engine: Engine, connection: Connection, *, quiet: bool) -> int:
    alpha = removal.options.get("channels") == "alpha"
    items = plan([str(photos)], folder, "png" if alpha else removal.options.get("format", "png"))
    worker = engine_for(removal, engine, connection, len(items))
    try:
        log = DoneLog(worker.settings())
        with display_for(len(items), as_json=False, quiet=quiet) as display, Stop().listening() as stop:
            summary = run_batch(items, worker, display.show, stop=stop, log=log)
            display.end(summary)
    finally:
        worker.close()
    if summary.hopeless is not None:
        raise summary.hopeless
    return summary.exit_code


def _cutouts_in(folder: Path) -> dict[str, Path]:
    """Cutouts by the path of their photo without its ending."""
    return {each.relative_to(folder).with_suffix("").as_posix(): each for each in images_in(folder)}


def _page(photos: Path, titles: Sequence[str], made: Sequence[dict[str, Path]], output: Path) -> str:
    rows: list[str] = [_row("header", ["photo", *titles])]
    for photo in images_in(photos):
        name = photo.relative_to(photos).as_posix()
        stem = photo.relative_to(photos).with_suffix("").as_posix()
        # plan() gives photos of one stem the whole name.
        found: list[Any] = [side.get(name) or side.get(stem) for side in made]
        cells = [_figure(each, output, name) for each in (photo, *found)]
        rows.append(_row("div", cells, escaped=True))
    title = html.escape(f"{titles[0]} | {titles[1]}")
    body = "\n".join(rows)
    return f'<!doctype html>\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{_STYLE}</style>\n{body}\n'


def _row(tag: str, cells: Sequence[str], *, escaped: bool = False) -> str:
    inside = "".join(cell if escaped else f"<span>{html.escape(cell)}</span>" for cell in cells)
    return f'<{tag} class="row">{inside}</{tag}>'


def _figure(path: Path | None, output: Path, name: str) -> str:
    if path is None:
        return f"<figure><figcaption>no cutout of {html.escape(name)}</figcaption></figure>"
    link = quote(Path(os.path.relpath(path, output)).as_posix())
    caption = f"{html.escape(name)}, {path.stat().st_size / 1e3:.0f} kB"
    image = f'<img loading="lazy" src="{link}" alt="{html.escape(name)}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
