"""The container's parts, started in order and stopped in the opposite one: state, workers, gateway, pollers."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from cutout.accounts import KeyMode
from local import ROOT
from local.cloud import aws_environment, client
from local.function_pool import function_pool
from local.gateway import Gateway
from local.invoke_api import InvokeApi
from local.options import Options
from local.poller import Poller
from local.pool import Pool, ProbeError
from local.request_bodies import BodyReader
from local.resources import Template
from local.service import StartError, http_server, listen, make_poller
from local.site import App, Site
from local.state import environment_values
from local.streaming import Sink
from local.template import load_template
from local.worker import InitError, Outcome
from server.configuration import Configuration
from server.keys import write_keys
from server.signatures import Signatures
from server.storage import Storage

TEMPLATE = ROOT / "template.yaml"


@asynccontextmanager
async def running_server(configuration: Configuration, stop: Callable[[str], None]) -> AsyncIterator[str]:
    """Run the service while the block lasts; at its end, work in progress is brought to an end.

    Args:
        configuration: The settings.
        stop: Ends the block from outside, with the reason.

    Yields:
        The address on which the service answers, when everything is ready.

    Raises:
        StartError: The port, the state, a function or the model cannot be used.
    """
    template = load_template(TEMPLATE)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(configuration.host, configuration.port))
        port: int = listener.getsockname()[1]
        state = "" if configuration.resources else await stack.enter_async_context(_state(configuration, stop))
        pools = await _pools(stack, template, configuration, state)
        await _start(pools)

        async def invoke(logical_id: str, payload: bytes, request_id: str, sink: Sink | None = None, /) -> Outcome:
            return await pools[logical_id].invoke(payload, request_id, sink)

        bodies = BodyReader(configuration.max_body_bytes, configuration.max_held_bytes)
        site = Site(Gateway(template, invoke, bodies), _storage_origins(configuration), key="")
        app = _with_storage(site, template, configuration, state, bodies) if state else site
        close = await stack.enter_async_context(
            http_server(app, listener, drain_s=configuration.drain_s, proxies=configuration.proxies)
        )
        pollers = [
            make_poller(source, template.queues[source.queue], pools[source.function], state)
            for source in template.sources.values()
            if state
        ]
        await stack.enter_async_context(_running(pollers, configuration.drain_s))
        stack.callback(close)  # first of all: requests and jobs come to their end at the same time
        yield f"http://{configuration.host}:{port}"


@asynccontextmanager
async def _state(configuration: Configuration, stop: Callable[[str], None]) -> AsyncIterator[str]:
    """Run the process that holds the state; the service stops with it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "server.durable_aws", str(configuration.state), str(TEMPLATE)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**_inherited(), "PYTHONPATH": str(ROOT), **aws_environment()},
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
    url = (await process.stdout.readline()).decode().strip()
    if not url:
        await process.wait()
        raise StartError(f"the state in {configuration.state} cannot be used")
    (table,) = environment_values(load_template(TEMPLATE), "CUTOUT_ACCOUNTS_TABLE")
    keys = {KeyMode.LIVE: configuration.key, KeyMode.ADMIN: configuration.admin_key}

    async def watch() -> None:
        status = await process.wait()
        stop(f"the process that holds the state has ended with status {status}")

    watcher = asyncio.create_task(watch())
    try:
        await asyncio.to_thread(write_keys, url, table, keys)
        yield url
    finally:
        watcher.cancel()
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _pools(
    stack: AsyncExitStack, template: Template, configuration: Configuration, state: str
) -> dict[str, Pool]:
    """Make the pools of the functions that have routes and, with a state of our own, of those that queues feed."""
    pools: dict[str, Pool] = {}
    routed = {route.function for route in template.routes}
    internal = stack.enter_context(listen("127.0.0.1", 0))

    async def invoke(logical_id: str, payload: bytes, request_id: str, sink: Sink | None = None, /) -> Outcome:
        return await pools[logical_id].invoke(payload, request_id, sink)

    names = {function.name: logical_id for logical_id, function in template.functions.items()}
    await stack.enter_async_context(http_server(InvokeApi(names, invoke), internal))
    options = Options(
        configuration.port,
        TEMPLATE,
        configuration.state,
        configuration.key,
        workers=configuration.workers,
        timeout=configuration.timeout_s,
        open_account=configuration.open_account,
        max_waiting=configuration.max_waiting,
    )
    for name, function in template.functions.items():
        if name in routed or state:
            pools[name] = await stack.enter_async_context(
                function_pool(
                    function,
                    routed=name in routed,
                    aws=_aws(configuration, state),
                    invoke_url=f"http://127.0.0.1:{internal.getsockname()[1]}",
                    logs=None,
                    options=options,
                    names=configuration.resources or {"CUTOUT_STORAGE_URL": configuration.public_url},
                )
            )
    return pools


async def _start(pools: Mapping[str, Pool]) -> None:
    try:
        await asyncio.gather(*(pool.start() for pool in pools.values()))
    except (InitError, ProbeError) as error:
        raise StartError(str(error)) from error


@asynccontextmanager
async def _running(pollers: list[Poller], drain_s: int) -> AsyncIterator[None]:
    """Feed queues to functions while the block lasts; then let the batches in progress end, for a while."""
    tasks = [asyncio.create_task(poller.run()) for poller in pollers]
    try:
        yield
    finally:
        for poller in pollers:
            poller.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=drain_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _aws(configuration: Configuration, state: str) -> dict[str, str]:
    """Make the ``AWS_*`` variables of the functions."""
    if not state:
        return dict(configuration.aws)
    return aws_environment(state) | {"AWS_SECRET_ACCESS_KEY": _secret(configuration.state)}


def _with_storage(
    site: App, template: Template, configuration: Configuration, state: str, bodies: BodyReader
) -> Storage:
    buckets = [bucket.name for bucket in template.buckets.values()]
    signatures = Signatures(_secret(configuration.state), configuration.public_url)
    return Storage(site, client("s3", state), buckets, signatures, bodies)


def _storage_origins(configuration: Configuration) -> str:
    """List the origins to which the page uploads, beside its own."""
    if not configuration.resources:
        return configuration.public_url
    region = configuration.aws["AWS_REGION"]
    buckets = (configuration.resources[name] for name in ("CUTOUT_UPLOADS_BUCKET", "CUTOUT_RESULTS_BUCKET"))
    return " ".join(f"https://{bucket}.s3.{region}.amazonaws.com" for bucket in buckets)


def _secret(folder: Path) -> str:
    """Read the secret that signs URLs; it is made at the first start, so that URLs outlive a restart."""
    file = folder / "secret"
    if not file.exists():
        made = file.with_suffix(".new")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(32))
        made.replace(file)
    return file.read_text()


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ}
