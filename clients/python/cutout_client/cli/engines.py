"""What does the work of the command line: the service over HTTP, or the pipeline in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Union

from cutout_client.cli.flags import Connection, Engine, Removal
from cutout_client.cli.sources import UsageError
from cutout_client.images import is_url
from cutout_client.options import to_fields
from cutout_client.results import Result

_REMOTE_JOBS = 4
"""Requests at once: enough to hide the network, few enough for small accounts."""
_DOWNLOAD_S = 30.0


class RemovalEngine(Protocol):
    """Removes backgrounds; threads may share it."""

    jobs: int
    """Images that are worked on at once."""

    def remove(self, source: Union[str, bytes]) -> Result:
        """Return the cutout of a file, a URL or encoded bytes. Raises CutoutError, OSError."""

    def settings(self) -> Mapping[str, Any]:
        """Return what decides how a picture looks."""

    def close(self) -> None:
        """Give up what it holds."""


def engine_for(removal: Removal, engine: Engine, connection: Connection, count: int = 1) -> RemovalEngine:
    """Return the engine that was asked for.

    Args:
        removal: What is wanted.
        engine: Which engine, and how many images at once.
        connection: The service.
        count: Images that there are.

    Raises:
        CutoutError: The local pipeline is not installed, or has no such model.
        UsageError: The base URL is none, or flags do not go together.
    """
    if engine.local:
        if engine.mask_first:
            raise UsageError("--mask-first is for the service: --local works at full size anyway")
        return LocalEngine(removal, engine, count)
    if engine.model:
        raise UsageError("--model is for --local: the service chooses its own model")
    return RemoteEngine(removal, engine, connection)


class RemoteEngine:
    """The service."""

    def __init__(self, removal: Removal, engine: Engine, connection: Connection) -> None:
        """Make the client; nothing is sent yet."""
        from cutout_client.client import Cutout  # noqa: PLC0415 - not loaded for --local

        self.jobs = engine.jobs or _REMOTE_JOBS
        self._removal = removal
        self._mask_first = engine.mask_first
        try:
            if engine.mask_first:
                from cutout_client.mask_first import check  # noqa: PLC0415 - needs an extra

                check(removal.background, removal.options)
            self._client = Cutout(
                connection.api_key, connection.base_url, timeout_s=connection.timeout, connections=self.jobs + 2
            )
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error

    def remove(self, source: Union[str, bytes]) -> Result:
        """See :class:`RemovalEngine`."""
        return self._client.remove(
            source, background=self._removal.background, mask_first=self._mask_first, **self._removal.options
        )

    def settings(self) -> Mapping[str, Any]:
        """See :class:`RemovalEngine`."""
        return {**_wanted(self._removal), "engine": "mask_first" if self._mask_first else "service"}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class LocalEngine:
    """The pipeline in this process: one model, several images at once."""

    def __init__(self, removal: Removal, engine: Engine, count: int) -> None:
        """Load the model."""
        from cutout_client.local import LocalPipeline  # noqa: PLC0415 - not loaded for the service

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.jobs = engine.jobs or max(1, min(cores, count))
        self._removal = removal
        self._fields = to_fields(removal.options)
        self._background = None if removal.background is None else _bytes(removal.background)
        # Images side by side use all cores; threads within one inference would only wait for each other. Those of
        # numpy's products always do, and busily; their library reads this when numpy is first imported.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._pipeline = LocalPipeline(engine.model or "", threads=max(1, cores // self.jobs))

    def remove(self, source: Union[str, bytes]) -> Result:
        """See :class:`RemovalEngine`."""
        return self._pipeline.remove(_bytes(source), self._fields, self._background)

    def settings(self) -> Mapping[str, Any]:
        """See :class:`RemovalEngine`."""
        return {**_wanted(self._removal), "engine": f"local {self._pipeline.model}"}

    def close(self) -> None:
        """Nothing is held."""


def _wanted(removal: Removal) -> dict[str, Any]:
    behind = removal.background
    if behind is not None and not is_url(behind):
        found = Path(behind).stat()
        behind = f"{os.path.realpath(behind)} {found.st_size} {found.st_mtime_ns}"
    return {**to_fields(removal.options), "background": behind}


def _bytes(source: Union[str, bytes]) -> bytes:
    """An encoded image; a URL is fetched."""
    if isinstance(source, bytes):
        return source
    if not is_url(source):
        return Path(source).read_bytes()
    import httpx  # noqa: PLC0415 - not loaded for files

    from cutout_client.errors import ConnectionFailedError  # noqa: PLC0415

    try:
        answer = httpx.get(source, follow_redirects=True, timeout=_DOWNLOAD_S)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionFailedError(f"{source} cannot be fetched: {error}") from error
    return answer.content
