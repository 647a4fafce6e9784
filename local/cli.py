"""The command ``python -m local``: the whole service on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import ROOT
from local.cloud import LOCAL_ACCOUNT, aws_environment
from local.intrinsics import TemplateError
from local.options import Options
from local.service import StartError, running_service

DEFAULT_KEY = "local-development-key"
EXAMPLE_PHOTO = ROOT / "docs" / "images" / "chelsea.jpg"


def main() -> int:
    """Serve until a signal ends the process.

    Returns:
        The exit status: 0 after Ctrl-C, 1 with one sentence on stderr when the service cannot start.
    """
    options = _parse_options()
    _isolate_from_aws()
    try:
        asyncio.run(_serve(options))
    except asyncio.CancelledError:  # by a signal
        return 0
    except (OSError, StartError, TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parse_options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=_port, default=8585, help="of the API on 127.0.0.1; 0: a free one")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml", help="the SAM template to serve")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="folder of logs and endpoints.json")
    for option, variable, kind, default, text in _OPTIONS:
        value = os.environ.get(variable, default)
        parser.add_argument(option, type=kind, default=value, help=f"{text} (default: {variable}, else '{default}')")
    return Options(key=os.environ.get("CUTOUT_LOCAL_KEY") or DEFAULT_KEY, **vars(parser.parse_args()))


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:  # noqa: PLR2004 - 16 bits
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def _count(text: str) -> int:
    number = int(text or "0")
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


_OPTIONS: tuple[tuple[str, str, Callable[[str], Any], str, str], ...] = (
    ("--workers", "CUTOUT_LOCAL_WORKERS", _count, "0", "processes that hold the model; 0: as many as cores"),
    ("--timeout", "CUTOUT_LOCAL_TIMEOUT_S", _count, "0", "seconds for one image; 0: as the template says"),
    ("--visibility", "CUTOUT_LOCAL_VISIBILITY_S", _count, "0", "seconds until a queue returns a message; 0: as there"),
    ("--functions-aws", "CUTOUT_LOCAL_FUNCTIONS_AWS", str, "", "URL of a proxy between the functions and moto"),
    (
        "--open-account",
        "CUTOUT_OPEN_ACCOUNT",
        str,
        LOCAL_ACCOUNT.id,
        "account of requests that need no key; empty: none",
    ),
)
"""Options that a variable of the shell may give too: option, variable, type, default, help."""


def _isolate_from_aws() -> None:
    """Replace the AWS settings of the user's shell by dummy ones."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(aws_environment())


def _curl_example(url: str, key: str) -> str:
    """Make a curl command that works when pasted into the shell that started the service."""
    photo = os.path.relpath(EXAMPLE_PHOTO) if EXAMPLE_PHOTO.exists() else "photo.jpg"
    header, form = shlex.quote(f"x-api-key: {key}"), shlex.quote(f"image_file=@{photo}")
    return f"curl -H {header} -F {form} {url}/v2 -o out.png"


async def _serve(options: Options) -> None:
    """Start, print the URL, and run until a signal cancels the task; a second signal ends the process at once."""
    stop = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        task.cancel()

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    async with running_service(options) as url:
        print(f"Ready on {url} (Ctrl-C stops). Try:\n\n  {_curl_example(url, options.key)}\n", flush=True)
        await stop.wait()
