"""All commands, the config file, and the flags before a command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cutout_client._version import __version__
from cutout_client.cli import account, agents, compare, config, machine, remove
from cutout_client.cli.flags import command

app = typer.Typer(
    name="cutout",
    help="Remove the backgrounds of images, over a Cutout service or (--local) in this process.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(remove.remove)
app.command()(remove.watch)
app.command()(compare.compare)
app.command()(machine.models)
app.command()(machine.serve)
app.command()(account.account)
app.command()(account.usage)
app.command()(agents.mcp)
app.add_typer(account.keys, name="keys")
app.add_typer(account.jobs, name="jobs")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cutout {__version__}")
        raise typer.Exit


@app.callback()
@command()
def begin(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Remove the backgrounds of images, over a Cutout service or (--local) in this process.

    Flags may also stand in the config file (see the README) or, key and address, in CUTOUT_API_KEY and
    CUTOUT_BASE_URL.
    """
    del version
    context.default_map = config.load_defaults(config.config_path(), _flags(context.command))


def _flags(group: Any) -> dict[str, Any]:
    """Every command with the names of its flags; a group with its commands."""
    return {
        name: _flags(each) if hasattr(each, "commands") else [flag.name for flag in each.params]
        for name, each in group.commands.items()
    }
