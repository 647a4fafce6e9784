"""``cutout remove`` and ``cutout watch``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Optional

import typer

from cutout_client.cli.batch import run_batch
from cutout_client.cli.display import display_for
from cutout_client.cli.done_log import DoneLog
from cutout_client.cli.engines import RemovalEngine, engine_for
from cutout_client.cli.failures import INTERRUPTED
from cutout_client.cli.flags import Connection, Engine, Removal, command
from cutout_client.cli.interrupts import Stop
from cutout_client.cli.sources import FORMATS, STDIN, Item, UsageError, format_of, images_in, plan

_SETTLED_S = 0.5
"""A file whose size and time have not changed for this long has been written."""

Output = Annotated[
    Optional[Path],
    typer.Option("--output", "-o", metavar="OUT", help="A folder, or a file for one image; - is standard output."),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Make everything anew, done or not.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON line for each image and one for all, on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only, as in a pipe.")]


@command("Picture", "Scene", "How", "Service")
def remove(
    sources: Annotated[list[str], typer.Argument(metavar="FILES|DIRS|GLOBS|URLS|-", show_default=False)],
    removal: Removal,
    engine: Engine,
    connection: Connection,
    output: Output = None,
    recursive: Annotated[bool, typer.Option(help="Take images from folders within folders.")] = True,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Remove the backgrounds of images.

    Without --output each cutout lies beside its image as NAME-cutout.png; with a folder the tree of a folder is kept.
    What is done and unchanged is skipped, so the same command goes on after an interruption. "-" reads one image from
    standard input and writes the cutout to standard output.

    Exit codes: 0 all is done, 1 some images failed, 2 wrong usage, 3 the service or the account refuses all work,
    130 Ctrl-C.

    For example:

        cutout remove photo.jpg --local

        cutout remove photos/ -o cutouts/ --format webp -j 8

        cutout remove "shots/**/*.jpg" -o white/ --format jpg --bg-color white --canvas 2000x2000 --scale 85%

        cat photo.jpg | cutout remove - > photo.png
    """
    removal.options.setdefault("format", format_of(output) or "png")
    if sources == [STDIN]:
        _pipe(engine_for(removal, engine, connection), output)
        return
    ending = "png" if removal.options.get("channels") == "alpha" else str(removal.options["format"]).lower()
    items = plan(sources, output, FORMATS.get(ending, ending), recursive=recursive)
    worker = engine_for(removal, engine, connection, len(items))
    # One image that is named is made; only of many it is remembered which are done.
    once = len(items) == 1 and not Path(sources[0]).is_dir()
    log = None if once else DoneLog(worker.settings(), force=force)
    code = _work(items, worker, log, as_json=as_json, quiet=quiet)
    raise typer.Exit(code)


@command("Picture", "Scene", "How", "Service")
def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False)],
    removal: Removal,
    engine: Engine,
    connection: Connection,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A folder.")],
    every: Annotated[float, typer.Option(metavar="S", min=0.05, help="Seconds between two looks.")] = 1.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Remove the backgrounds of all images of a folder, and of those that come or change, until Ctrl-C.

    What failed is tried again when it has changed.
    """
    removal.options.setdefault("format", "png")
    ending = "png" if removal.options.get("channels") == "alpha" else str(removal.options["format"]).lower()
    worker = engine_for(removal, engine, connection, 2)
    log = DoneLog(worker.settings())
    tried: set[tuple[str, int, int]] = set()
    with Stop().listening() as stop:
        while not stop.requested:
            for item in _new_items(folder, output, FORMATS.get(ending, ending), tried):
                with display_for(1, as_json=as_json, quiet=quiet) as display:
                    if not stop.requested and not log.is_done(item):
                        run_batch([item], worker, display.show, stop=stop, log=log)
            stop.sleep(every)
    worker.close()
    raise typer.Exit(INTERRUPTED)


def _new_items(folder: Path, output: Path, ending: str, tried: set[tuple[str, int, int]]) -> list[Item]:
    """Images that are whole and were not tried as they are."""
    images = images_in(folder)
    if not any(output.resolve() not in each.resolve().parents for each in images):
        return []
    new = []
    for item in plan([str(folder)], output, ending):
        found = Path(item.source).stat()
        state = (item.source, found.st_size, found.st_mtime_ns)
        if state not in tried and time.time() - found.st_mtime > _SETTLED_S:
            tried.add(state)
            new.append(item)
    return new


def _work(items: list[Item], worker: RemovalEngine, log: Optional[DoneLog], *, as_json: bool, quiet: bool) -> int:
    """Do all items, show them, and return the exit code."""
    try:
        with display_for(len(items), as_json=as_json, quiet=quiet) as display, Stop().listening() as stop:
            summary = run_batch(items, worker, display.show, stop=stop, log=log)
            display.end(summary)
    finally:
        worker.close()
    return summary.exit_code


def _pipe(worker: RemovalEngine, output: Optional[Path]) -> None:
    """One image from standard input to standard output, or to a file."""
    to_stdout = output is None or str(output) == STDIN
    if to_stdout and sys.stdout.isatty():
        raise UsageError("a picture does not go to a terminal: redirect it, or name --output")
    try:
        result = worker.remove(sys.stdin.buffer.read())
    finally:
        worker.close()
    if to_stdout:
        sys.stdout.buffer.write(result.content)
        sys.stdout.buffer.flush()
    else:
        assert output is not None  # noqa: S101 - it would go to standard output
        result.save(output)
