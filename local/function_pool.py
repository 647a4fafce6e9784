"""The pool of one function with the settings of this machine: number of workers, their environment, their start."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from cutout.aws.model_health import ROUTE as MODEL_ROUTE
from local.cloud import aws_environment
from local.events import HttpRequest, proxy_event
from local.options import Options
from local.pool import Pool
from local.resources import Function, Route
from local.routing import Match
from local.worker import Worker, worker_environment

ZIP_WORKERS = 2
PASSED_VARIABLES = (
    "CUTOUT_LEGACY_KEYS", "CUTOUT_MAX_IMAGE_BYTES", "CUTOUT_MAX_OUTPUT_SIDE_PX", "CUTOUT_MAX_PIXELS",
    "CUTOUT_MAX_SIDE_PX", "CUTOUT_MODEL", "CUTOUT_PUBLIC_URL", "CUTOUT_THREADS", "CUTOUT_URL_ALLOW",
    "CUTOUT_URL_REDIRECTS", "CUTOUT_URL_TIMEOUT_S", "CUTOUT_WEBHOOK_BACKOFF_S", "CUTOUT_WEBHOOK_TIMEOUT_S", "LOG_LEVEL",
)  # fmt: skip
"""Settings that the user's shell may give the functions; names of resources come from the template alone."""


@asynccontextmanager
async def function_pool(
    function: Function, *, routed: bool, aws: str, invoke_url: str, logs: Path, options: Options
) -> AsyncIterator[Pool]:
    """Make the pool of a function; its workers are stopped at the end of the block.

    The workers of an image function hold the model and share the cores among them. All of them are ready for requests
    from the start, if it has a route; of another function one is, to show that it starts, and more follow on demand.

    Args:
        function: The function.
        routed: Whether the gateway invokes it.
        aws: URL of moto's server.
        invoke_url: URL of the Invoke API.
        logs: Folder for the log of the function.
        options: Number of workers, timeout, account of requests without a key.
    """
    holds_model = function.package == "Image"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = (options.workers or max(2, cores)) if holds_model else ZIP_WORKERS
    if holds_model and options.timeout:
        function = replace(function, timeout_s=options.timeout)
    passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    threads = {"CUTOUT_THREADS": str(max(1, cores // size))}
    environment = worker_environment(
        function,
        aws_environment(options.functions_aws or aws) | {"AWS_ENDPOINT_URL_LAMBDA": invoke_url},
        {"CUTOUT_INLINE_LIMIT_BYTES": "0", "CUTOUT_OPEN_ACCOUNT": options.open_account, **threads, **passed},
    )
    probed = holds_model and routed
    with (logs / f"{function.name}.log").open("wb") as log:
        start = partial(Worker.start, function, environment, log)
        pool = Pool(function, start, size, ready=size if probed else 1, probe_event=_probe_event() if probed else None)
        try:
            yield pool
        finally:
            await pool.stop()


def _probe_event() -> bytes:
    """Make the event of the deep health check, which loads the model."""
    request = HttpRequest("GET", MODEL_ROUTE, "", (), b"", "127.0.0.1")
    event = proxy_event(request, Match(Route("GET", MODEL_ROUTE, ""), {}), "local", str(uuid4()))
    return json.dumps(event).encode()
