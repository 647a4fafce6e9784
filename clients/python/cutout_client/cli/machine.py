"""``cutout models`` and ``cutout serve``: what this machine has."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Optional

import typer

from cutout_client import local
from cutout_client.cli.flags import command
from cutout_client.cli.sources import UsageError

HOW = """The local service is not on this machine. It comes with the repository or as a container:

  in a checkout:   make run
  as a container:  docker run -p 8585:8585 cutout

Pictures need no service: cutout remove photo.jpg --local"""


@command()
def models(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """List the models that --local knows; * is the default, and only installed ones can be used."""
    found = local.models()
    if as_json:
        typer.echo(json.dumps([vars(each) for each in found], indent=2))
        return
    width = max(len(each.name) for each in found)
    for each in found:
        mark = "*" if each.is_default else " "
        where = "installed" if each.installed else "not here"
        typer.echo(f"{mark} {each.name:<{width}}  {where:<9}  {each.size_bytes / 1e6:>5.0f} MB  {each.licence}")


@command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0: a free one.")] = 8585,
    checkout: Annotated[
        Optional[Path], typer.Option(metavar="DIR", help="Checkout of the repository; by default it is looked for.")
    ] = None,
) -> None:
    """Start the whole service on this machine, from a checkout of the repository, until Ctrl-C."""
    root = checkout or _checkout()
    if root is None or not (root / "local" / "__main__.py").is_file():
        raise UsageError(HOW)
    python = _python(root)
    if python is None:
        raise UsageError(f"the service in {root} is not set up yet: run make run there once")
    os.chdir(root)
    os.execv(python, [python, "-m", "local", "--port", str(port)])  # noqa: S606 - no shell is wanted


def _checkout() -> Path | None:
    """The checkout of the current folder, of this package, or of the library."""
    library = find_spec("cutout")
    places = [Path.cwd() / "here", Path(__file__)]
    places += [Path(library.origin)] if library is not None and library.origin is not None else []
    return next((found for found in map(local.checkout_of, places) if found is not None), None)


def _python(root: Path) -> str | None:
    """The interpreter that has the service's packages: the checkout's own, or this one."""
    own = root / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if own.is_file():
        return str(own)
    return sys.executable if find_spec("moto") is not None and find_spec("uvicorn") is not None else None
