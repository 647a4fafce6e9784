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
from local.function_pool import function_pool
from local.gateway import Gateway
from local.invoke_api import InvokeApi
from local.options import Options
from local.poller import Poller
from local.pool import Pool, ProbeError
from local.resources import EventSource, Queue, Template
from local.site import Site
from local.state import endpoints, endpoints_file, environment_values, last_error, log_folder, queue_url
from local.streaming import Sink
from local.template import load_template, queue_arn
from local.worker import InitError, Outcome

MAX_HEAD_BYTES = 256 * 1024
"""Limit of the HTTP parser; the gateway refuses less than that in the API's own words."""


class StartError(Exception):
    """The service cannot be started; the message is one sentence for the user."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller: two servers live in this process."""
        yield


@asynccontextmanager
async def running_service(options: Options) -> AsyncIterator[str]:
    """Run the service while the block lasts.

    Args:
        options: The settings of the instance.

    Yields:
        The URL of the API, when everything is ready.

    Raises:
        StartError: A port is in use, or moto, a function or the model does not start.
        TemplateError: The template has a part that cannot be run locally.
    """
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen("127.0.0.1", options.port))
        port: int = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        logs = log_folder(options.state, port)
        logging.basicConfig(filename=logs / "gateway.log", filemode="w", level=logging.INFO, force=True)
        template = _with_visibility(load_template(options.template), options.visibility)
        aws = await stack.enter_async_context(_moto_server(logs))
        internal = stack.enter_context(listen("127.0.0.1", 0))
        invoke_url = f"http://127.0.0.1:{internal.getsockname()[1]}"
        routed = {route.function for route in template.routes}
        pools = {
            name: await stack.enter_async_context(
                function_pool(
                    function,
                    routed=name in routed,
                    aws=aws_environment(options.functions_aws or aws),
                    invoke_url=invoke_url,
                    logs=logs,
                    options=options,
                )
            )
            for name, function in template.functions.items()
        }

        async def invoke(logical_id: str, payload: bytes, request_id: str, sink: Sink | None = None, /) -> Outcome:
            return await pools[logical_id].invoke(payload, request_id, sink)

        names = {function.name: logical_id for logical_id, function in template.functions.items()}
        await stack.enter_async_context(http_server(InvokeApi(names, invoke), internal))
        await stack.enter_async_context(http_server(Site(Gateway(template, invoke), aws, options.key), listener))
        await _start(template, pools, aws, options.key, logs)
        for source in template.sources.values():
            queue = template.queues[source.queue]
            await stack.enter_async_context(_polling(source, queue, pools[source.function], aws))
        stack.enter_context(endpoints_file(options.state, port, endpoints(template, url, aws)))
        yield url


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Listen while the block lasts.

    Args:
        host: An IPv4 address of this machine.
        port: A port; 0: a free one.

    Raises:
        StartError: The port cannot be used.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise StartError(f"port {port} cannot be used ({error.strerror}); choose another with PORT=") from error
        listener.listen()
        yield listener


@asynccontextmanager
async def _moto_server(logs: Path) -> AsyncIterator[str]:
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


async def _start(template: Template, pools: dict[str, Pool], aws: str, key: str, logs: Path) -> None:
    """Start all workers while the resources are created."""
    creation = asyncio.to_thread(_create_resources, template, aws, key)
    try:
        await asyncio.gather(creation, *(pool.start() for pool in pools.values()))
    except InitError as error:
        raise StartError(f"{error} (logs: {logs})") from error
    except ProbeError as error:
        cause = last_error(logs / f"{error.function}.log") or str(error)
        raise StartError(f"{error.function} does not work: {cause} (logs: {logs})") from error


def _create_resources(template: Template, aws: str, key: str) -> None:
    create_cloud(template, aws)
    for table in environment_values(template, "CUTOUT_ACCOUNTS_TABLE"):
        seed_account(table, key, aws)


def make_poller(source: EventSource, queue: Queue, pool: Pool, aws: str) -> Poller:
    """Make the poller of an event source.

    Args:
        source: The event source.
        queue: Its queue.
        pool: The workers of its function.
        aws: URL of moto's server.
    """
    return Poller(
        client("sqs", aws, Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)),
        queue_url(aws, queue),
        queue_arn(queue.name),
        pool.invoke,
        batch_size=source.batch_size,
        concurrency=min(source.concurrency or pool.size, pool.size),
        partial=source.partial,
    )


@asynccontextmanager
async def _polling(source: EventSource, queue: Queue, pool: Pool, aws: str) -> AsyncIterator[None]:
    """Feed a queue to a function while the block lasts."""
    poller = make_poller(source, queue, pool, aws)
    task = asyncio.create_task(poller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _with_visibility(template: Template, seconds: int) -> Template:
    """Change the visibility timeout of the queues that feed functions; 0 leaves all as it is."""
    sources = template.sources.values() if seconds else ()
    changed = {source.queue: replace(template.queues[source.queue], visibility_s=seconds) for source in sources}
    return replace(template, queues={**template.queues, **changed})


@asynccontextmanager
async def http_server(
    app: Callable[..., Awaitable[None]], listener: socket.socket, *, drain_s: int = 1, proxies: str = ""
) -> AsyncIterator[Callable[[], None]]:
    """Serve an application while the block lasts.

    Args:
        app: The application (ASGI 3).
        listener: The listening socket.
        drain_s: Seconds for which requests that have begun may go on when the server stops.
        proxies: Addresses and networks, separated by commas, whose word counts on a request's client and scheme.

    Yields:
        What makes the server stop before the block ends: it takes no more connections, and ends what has begun.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=drain_s,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))

    def stop() -> None:
        server.should_exit = True

    try:
        yield stop
    finally:
        stop()
        await task
