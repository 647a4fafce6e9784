"""``cutout mcp``: tools for agents over the Model Context Protocol, on the service or (--local) in this process.

Agents name files by path. What they name must lie, links followed, inside the folders that were allowed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from cutout_client.cli.batch import FAILURES, Outcome, run_batch
from cutout_client.cli.done_log import DoneLog
from cutout_client.cli.engines import engine_for
from cutout_client.cli.flags import Connection, Engine, Removal, command
from cutout_client.cli.sources import UsageError, format_of, plan
from cutout_client.client import Cutout
from cutout_client.images import is_url

Format = Literal["png", "jpg", "webp"]
_FAILURES_TOLD = 20


class OutsideError(ValueError):
    """A path is outside the allowed folders."""


class Folders:
    """The folders that agents may read and write."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        self._allowed = [each.resolve() for each in allowed]

    def inside(self, name: str) -> Path:
        """Return a path with its links followed; a relative one begins in the first folder.

        Raises:
            OutsideError: It leaves the allowed folders.
        """
        path = (self._allowed[0] / name).resolve()
        if not any(path == each or each in path.parents for each in self._allowed):
            allowed = ", ".join(str(each) for each in self._allowed)
            raise OutsideError(f"{name} is outside the allowed folders: {allowed}")
        return path


class Tools:
    """What the tools do; each returns JSON values and raises ValueError, OSError or CutoutError."""

    def __init__(self, engine: Engine, connection: Connection, folders: Folders) -> None:
        self._engine = engine
        self._connection = connection
        self._folders = folders

    def remove(self, image: str, output: str, options: dict[str, Any], background: str | None = None) -> dict[str, Any]:
        """Make one cutout."""
        target = self._folders.inside(output)
        options.setdefault("format", format_of(target) or "png")
        source = self._source(image)
        behind = None if background is None else self._source(background)
        worker = engine_for(Removal(options, behind), self._engine, self._connection)
        try:
            result = worker.remove(source)
        finally:
            worker.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        result.save(target)
        return {"output": str(target), "width": result.width, "height": result.height, "model": result.model}

    def batch(self, folder: str, output: str, options: dict[str, Any]) -> dict[str, Any]:
        """Make the cutouts of a folder; what is done and unchanged is skipped."""
        source, target = self._folders.inside(folder), self._folders.inside(output)
        items = plan([str(source)], target, options["format"])
        for item in items:
            self._folders.inside(item.source)
        worker = engine_for(Removal(options, None), self._engine, self._connection, len(items))
        failures: list[str] = []

        def tell(outcome: Outcome) -> None:
            if outcome.error is not None:
                failures.append(f"{outcome.item.source}: {outcome.error}")

        try:
            summary = run_batch(items, worker, tell, log=DoneLog(worker.settings()))
        finally:
            worker.close()
        counts = {"made": summary.made, "skipped": summary.skipped, "failed": summary.failed, "left": summary.left}
        return {"output": str(target), **counts, "failures": failures[:_FAILURES_TOLD]}

    def account(self) -> dict[str, Any]:
        """Tell whose the key is, and what was used."""
        if self._engine.local:
            return {"mode": "local", "quota": None}
        with Cutout(self._connection.api_key, self._connection.base_url) as client:
            found = client.account()
        return {**vars(found), "usage": vars(found.usage)}

    def _source(self, image: str) -> str:
        if not is_url(image):
            return str(self._folders.inside(image))
        if self._engine.local:
            raise OutsideError("URLs are for the service, which guards what is fetched: download the image first")
        return image


def build(tools: Tools) -> Any:
    """Return the MCP server of these tools."""
    from mcp.server.mcpserver import MCPServer  # noqa: PLC0415 - an extra
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415

    server = MCPServer("cutout", instructions="Removes the backgrounds of photos. Files are named by path.")

    async def answer(work: Any, *given: Any) -> dict[str, Any]:
        try:
            result: dict[str, Any] = await asyncio.to_thread(work, *given)
        except (*FAILURES, UsageError) as error:
            raise ToolError(str(error)) from error
        return result

    @server.tool()
    async def remove_background(
        image: str,
        output: str,
        bg_color: Optional[str] = None,
        background: Optional[str] = None,
        crop: bool = False,
        mask_only: bool = False,
    ) -> dict[str, Any]:
        """Cut the subject out of one image.

        image is a path or URL. output is the path of the file to make; its ending (png, webp, jpg) is the format.
        Without bg_color (CSS name or hex) and background (path or URL of an image) the ground is transparent.
        mask_only makes a gray mask instead.
        """
        options = {"bg_color": bg_color, "crop": crop, "channels": "alpha" if mask_only else "rgba"}
        return await answer(tools.remove, image, output, options, background)

    @server.tool()
    async def make_product_photo(
        image: str,
        output: str,
        width: int = 1600,
        height: int = 1600,
        fill_percent: int = 85,
        bg_color: str = "white",
        shadow: Literal["none", "drop", "contact"] = "none",
    ) -> dict[str, Any]:
        """Make a shop photo: the subject centred on a plain ground, filling a share of the canvas.

        The defaults fit the main image of most marketplaces: white, square, 85 percent filled, no shadow.
        """
        layout = {"canvas": (width, height), "scale": fill_percent, "position": "center"}
        options = {**layout, "bg_color": bg_color, "shadow": shadow}
        return await answer(tools.remove, image, output, options)

    @server.tool()
    async def batch(
        folder: str,
        output: str,
        format: Format = "png",  # noqa: A002 - the name of the option
        bg_color: Optional[str] = None,
        crop: bool = False,
    ) -> dict[str, Any]:
        """Cut out all images of a folder into another one. What is done and unchanged is skipped."""
        return await answer(tools.batch, folder, output, {"format": format, "bg_color": bg_color, "crop": crop})

    @server.tool()
    async def account() -> dict[str, Any]:
        """Tell whose the key is, how many images were used this month, and how many remain."""
        return await answer(tools.account)

    return server


@command("How", "Service")
def mcp(
    engine: Engine,
    connection: Connection,
    allow: Annotated[
        list[Path],
        typer.Option(
            "--allow", metavar="DIR", exists=True, file_okay=False, help="A folder for agents; again for more."
        ),
    ],
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP on 127.0.0.1 instead of stdio.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of --http.")] = 8586,
) -> None:
    """Serve tools for agents by the Model Context Protocol: remove_background, make_product_photo, batch, account.

    For example, in an agent's configuration: cutout mcp --local --allow /home/me/photos
    """
    try:
        server = build(Tools(engine, connection, Folders(allow)))
    except ImportError as error:
        raise UsageError("the MCP server needs its extra: pip install 'cutout-client[mcp]' (Python 3.10+)") from error
    if http:
        server.run("streamable-http", host="127.0.0.1", port=port)
    else:
        server.run("stdio")
