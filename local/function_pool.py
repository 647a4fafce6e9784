"""The pool of one function with the settings of this machine: number of workers, their environment, their start."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from cutout.aws.model_health import ROUTE as MODEL_ROUTE
from local.events import HttpRequest, proxy_event
from local.options import Options
from local.pool import Pool
from local.resources import Function, Route
from local.routing import Match
from local.worker import Worker, worker_environment

ZIP_WORKERS = 2
PASSED_VARIABLES = (
    "CUTOUT_KEY_GRACE_S", "CUTOUT_LEGACY_KEYS", "CUTOUT_MAX_IMAGE_BYTES", "CUTOUT_MAX_OUTPUT_SIDE_PX",
    "CUTOUT_MAX_PIXELS", "CUTOUT_MAX_SIDE_PX", "CUTOUT_MODEL", "CUTOUT_PUBLIC_URL",
    "CUTOUT_SYNCHRONOUS", "CUTOUT_THREADS",
    "CUTOUT_URL_ALLOW", "CUTOUT_URL_REDIRECTS", "CUTOUT_URL_TIMEOUT_S", "CUTOUT_WEBHOOK_BACKOFF_S",
    "CUTOUT_WEBHOOK_TIMEOUT_S", "LOG_LEVEL",
)  # fmt: skip
"""Settings that the user's shell may give the functions; names of resources come from the template alone."""


@asynccontextmanager
async def function_pool(
    function: Function,
    *,
    routed: bool,
    aws: Mapping[str, str],
    invoke_url: str,
    logs: Path | None,
    options: Options,
    names: Mapping[str, str] | None = None,
) -> AsyncIterator[Pool]:
    """Make the pool of a function; its workers are stopped at the end of the block.

    The workers of an image function hold the model and share the cores among them. All of them are ready for requests
    from the start, if it has a route; of another function one is, to show that it starts, and more follow on demand.

    Args:
        function: The function.
        routed: Whether the gateway invokes it.
        aws: The ``AWS_*`` variables of the functions.
        invoke_url: URL of the Invoke API.
        logs: Folder for the log of the function; None: it goes to this process's standard output.
        options: Number of workers, timeout, length of the queue, account of requests without a key.
        names: Variables that win over all others, such as the names of resources in a real account.
    """
    holds_model = function.package == "Image"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = (options.workers or max(2, cores)) if holds_model else ZIP_WORKERS
    if holds_model and options.timeout:
        function = replace(function, timeout_s=options.timeout)
    passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    # numpy's products (OpenBLAS) have one thread, as in the template: more wait busily, for cores that others hold.
    threads = {"CUTOUT_THREADS": str(max(1, cores // size)), "OPENBLAS_NUM_THREADS": "1"}
    environment = worker_environment(
        function,
        {**aws, "AWS_ENDPOINT_URL_LAMBDA": invoke_url},
        {
            "CUTOUT_INLINE_LIMIT_BYTES": "0",
            "CUTOUT_OPEN_ACCOUNT": options.open_account,
            **threads,
            **passed,
            **(names or {}),
        },
    )
    probed = holds_model and routed
    with (logs / f"{function.name}.log").open("wb") if logs else nullcontext(sys.stdout.buffer) as log:
        pool = Pool(
            function,
            partial(Worker.start, function, environment, log),
            size,
            ready=size if probed else 1,
            probe_event=_probe_event() if probed else None,
            max_waiting=options.max_waiting,
        )
        try:
            yield pool
        finally:
            await pool.stop()


def _probe_event() -> bytes:
    """Make the event of the deep health check, which loads the model."""
    request = HttpRequest("GET", MODEL_ROUTE, "", (), b"", "127.0.0.1")
    event = proxy_event(request, Match(Route("GET", MODEL_ROUTE, ""), {}), "local", str(uuid4()))
    return json.dumps(event).encode()
