"""The tools that agents get over the Model Context Protocol; their docstrings are what agents read.

Agents name files by path. What they name must lie, links followed, inside the folders that were allowed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, Optional

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from cutout_client.cli.batch import FAILURES, Outcome, run_batch
from cutout_client.cli.done_log import DoneLog
from cutout_client.cli.engines import engine_for
from cutout_client.cli.flags import Connection, Engine, Removal
from cutout_client.cli.sources import UsageError, format_of, plan
from cutout_client.client import Cutout
from cutout_client.images import is_url

_FAILURES_TOLD = 20
Facts = dict[str, Any]


class OutsideError(ValueError):
    """A path is outside the allowed folders."""


class Folders:
    """The folders that agents may read and write."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        """Allow these folders. Relative paths begin in the first one."""
        self._allowed = [each.resolve() for each in allowed]

    def inside(self, name: str) -> Path:
        """Return a path with its links followed.

        Raises:
            OutsideError: It leaves the allowed folders.
        """
        path = (self._allowed[0] / name).resolve()
        if not any(path == each or each in path.parents for each in self._allowed):
            allowed = ", ".join(str(each) for each in self._allowed)
            raise OutsideError(f"{name} is outside the allowed folders: {allowed}")
        return path


class Tools:
    """The tools. Their errors are told to the agent in words."""

    def __init__(self, engine: Engine, connection: Connection, folders: Folders) -> None:
        """Work by this engine or connection, inside these folders."""
        self._engine = engine
        self._connection = connection
        self._folders = folders

    def server(self) -> MCPServer[Any]:
        """Return the MCP server of these tools."""
        server = MCPServer[Any]("cutout", instructions="Removes the backgrounds of photos. Files are named by path.")
        for tool in (self.remove_background, self.make_product_photo, self.batch, self.account):
            server.add_tool(tool, description=cleandoc(tool.__doc__ or ""))
        return server

    async def remove_background(
        self,
        image: str,
        output: str,
        bg_color: Optional[str] = None,
        background: Optional[str] = None,
        crop: bool = False,
        mask_only: bool = False,
    ) -> Facts:
        """Cut the subject out of one image.

        image is a path or URL. output is the path of the file to make; its ending (png, webp, jpg) is the format.
        Without bg_color (CSS name or hex) and background (path or URL of an image) the ground is transparent.
        mask_only makes a gray mask instead.
        """
        options = {"bg_color": bg_color, "crop": crop, "channels": "alpha" if mask_only else "rgba"}
        return await _answer(lambda: self._remove(image, output, options, background))

    async def make_product_photo(
        self,
        image: str,
        output: str,
        width: int = 1600,
        height: int = 1600,
        fill_percent: int = 85,
        bg_color: str = "white",
        shadow: Literal["none", "drop", "contact"] = "none",
    ) -> Facts:
        """Make a shop photo: the subject centred on a plain ground, filling a share of the canvas.

        The defaults fit the main image of most marketplaces: white, square, 85 percent filled, no shadow.
        """
        layout = {"canvas": (width, height), "scale": fill_percent, "position": "center"}
        options = {**layout, "bg_color": bg_color, "shadow": shadow}
        return await _answer(lambda: self._remove(image, output, options))

    async def batch(
        self,
        folder: str,
        output: str,
        format: Literal["png", "jpg", "webp"] = "png",  # noqa: A002 - the name of the option
        bg_color: Optional[str] = None,
        crop: bool = False,
    ) -> Facts:
        """Cut out all images of a folder into another one. What is done and unchanged is skipped."""
        options = {"format": format, "bg_color": bg_color, "crop": crop}
        return await _answer(lambda: self._batch(folder, output, options))

    async def account(self) -> Facts:
        """Tell whose the key is, how many images were used this month, and how many remain."""
        return await _answer(self._account)

    def _remove(self, image: str, output: str, options: Facts, background: Optional[str] = None) -> Facts:
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

    def _batch(self, folder: str, output: str, options: Facts) -> Facts:
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

    def _account(self) -> Facts:
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


async def _answer(work: Callable[[], Facts]) -> Facts:
    try:
        return await asyncio.to_thread(work)
    except (*FAILURES, UsageError) as error:
        raise ToolError(str(error)) from error
