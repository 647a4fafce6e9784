"""``cutout mcp``: tools for agents over the Model Context Protocol, on the service or (--local) in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cutout_client.cli.flags import Connection, Engine, command
from cutout_client.cli.sources import UsageError

Allowed = typer.Option(
    "--allow", metavar="DIR", exists=True, file_okay=False, help="A folder for agents; again for more."
)


@command("How", "Service")
def mcp(
    engine: Engine,
    connection: Connection,
    allow: Annotated[list[Path], Allowed],
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP on 127.0.0.1 instead of stdio.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of --http.")] = 8586,
) -> None:
    """Serve tools for agents by the Model Context Protocol: remove_background, make_product_photo, batch, account.

    For example, in an agent's configuration: cutout mcp --local --allow /home/me/photos
    """
    try:
        from cutout_client.cli.agent_tools import Folders, Tools  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError("the MCP server needs its extra: pip install 'cutout-client[mcp]' (Python 3.10+)") from error
    server = Tools(engine, connection, Folders(allow)).server()
    if http:
        server.run("streamable-http", host="127.0.0.1", port=port)
    else:
        server.run("stdio")
