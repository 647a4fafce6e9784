"""What a run shows: a live bar on a terminal, JSON lines for programs, nothing but errors in a pipe.

Pictures and JSON go to stdout, everything for people to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import typer

from cutout_client.cli.batch import FAILED, Outcome, Summary
from cutout_client.errors import ConnectionFailedError, InvalidApiKeyError, MissingApiKeyError
from cutout_client.results import Result


class Display(Protocol):
    """Shows outcomes as they come, and the summary."""

    def show(self, outcome: Outcome) -> None:
        """Show one outcome."""

    def end(self, summary: Summary) -> None:
        """Show what came of all."""


@contextmanager
def display_for(total: int, *, as_json: bool, quiet: bool) -> Iterator[Display]:
    """Open the display for ``total`` images: JSON if asked for, words for people on a terminal, else errors only."""
    if as_json:
        yield JsonLines()
    elif quiet or not sys.stderr.isatty():
        yield ErrorsOnly()
    elif total == 1:
        yield Words()
    else:
        with _bar(total) as display:
            yield display


class ErrorsOnly:
    """Nothing but errors, one line each."""

    def show(self, outcome: Outcome) -> None:
        """Show a failure."""
        if outcome.status == FAILED:
            typer.echo(f"{outcome.item.source}: {outcome.error}", err=True)

    def end(self, summary: Summary) -> None:
        """Say only what stopped the run."""
        if summary.hopeless is not None and summary.left:
            typer.echo(f"Stopped: {summary.left} images were not tried.", err=True)
        if isinstance(summary.hopeless, ConnectionFailedError):
            typer.echo("Is the service running? cutout serve starts it; --local needs none.", err=True)
        if isinstance(summary.hopeless, (MissingApiKeyError, InvalidApiKeyError)):
            typer.echo("Set CUTOUT_API_KEY, or give --api-key; the key of make run is local-development-key.", err=True)


class Words(ErrorsOnly):
    """For people: what was made, in a sentence."""

    def show(self, outcome: Outcome) -> None:
        """Show one outcome."""
        super().show(outcome)
        result = outcome.result
        if result is not None:
            facts = f"{result.width} x {result.height}, {_size(len(result.content))}, {outcome.seconds:.1f} s"
            typer.echo(f"{outcome.item.target}  ({facts})", err=True)
        elif outcome.status != FAILED:
            typer.echo(f"{outcome.item.target} is up to date; --force makes it anew.", err=True)


class Bar(ErrorsOnly):
    """For people: a bar with rate and remaining time, and a summary."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task
        self._failed = 0
        self._worked = 0

    def show(self, outcome: Outcome) -> None:
        """Move the bar; a failure is told above it."""
        if outcome.status == FAILED:
            self._failed += 1
            self._progress.console.print(f"{outcome.item.source}: {outcome.error}", style="red", markup=False)
        self._worked += outcome.status != "skipped"
        self._progress.update(self._task, advance=1, failed=self._failed, worked=self._worked)

    def end(self, summary: Summary) -> None:
        """Show what came of all."""
        self._progress.stop()
        typer.echo(sentence(summary), err=True)
        super().end(summary)


class JsonLines:
    """A JSON object for each image, and one for all."""

    def show(self, outcome: Outcome) -> None:
        """Write one outcome."""
        line: dict[str, Any] = {"source": outcome.item.source, "output": str(outcome.item.target)}
        line.update(status=outcome.status, seconds=round(outcome.seconds, 3))
        if outcome.result is not None:
            line.update(facts_of(outcome.result))
        if outcome.error is not None:
            line["error"] = {"code": outcome.code, "message": str(outcome.error)}
        typer.echo(json.dumps(line))

    def end(self, summary: Summary) -> None:
        """Write the summary."""
        counts = {"made": summary.made, "skipped": summary.skipped, "failed": summary.failed, "left": summary.left}
        facts = {"seconds": round(summary.seconds, 3), "errors": summary.counts, "exit_code": summary.exit_code}
        typer.echo(json.dumps({"summary": {**counts, **facts}}))


def facts_of(result: Result) -> dict[str, Any]:
    """Return the facts about a result as JSON values."""
    return {
        "width": result.width,
        "height": result.height,
        "bytes": len(result.content),
        "media_type": result.media_type,
        "model": result.model,
        "request_id": result.request_id,
        "timings_ms": {stage: round(ms, 1) for stage, ms in result.timings_ms.items()},
    }


def sentence(summary: Summary) -> str:
    """Return what came of all, in one line."""
    words = [f"{summary.made} made", *([f"{summary.skipped} were done already"] if summary.skipped else [])]
    words += [f"{summary.failed} failed"] if summary.failed else []
    words += [f"{summary.left} left"] if summary.left else []
    rate = f" ({summary.made / summary.seconds:.1f}/s)" if summary.made and summary.seconds else ""
    again = "; the same command goes on from here" if summary.interrupted else ""
    return f"{', '.join(words)} in {summary.seconds:.1f} s{rate}{again}"


@contextmanager
def _bar(total: int) -> Iterator[Bar]:
    from rich.console import Console  # noqa: PLC0415 - takes its time, and one image needs none of it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[red]{task.fields[failures]}"),
    )

    class WithRate(Progress):
        """Adds the rate of what was worked on, without what was skipped."""

        def get_renderables(self) -> Any:
            for task in self.tasks:
                speed = task.fields["worked"] / task.elapsed if task.elapsed else 0.0
                failed = task.fields["failed"]
                task.fields.update(rate=f"{speed:.1f}/s", failures=f"{failed} failed" if failed else "")
            return super().get_renderables()

    with WithRate(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, worked=0, failed=0, rate="", failures="")
        yield Bar(progress, task)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.0f} kB"  # noqa: PLR2004
