"""Starts the whole service, in order, and stops it in the opposite one: moto, tables, workers, then the gateway."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import uvicorn

from cutout.aws.model_health import ROUTE as MODEL_ROUTE
from local import ROOT
from local.cloud import aws_environment, create_cloud, seed_account
from local.events import HttpRequest, proxy_event
from local.gateway import Gateway, Invoke
from local.invoke_api import InvokeApi
from local.pool import Pool, WarmUpError
from local.resources import Function, Route, Template
from local.routing import Match
from local.state import announced, endpoints, last_error, log_folder, variables
from local.template import load_template
from local.worker import InitError, Outcome, Worker, worker_environment

ZIP_WORKERS = 2
MAX_HEAD_BYTES = 256 * 1024
"""What the HTTP parser takes; the gateway refuses less than that in the API's own words."""
PASSED = (
    "CUTOUT_LEGACY_KEYS", "CUTOUT_MAX_IMAGE_BYTES", "CUTOUT_MAX_OUTPUT_SIDE_PX", "CUTOUT_MAX_PIXELS",
    "CUTOUT_MAX_SIDE_PX", "CUTOUT_MODEL", "CUTOUT_THREADS", "CUTOUT_URL_ALLOW", "CUTOUT_URL_REDIRECTS",
    "CUTOUT_URL_TIMEOUT_S", "LOG_LEVEL",
)  # fmt: skip
"""Settings that the user's shell may give the functions; names of resources are the template's alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve and where. port 0: a free one. state: the folder of logs and endpoints.json.

    workers: processes of an image function, each with the model in memory; 0: one for each core, at least two.
    timeout_s: of image functions, for models that are slow on this machine; 0: as the template says.
    """

    port: int
    template: Path
    state: Path
    key: str
    workers: int = 0
    timeout_s: int = 0


class StartError(Exception):
    """The service cannot be started; the message is one sentence for the user."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Two servers live in this process, so signals are the caller's affair."""
        yield


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[str]:
    """The service, ready to be used, for the time of the block; its URL. Raises StartError or TemplateError."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(options.port))
        port: int = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        logs = log_folder(options.state, port)
        logging.basicConfig(filename=logs / "gateway.log", filemode="w", level=logging.INFO, force=True)
        template = load_template(options.template)
        aws = await stack.enter_async_context(_aws_server(logs))
        internal = stack.enter_context(_listen(0))
        invoke_url = f"http://127.0.0.1:{internal.getsockname()[1]}"
        pools = {
            logical_id: await stack.enter_async_context(_pool(function, aws, invoke_url, logs, options))
            for logical_id, function in template.functions.items()
        }
        invoke = _invoker(pools)
        names = {function.name: logical_id for logical_id, function in template.functions.items()}
        await stack.enter_async_context(_serving(InvokeApi(names, invoke), internal))
        await stack.enter_async_context(_serving(Gateway(template, invoke), listener))
        filling = asyncio.to_thread(_fill_cloud, template, aws, options.key)
        try:
            await asyncio.gather(filling, *(pool.start() for pool in pools.values()))
        except InitError as error:
            raise StartError(f"{error} (logs: {logs})") from error
        except WarmUpError as error:
            cause = last_error(logs / f"{error.function}.log") or str(error)
            raise StartError(f"{error.function} does not work: {cause} (logs: {logs})") from error
        stack.enter_context(announced(options.state, port, endpoints(template, url, aws)))
        yield url


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(f"port {port} cannot be used ({error.strerror}); choose another with PORT=") from error
        listener.listen()
        yield listener


@asynccontextmanager
async def _aws_server(logs: Path) -> AsyncIterator[str]:
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    with (logs / "aws.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local.aws_server"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env=environment | aws_environment(),
            start_new_session=True,
        )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
        url = (await process.stdout.readline()).decode().strip()
        if not url:
            raise StartError(f"moto's server did not start; see {logs / 'aws.log'}")
        yield url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _fill_cloud(template: Template, aws: str, key: str) -> None:
    create_cloud(template, aws)
    for table in variables(template, "CUTOUT_ACCOUNTS_TABLE"):
        seed_account(table, key, aws)


@asynccontextmanager
async def _pool(function: Function, aws: str, invoke_url: str, logs: Path, options: Options) -> AsyncIterator[Pool]:
    """The workers of a function. Those of an image function hold the model and share the cores among them."""
    holds_model = function.package == "Image"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = (options.workers or max(2, cores)) if holds_model else ZIP_WORKERS
    if holds_model and options.timeout_s:
        function = replace(function, timeout_s=options.timeout_s)
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    threads = {"CUTOUT_THREADS": str(max(1, cores // size))}
    environment = worker_environment(
        function,
        aws_environment(aws) | {"AWS_ENDPOINT_URL_LAMBDA": invoke_url},
        {"CUTOUT_INLINE_LIMIT_BYTES": "0", **threads, **passed},
    )
    with (logs / f"{function.name}.log").open("wb") as log:
        start = partial(Worker.start, function, environment, log)
        pool = Pool(function, start, size, warm_event=_warm_event() if holds_model else None)
        try:
            yield pool
        finally:
            await pool.stop()


def _warm_event() -> bytes:
    """The deep health check's event, which loads the model."""
    request = HttpRequest("GET", MODEL_ROUTE, "", (), b"", "127.0.0.1")
    event = proxy_event(request, Match(Route("GET", MODEL_ROUTE, ""), {}), "local", str(uuid4()))
    return json.dumps(event).encode()


def _invoker(pools: dict[str, Pool]) -> Invoke:
    async def invoke(logical_id: str, payload: bytes, request_id: str) -> Outcome:
        return await pools[logical_id].invoke(payload, request_id)

    return invoke


@asynccontextmanager
async def _serving(app: Callable[..., Awaitable[None]], listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
