"""Starts the whole service, in order, and stops it in the opposite one: moto, workers, gateway, pollers."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
from botocore.config import Config

from local import ROOT
from local.cloud import aws_environment, client, create_cloud, seed_account
from local.crew import pool_of
from local.gateway import Gateway, Invoke
from local.invoke_api import InvokeApi
from local.options import Options
from local.poller import Poller
from local.pool import Pool, WarmUpError
from local.resources import EventSource, Queue, Template
from local.site import Site
from local.state import announced, endpoints, last_error, log_folder, queue_url, variables
from local.template import load_template, queue_arn
from local.worker import InitError, Outcome

MAX_HEAD_BYTES = 256 * 1024
"""What the HTTP parser takes; the gateway refuses less than that in the API's own words."""


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
        template = _hurried(load_template(options.template), options.visibility_s)
        aws = await stack.enter_async_context(_aws_server(logs))
        internal = stack.enter_context(_listen(0))
        invoke_url = f"http://127.0.0.1:{internal.getsockname()[1]}"
        routed = {route.function for route in template.routes}
        pools = {
            name: await stack.enter_async_context(
                pool_of(function, routed=name in routed, aws=aws, invoke_url=invoke_url, logs=logs, options=options)
            )
            for name, function in template.functions.items()
        }
        invoke = _invoker(pools)
        names = {function.name: logical_id for logical_id, function in template.functions.items()}
        await stack.enter_async_context(_serving(InvokeApi(names, invoke), internal))
        site = Site(Gateway(template, invoke), aws, options.key)
        await stack.enter_async_context(_serving(site, listener))
        filling = asyncio.to_thread(_fill_cloud, template, aws, options.key)
        try:
            await asyncio.gather(filling, *(pool.start() for pool in pools.values()))
        except InitError as error:
            raise StartError(f"{error} (logs: {logs})") from error
        except WarmUpError as error:
            cause = last_error(logs / f"{error.function}.log") or str(error)
            raise StartError(f"{error.function} does not work: {cause} (logs: {logs})") from error
        for source in template.sources.values():
            queue = template.queues[source.queue]
            await stack.enter_async_context(_polling(source, queue, pools[source.function], aws))
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


def _invoker(pools: dict[str, Pool]) -> Invoke:
    async def invoke(logical_id: str, payload: bytes, request_id: str) -> Outcome:
        return await pools[logical_id].invoke(payload, request_id)

    return invoke


@asynccontextmanager
async def _polling(source: EventSource, queue: Queue, pool: Pool, aws: str) -> AsyncIterator[None]:
    """Feed a queue to a function for the time of the block."""
    poller = Poller(
        client("sqs", aws, Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)),
        queue_url(aws, queue),
        queue_arn(queue.name),
        pool.invoke,
        batch_size=source.batch_size,
        concurrency=min(source.concurrency or pool.size, pool.size),
        partial=source.partial,
    )
    task = asyncio.create_task(poller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _hurried(template: Template, visibility_s: int) -> Template:
    """The template with another visibility timeout of the queues that feed functions; 0 leaves all as it is."""
    fed = {source.queue for source in template.sources.values()} if visibility_s else set()
    queues = {
        name: replace(queue, visibility_s=visibility_s) if name in fed else queue
        for name, queue in template.queues.items()
    }
    return replace(template, queues=queues)


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
